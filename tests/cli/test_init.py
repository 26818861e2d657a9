"""``prompt-manager init`` and ``new``: the first files of a project, which pass, and never in place of others."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]
    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

#: What `init` writes.
FILES = [
    ".github/workflows/prompts.yml",
    ".schemas/labels.schema.json",
    ".schemas/prompt.schema.json",
    ".schemas/schema.schema.json",
    ".schemas/test.schema.json",
    "prompts/greeting.test.yaml",
    "prompts/greeting.yaml",
    "prompts/partials/tone.hbs",
    "prompts/schemas/triage.yaml",
    "prompts/support/triage.test.yaml",
    "prompts/support/triage.yaml",
    "pyproject.toml",
]


def files_of(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_new_project_passes_check_and_test(project: Path, result_of: Text) -> None:
    written = result_of("init")
    assert files_of(project) == FILES
    assert written.startswith("wrote\n  prompts/greeting.yaml\n")
    assert written.endswith("\nnext: prompt-manager check && prompt-manager test\n")
    assert result_of("check") == "no findings\n"
    assert result_of("test") == "5 passed\n"
    assert [prompt["id"] for prompt in json.loads(result_of("list", "--json"))] == ["greeting", "support/triage"]


def test_the_prompts_may_be_in_another_directory(project: Path, result_of: Text) -> None:
    result_of("init", "--prompts", "src/my_app/prompts", "--no-ci")
    assert "src/my_app/prompts/greeting.yaml" in files_of(project)
    assert not (project / ".github").exists()
    assert result_of("check") == "no findings\n"
    assert result_of("test") == "5 passed\n"


def test_another_project_may_be_named(project: Path, result_of: Text, monkeypatch: pytest.MonkeyPatch) -> None:
    assert result_of("init", "app").endswith("\nnext: cd app && prompt-manager check && prompt-manager test\n")
    monkeypatch.chdir(project / "app")
    assert result_of("check") == "no findings\n"


@pytest.mark.parametrize("prompts", ["prompts", "src/my_app/prompts"])
def test_each_file_names_its_schema_for_editors(project: Path, result_of: Text, prompts: str) -> None:
    result_of("init", "--prompts", prompts)
    for path in (project / prompts).rglob("*.yaml"):
        start, _, schema = path.read_text(encoding="utf-8").partition("\n")[0].partition("=")
        assert start == "# yaml-language-server: $schema"
        kind = "schema" if path.parent.name == "schemas" else "test" if ".test." in path.name else "prompt"
        assert (path.parent / schema).resolve() == project.resolve() / ".schemas" / f"{kind}.schema.json"


def test_the_schemas_for_editors_can_be_left_out_or_be_there(project: Path, result_of: Text) -> None:
    result_of("init", "--no-editor")
    assert not (project / ".schemas").exists()
    assert "language-server" not in (project / "prompts" / "greeting.yaml").read_text(encoding="utf-8")
    result_of("schema", "--files", "-o", "app/.schemas")
    assert "prompts/greeting.yaml" in result_of("init", "app")


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_pyproject_keeps_what_it_has(project: Path, result_of: Text, write: Write, end: str) -> None:
    before = f'# mine\n[project]\nname = "app"{end}'
    write({"pyproject.toml": before})
    result_of("init")
    after = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert after.startswith(before)
    assert tomllib.loads(after) == {"project": {"name": "app"}, "tool": {"prompt-manager": {"prompts": "prompts"}}}


def test_a_pyproject_with_the_table_stays_as_it_is(project: Path, result_of: Text, write: Write) -> None:
    table = '[tool.prompt-manager]\nprompts = "prompts"\n'
    write({"pyproject.toml": table})
    assert "pyproject.toml" not in json.loads(result_of("init", "--json"))["files"]
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == table


@pytest.mark.parametrize("taken", ["prompts/greeting.yaml", "prompts/partials/tone.hbs", FILES[0]])
def test_init_overwrites_nothing(project: Path, failure_of: Text, write: Write, taken: str) -> None:
    write({taken: "mine"})
    assert failure_of("init") == f"{taken} already exists, and nothing is overwritten\n"
    assert files_of(project) == [taken]
    assert (project / taken).read_text(encoding="utf-8") == "mine"


def test_init_leaves_nothing_behind_if_a_file_cannot_be_written(project: Path, failure_of: Text, write: Write) -> None:
    write({"prompts/schemas": "a file, where a directory is needed"})
    assert "cannot write the directory prompts/schemas" in failure_of("init")
    assert files_of(project) == ["prompts/schemas"]
    assert not (project / "prompts" / "support").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prompts", "../elsewhere"), "--prompts ../elsewhere must be a directory below the project's directory"),
        (("--prompts", "/prompts"), "--prompts /prompts must be a directory below the project's directory"),
    ],
)
def test_the_prompts_must_be_in_the_project(failure_of: Text, arguments: tuple[str, ...], message: str) -> None:
    assert failure_of("init", *arguments, status=2).startswith(message)


def test_a_pyproject_for_other_prompts_is_an_error(project: Path, failure_of: Text, write: Write) -> None:
    write({"pyproject.toml": '[tool.prompt-manager]\nprompts = "texts"\n'})
    assert "already has other prompts: 'texts'" in failure_of("init")
    assert files_of(project) == ["pyproject.toml"]


@pytest.mark.parametrize("kind", ["text", "chat"])
def test_a_new_prompt_passes_check_and_test(result_of: Text, kind: str) -> None:
    result_of("init")
    assert result_of("new", "support/refund", "--format", kind, "--with-test") == (
        "wrote prompts/support/refund.yaml\nwrote prompts/support/refund.test.yaml\n"
    )
    assert result_of("check") == "no findings\n"
    assert result_of("test") == "6 passed\n"
    (shown,) = [each for each in json.loads(result_of("list", "--json")) if each["id"] == "support/refund"]
    assert (shown["version"], shown["format"], shown["status"]) == ("1.0.0", kind, "draft")


def test_new_makes_the_directory_of_the_first_prompt(result_of: Text) -> None:
    assert result_of("new", "hello") == "wrote prompts/hello.yaml\n"
    assert result_of("check") == "no findings\n"


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        ({"prompts/a.yaml": "template: x\n"}, "there is a prompt 'a' in prompts/a.yaml:1\n  hint: write its next"),
        ({"prompts/b.yaml": "id: a\ntemplate: x\n"}, "there is a prompt 'a' in prompts/b.yaml:1\n"),
        ({"prompts/a.yaml": "template: '{{#if'\n"}, "prompts/a.yaml already exists, and nothing is overwritten\n"),
    ],
)
def test_new_replaces_no_prompt(
    project: Path, failure_of: Text, write: Write, taken: dict[str, str], message: str
) -> None:
    write(taken)
    assert failure_of("new", "a").startswith(message)
    assert files_of(project) == [*taken]


@pytest.mark.parametrize(
    ("prompt_id", "message"),
    [
        ("../a", "`../a` cannot be an id"),
        ("my prompt", "`my prompt` cannot be an id"),
        ("", "`` cannot be an id"),
        ("support/hello.yaml", "`support/hello.yaml` is the name of a file, not an id"),
        ("labels", "the file prompts/labels.yaml would not be a prompt file"),
        ("a.test", "the file prompts/a.test.yaml would not be a prompt file"),
        ("partials/a", "the file prompts/partials/a.yaml would not be a prompt file"),
        ("schemas/a", "the file prompts/schemas/a.yaml would not be a prompt file"),
    ],
)
def test_new_needs_an_id_that_can_be_a_file(project: Path, failure_of: Text, prompt_id: str, message: str) -> None:
    assert failure_of("new", prompt_id, status=2).startswith(message)
    assert files_of(project) == []


INTERRUPTED_WRITE = """
import os, signal, sys
from prompt_manager.cli import files, main
create = files.create_file
def create_and_interrupt(path, content):
    create(path, content)
    os.kill(os.getpid(), signal.SIGINT)
files.create_file = create_and_interrupt
sys.argv = ["prompt-manager", "init"]
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
def test_an_interrupt_leaves_whole_files(project: Path) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_WRITE], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, b"")
    assert files_of(project) == FILES
