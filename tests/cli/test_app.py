"""The manager that ``app`` names is used by every command: its helpers, partials, prompts and storage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]
    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

#: A project whose code has a helper, a partial and a prompt.
HELPERS = """
from prompt_manager import Prompt, PromptManager, TemplateEngine

print("loading the prompts")
engine = TemplateEngine()
engine.register_helper("shout", lambda text: text.upper())
engine.register_partial("bye", "Bye {{name}}.")
manager = PromptManager(template_engine=engine)
manager.create_prompt_sync(Prompt(id="in_code", template="In code", status="active"))
"""

#: A project whose manager loads the directory itself.
LOADED = """
from prompt_manager import PromptManager, TemplateEngine

engine = TemplateEngine()
engine.register_helper("shout", lambda text: text.upper())
engine.register_partial("bye", "Bye {{name}}.")
manager = PromptManager.from_directory_sync("prompts", template_engine=engine)
"""

#: A project whose prompts are in a storage.
STORED = """
from prompt_manager import Prompt, PromptManager
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage("stored")
storage.save_sync(Prompt(id="hello", template="HELLO {{name}}! Bye {{name}}.", status="active"))
manager = PromptManager.from_storage_sync(storage)
"""

FILES = {
    "prompts/hello.yaml": "template: '{{shout \"hello\"}} {{name}}! {{> bye}}'\n",
    "prompts/hello.test.yaml": '- {name: greets, variables: {name: Ada}, text: "HELLO Ada! Bye Ada."}\n',
}


@pytest.fixture(params=["helpers", "loaded", "stored"])
def app(request: pytest.FixtureRequest, write: Write) -> str:
    """A project with an app. The name tells where its prompts are."""
    kind = str(request.param)
    code = {"helpers": HELPERS, "loaded": LOADED, "stored": STORED}[kind]
    # Each module has its own name, because Python imports a module once.
    write({f"app_with_{kind}.py": code, "pyproject.toml": f'[tool.prompt-manager]\napp = "app_with_{kind}:manager"\n'})
    write({"prompts/hello.test.yaml": FILES["prompts/hello.test.yaml"]} if kind == "stored" else FILES)
    return kind


@pytest.fixture(autouse=True)
def imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the modules of the projects after each test."""
    import sys

    for kind in ("helpers", "loaded", "stored"):
        monkeypatch.delitem(sys.modules, f"app_with_{kind}", raising=False)


@pytest.mark.usefixtures("app")
def test_render_and_test_use_the_app(run: Run) -> None:
    done = run("render", "hello", "--var", "name=Ada")
    assert (done.stdout, done.exit_code) == ("HELLO Ada! Bye Ada.", 0)
    assert run("test").stdout == "1 passed\n"


def test_list_shows_the_prompts_of_the_app(run: Run, app: str) -> None:
    done = run("list", "--json")
    ids = [prompt["id"] for prompt in json.loads(done.stdout)]
    assert ids == (["hello", "in_code"] if app == "helpers" else ["hello"])


def test_what_the_app_prints_is_not_part_of_the_result(run: Run, write: Write) -> None:
    write({**FILES, "app_with_helpers.py": HELPERS})
    write({"pyproject.toml": '[tool.prompt-manager]\napp = "app_with_helpers:manager"\n'})
    done = run("list", "--json")
    assert len(json.loads(done.stdout)) == 2
    assert done.stderr == "loading the prompts\n"


@pytest.mark.usefixtures("app")
def test_a_directory_that_is_named_does_not_use_the_app(failure_of: Text, write: Write) -> None:
    write({"other/hello.yaml": "template: '{{shout \"hello\"}}'\n"})
    assert "shout" in failure_of("render", "hello", "--dir", "other")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(7)\n", "cannot import app 'app_with_helpers:manager': SystemExit: 7"),
        ("1 / 0\n", "cannot import app 'app_with_helpers:manager': ZeroDivisionError: division by zero"),
        ("manager = 1\n", "app 'app_with_helpers:manager' must be a PromptManager, not int"),
    ],
)
@pytest.mark.parametrize("command", [("list",), ("render", "hello"), ("test",)])
def test_an_app_that_fails_is_an_error(
    failure_of: Text, write: Write, command: tuple[str, ...], code: str, message: str
) -> None:
    write({**FILES, "app_with_helpers.py": code})
    write({"pyproject.toml": '[tool.prompt-manager]\napp = "app_with_helpers:manager"\n'})
    failure = failure_of(*command)
    assert failure.startswith(message)
    assert failure.startswith("app ") or "hint: correct `app` under [tool.prompt-manager] in pyproject.toml" in failure
