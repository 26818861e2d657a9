"""``history`` and ``label``: versions, and labels that are moved in labels.yaml or in a storage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

FILES = {
    "prompts/greeting.yaml": "version: 1.0.0\ntemplate: Hello\nmetadata: {author: Ada}\n",
    "prompts/greeting-2.yaml": "id: greeting\nversion: 1.1.0\ntemplate: Hi\nstatus: draft\n",
}

STORED = """
from prompt_manager import Prompt, PromptManager
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage("stored")
for version in ("1.0.0", "1.1.0"):
    storage.save_sync(Prompt(id="greeting", version=version, template="Hi", status="active"))
manager = PromptManager.from_storage_sync(storage)
"""


@pytest.fixture
def prompts(project: Path, write: Write) -> Path:
    write(FILES)
    return project


@pytest.mark.usefixtures("prompts")
def test_labels_are_set_rolled_back_and_removed(result_of: Text) -> None:
    assert result_of("label", "set", "greeting", "production", "1.0.0") == "greeting production: nothing → 1.0.0\n"
    moved = json.loads(result_of("label", "set", "greeting", "production", "1.1.0", "--author", "Bo", "--json"))
    assert {key: moved[key] for key in ("id", "label", "previous", "version", "author")} == {
        "id": "greeting",
        "label": "production",
        "previous": "1.0.0",
        "version": "1.1.0",
        "author": "Bo",
    }
    assert result_of("label", "list") == "ID        LABEL       VERSION\ngreeting  production  1.1.0\n"
    assert result_of("label", "rollback", "greeting", "production") == "greeting production: 1.1.0 → 1.0.0\n"
    assert json.loads(result_of("label", "list", "greeting", "--json")) == [
        {"id": "greeting", "label": "production", "version": "1.0.0"}
    ]
    assert result_of("label", "remove", "greeting", "production") == "greeting production: 1.0.0 → nothing\n"
    assert json.loads(result_of("label", "list", "--json")) == []
    assert result_of("check") == "no findings\n"


def test_label_alone_shows_its_help(run: Callable[..., Result]) -> None:
    done = run("label")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: prompt-manager label ")


def test_a_move_is_written_to_the_file_of_labels(prompts: Path, result_of: Text) -> None:
    result_of("label", "set", "greeting", "production", "1.1.0", "--author", "Ada")
    assert "production: 1.1.0\n" in (prompts / "prompts" / "labels.yaml").read_text(encoding="utf-8")
    assert result_of("render", "greeting@production") == "Hi"


def test_a_move_is_written_to_the_storage_of_the_app(
    project: Path, result_of: Text, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "app_of_labels", raising=False)
    write({"app_of_labels.py": STORED, "pyproject.toml": '[tool.prompt-manager]\napp = "app_of_labels:manager"\n'})
    assert result_of("label", "set", "greeting", "production", "1.0.0") == "greeting production: nothing → 1.0.0\n"
    assert not (project / "prompts").exists()
    assert "production" in (project / "stored" / "greeting" / ".labels.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "greeting", "production", "3.0.0"), "prompt 'greeting' has no version 3.0.0"),
        (("set", "gretting", "production", "1.0.0"), "there is no prompt 'gretting'"),
        (("set", "greeting", "my label", "1.0.0"), "`my label` cannot be a label"),
        (("rollback", "greeting", "production"), "label 'production' of prompt 'greeting' was never moved"),
        (("remove", "greeting", "production"), "prompt 'greeting' has no label 'production'"),
        (("list", "gretting"), "there is no prompt 'gretting'"),
    ],
)
def test_a_move_that_is_not_possible_changes_nothing(
    prompts: Path, failure_of: Text, arguments: tuple[str, ...], message: str
) -> None:
    assert failure_of("label", *arguments).startswith(message)
    assert not (prompts / "prompts" / "labels.yaml").exists()


@pytest.mark.usefixtures("prompts")
def test_history_lists_versions_and_moves(result_of: Text) -> None:
    result_of("label", "set", "greeting", "production", "1.0.0", "--author", "Bo")
    header, newest, first, blank, moves, move = result_of("history", "greeting").splitlines()
    assert header.split() == ["VERSION", "STATUS", "LABELS", "CREATED", "(UTC)", "AUTHOR"]
    assert newest.split()[:2] == ["1.1.0", "draft"]
    assert first.split()[:3] == ["1.0.0", "active", "production"]
    assert first.endswith("  Ada")
    assert (blank, moves.split()) == ("", ["LABEL", "MOVE", "MOVED", "(UTC)", "BY"])
    assert move.split()[:4] == ["production", "nothing", "→", "1.0.0"]
    found = json.loads(result_of("history", "greeting", "--json"))
    assert [record["version"] for record in found["versions"]] == ["1.1.0", "1.0.0"]
    assert [move["author"] for move in found["label_moves"]] == ["Bo"]
    assert len(found["versions"][0]["content_hash"]) == 64


@pytest.mark.usefixtures("prompts")
def test_the_history_of_no_prompt_is_an_error(failure_of: Text) -> None:
    assert failure_of("history", "gretting").startswith("there is no prompt 'gretting'")


@pytest.mark.usefixtures("prompts")
def test_a_prompt_without_labels_is_an_error_with_the_command(failure_of: Text) -> None:
    assert failure_of("render", "greeting@production", "--var", "name=Ada") == (
        "prompt 'greeting' has no label 'production'\n"
        "  hint: it has no labels yet: set one with `set_label` or `prompt-manager label set`\n"
    )
