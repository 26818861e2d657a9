"""``bump``: the next version in the file of a prompt, whose other content stays, or in a new file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from prompt_manager._native import with_version
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Commit = Callable[..., None]
    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

#: Files of a prompt `a`, with its version 1.0.0 and with 1.1.0.
EDITED = {
    "a version": ("version: 1.0.0 # first\ntemplate: Hi\n", "version: 1.1.0 # first\ntemplate: Hi\n"),
    "quotes": ('template: Hi\nversion: "1.0.0"\n', 'template: Hi\nversion: "1.1.0"\n'),
    "no version": ("# About a\n\ntemplate: |\n  Hi\n", "# About a\n\nversion: 1.1.0\ntemplate: |\n  Hi\n"),
    "an id": ("id: a # mine\ntemplate: Hi\n", "id: a # mine\nversion: 1.1.0\ntemplate: Hi\n"),
    "an id at the end": ("template: Hi\nid: a", "template: Hi\nid: a\nversion: 1.1.0"),
    "Windows": ("template: Hi\r\nstatus: active\r\n", "version: 1.1.0\r\ntemplate: Hi\r\nstatus: active\r\n"),
    "a byte order mark": ("\ufefftemplate: Hi\n", "\ufeffversion: 1.1.0\ntemplate: Hi\n"),
    "braces": ("{version: 1.0.0, template: Hi}\n", "{version: 1.1.0, template: Hi}\n"),
    "JSON": ('{"version": "1.0.0", "template": "Hi"}\n', '{"version": "1.1.0", "template": "Hi"}\n'),
    "several": (
        "prompts:\n  - id: b\n    template: B\n  - template: Hi\n    id: a\n",
        "prompts:\n  - id: b\n    template: B\n  - template: Hi\n    id: a\n    version: 1.1.0\n",
    ),
    "documents": (
        "id: b\ntemplate: B\n---\nid: a\nversion: 1.0.0\ntemplate: Hi\n",
        "id: b\ntemplate: B\n---\nid: a\nversion: 1.1.0\ntemplate: Hi\n",
    ),
    "the version in a text": (
        "metadata: {description: 'version: 1.0.0'}\ntemplate: 'version: 1.0.0'\n",
        "version: 1.1.0\nmetadata: {description: 'version: 1.0.0'}\ntemplate: 'version: 1.0.0'\n",
    ),
}


@pytest.mark.parametrize("kind", EDITED)
def test_only_the_version_changes_in_a_file(project: Path, result_of: Text, write: Write, kind: str) -> None:
    before, after = EDITED[kind]
    write({"prompts/a.yaml": before})
    assert result_of("bump", "a", "--minor") == "a 1.0.0 → 1.1.0 in prompts/a.yaml\n"
    assert (project / "prompts" / "a.yaml").read_bytes().decode("utf-8") == after
    (found,) = [prompt for prompt in json.loads(result_of("list", "--json")) if prompt["id"] == "a"]
    assert found["version"] == "1.1.0"


def test_a_file_that_cannot_be_changed_in_place_stays(project: Path, failure_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": "{template: Hi}\n", "prompts/b.yaml": "x: &v 1\n"})
    (project / "prompts" / "b.yaml").unlink()
    said = failure_of("bump", "a", "--minor")
    assert said.startswith("cannot change the version of prompt 'a' in its file\n  at prompts/a.yaml:1:")
    assert "hint: write each key of the prompt on its own line" in said
    assert (project / "prompts" / "a.yaml").read_text(encoding="utf-8") == "{template: Hi}\n"


def test_an_alias_is_not_changed_in_another_place() -> None:
    text = b"prompts:\n  - {id: a, version: &v 1.0.0, template: A}\n  - {id: b, version: *v, template: B}\n"
    for prompt_id in ("a", "b"):
        with pytest.raises(PromptManagerError, match="cannot change the version"):
            with_version("x.yaml", text, prompt_id, "1.0.0", "2.0.0", write_id=False)


@pytest.mark.parametrize(("part", "version"), [("--major", "2.0.0"), ("--minor", "1.3.0"), ("--patch", "1.2.4")])
def test_a_part_of_the_version_is_raised(result_of: Text, write: Write, part: str, version: str) -> None:
    write({"prompts/a.yaml": "version: 1.2.3\ntemplate: Hi\n"})
    assert json.loads(result_of("bump", "a", part, "--json")) == {
        "id": "a",
        "from": "1.2.3",
        "version": version,
        "reasons": [],
        "file": "prompts/a.yaml",
    }


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        ("template: Hello {{name}}\n", "a 1.2.3 → 1.2.4 in prompts/a.yaml (the text of the template changed)\n"),
        ("template: Hi {{who}}\n", "a 1.2.3 → 2.0.0 in prompts/a.yaml (variable `name` was removed; "),
        ("template: Hi {{name}}\nsettings: {temperature: 0}\n", "a 1.2.3 → 1.3.0 in prompts/a.yaml (the setting "),
    ],
)
def test_the_change_since_the_last_commit_decides(
    result_of: Text, write: Write, commit: Commit, edited: str, said: str
) -> None:
    write({"prompts/a.yaml": "version: 1.2.3\ntemplate: Hi {{name}}\n"})
    commit()
    write({"prompts/a.yaml": f"version: 1.2.3\n{edited}"})
    assert result_of("bump", "a").startswith(said)


def test_a_prompt_that_did_not_change_is_not_raised(
    failure_of: Text, result_of: Text, write: Write, commit: Commit
) -> None:
    write({"prompts/a.yaml": "version: 1.0.0\ntemplate: Hi\n"})
    assert failure_of("bump", "a") == "cannot read prompts at HEAD: the directory is not in a git repository\n"
    commit(tag="v1")
    assert failure_of("bump", "a").startswith(
        "prompt 'a' has not changed since HEAD, so version 1.0.0 can stay\n  hint: edit it"
    )
    assert failure_of("bump", "a", "--base", "nope") == (
        "cannot read prompts at nope: there is no revision 'nope'\n"
        "  hint: name a commit, a branch or a tag, such as origin/main\n"
    )
    assert failure_of("bump", "a", "--base", "--all").startswith("cannot read prompts at --all: there is no revision")
    write({"prompts/a.yaml": "version: 1.0.0\ntemplate: Hello\n", "prompts/b.yaml": "template: B\n"})
    assert failure_of("bump", "b").startswith("prompt 'b' is new since HEAD, so version 1.0.0 can stay")
    result_of("bump", "a", "--base", "v1")
    assert failure_of("bump", "a").startswith("prompt 'a' is raised already: it has version 1.0.1, and 1.0.0 at HEAD")


def test_a_version_that_a_label_needs_is_kept(
    project: Path, result_of: Text, failure_of: Text, write: Write, commit: Commit
) -> None:
    committed = "# Greets\nversion: 1.0.0\ntemplate: Hi {{name}} # short\n"
    write({"prompts/a.yaml": committed})
    result_of("label", "set", "a", "production", "1.0.0")
    commit()
    write({"prompts/a.yaml": committed.replace("Hi", "Hello")})
    assert failure_of("bump", "a").startswith("the label 'production' points at version 1.0.0, which would be gone\n")
    assert result_of("bump", "a", "--keep") == (
        "a 1.0.0 → 1.0.1 in prompts/a-1.0.1.yaml (the text of the template changed)\n"
    )
    # What was committed stays, and the edit is the new version.
    assert (project / "prompts" / "a.yaml").read_text(encoding="utf-8") == committed
    new = "# Greets\nid: a\nversion: 1.0.1\ntemplate: Hello {{name}} # short\n"
    assert (project / "prompts" / "a-1.0.1.yaml").read_text(encoding="utf-8") == new
    assert result_of("render", "a@production", "--var", "name=Ada") == "Hi Ada"
    assert result_of("render", "a", "--var", "name=Ada") == "Hello Ada"
    # The name of a later copy does not grow.
    assert result_of("bump", "a", "--minor", "--keep") == "a 1.0.1 → 1.1.0 in prompts/a-1.1.0.yaml\n"


@pytest.mark.usefixtures("project")
def test_labels_that_a_person_wrote_are_kept_too(failure_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": "template: Hi\n", "prompts/Labels.YML": "labels: {a: {production: 1.0.0}}\n"})
    assert failure_of("bump", "a", "--minor").startswith("the label 'production' points at version 1.0.0")


@pytest.mark.usefixtures("project")
def test_a_label_in_the_file_does_not_move_unseen(failure_of: Text, result_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": "template: Hi\nlabels: [production]\n"})
    refused = failure_of("bump", "a", "--minor")
    assert refused.startswith("the label 'production' is in prompts/a.yaml, so it would move to version 1.1.0\n")
    assert json.loads(result_of("label", "list", "--json")) == [{"id": "a", "label": "production", "version": "1.0.0"}]


def test_a_part_that_is_too_small_for_the_change_is_a_warning(commit: Commit, run: Any, write: Write) -> None:
    write({"prompts/a.yaml": "template: Hi\n"})
    commit()
    write({"prompts/a.yaml": "template: Hi {{name}}\n"})
    done = run("bump", "a", "--patch")
    assert done.stdout == "a 1.0.0 → 1.0.1 in prompts/a.yaml\n"
    assert done.stderr == (
        "warning: the change since HEAD is major, not patch: variable `name` was added and is required\n"
    )
    write({"prompts/a.yaml": "template: Hi {{name}}\n"})
    assert run("bump", "a", "--major").stderr == ""


WRITTEN = """\
# Owner: marketing
id: a  # never renamed
version: 1.0.0
{labels}# what the model reads
template: "Hi,   {{{{name}}}}"
variables: {{ name: string }}
"""


@pytest.mark.parametrize(
    "labels", ["labels: [production]  # live\n", "labels:\n  - production\n  - beta\n", "labels: [\n  production]\n"]
)
def test_a_copy_has_no_labels_and_every_other_word(labels: str, project: Path, result_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": WRITTEN.format(labels=labels)})
    result_of("bump", "a", "--major", "--keep")
    text = (project / "prompts" / "a-2.0.0.yaml").read_text(encoding="utf-8")
    assert text == WRITTEN.format(labels="").replace("1.0.0", "2.0.0")
    assert {entry["version"] for entry in json.loads(result_of("label", "list", "--json"))} == {"1.0.0"}


def test_labels_on_a_line_with_other_keys_are_left_out_too(project: Path, result_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": "{id: a, labels: [production], template: Hi}\n"})
    result_of("bump", "a", "--major", "--keep")
    text = (project / "prompts" / "a-2.0.0.yaml").read_text(encoding="utf-8")
    assert "labels" not in text
    assert "template: Hi" in text


def test_a_prompt_of_a_file_with_others_is_copied_alone(project: Path, result_of: Text, write: Write) -> None:
    write({"prompts/all.yaml": "prompts:\n  - {id: a, template: Hi}\n  - {id: b, template: B}\n"})
    assert result_of("bump", "a", "--patch", "--keep") == "a 1.0.0 → 1.0.1 in prompts/all-1.0.1.yaml\n"
    text = (project / "prompts" / "all-1.0.1.yaml").read_text(encoding="utf-8")
    assert text == "id: a\nversion: 1.0.1\ntemplate: Hi\n".replace("1.0.1", '"1.0.1"')


def test_a_version_is_not_written_twice(failure_of: Text, write: Write) -> None:
    write({"prompts/a.yaml": "prompts:\n  - {id: a, template: Hi}\n  - {id: a, version: 1.0.1, template: Ho}\n"})
    assert failure_of("bump", "a@1.0.0", "--patch") == "prompt 'a' has version 1.0.1 already\n"


CHANGED_MEANWHILE = """
import sys
from pathlib import Path
from prompt_manager.cli import main, next_version
replace = next_version.replace_file
def edit_and_replace(path, before, after):
    Path(path).write_text("template: Mine\\n")
    replace(path, before, after)
next_version.replace_file = edit_and_replace
sys.argv = ["prompt-manager", "bump", "a", "--patch"]
sys.exit(main())
"""

INTERRUPTED = """
import os, signal, sys
from prompt_manager.cli import main, next_version
replace = next_version.replace_file
def interrupt_and_replace(path, before, after):
    os.kill(os.getpid(), signal.SIGINT)
    replace(path, before, after)
next_version.replace_file = interrupt_and_replace
sys.argv = ["prompt-manager", "bump", "a", "--patch"]
sys.exit(main())
"""


def test_a_file_that_changes_meanwhile_is_not_overwritten(project: Path, write: Write) -> None:
    write({"prompts/a.yaml": "template: Hi\n"})
    done = subprocess.run(
        [sys.executable, "-c", CHANGED_MEANWHILE], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "prompts/a.yaml: it has changed since it was read" in done.stderr
    assert (project / "prompts" / "a.yaml").read_text(encoding="utf-8") == "template: Mine\n"
    assert os.listdir(project / "prompts") == ["a.yaml"]  # noqa: PTH208 - hidden files too


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
def test_an_interrupt_leaves_a_whole_file(project: Path, write: Write) -> None:
    write({"prompts/a.yaml": "template: Hi\n"})
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, b"")
    assert (project / "prompts" / "a.yaml").read_text(encoding="utf-8") == "version: 1.0.1\ntemplate: Hi\n"


def test_two_parts_are_wrong_usage(failure_of: Text, write: Write, commit: Commit) -> None:
    write({"prompts/a.yaml": "version: 1.0.0\ntemplate: Hi\n"})
    commit()
    assert failure_of("bump", "a", "--minor", "--major", status=2).startswith(
        "--major and --minor cannot be used together\n"
    )
