"""The prompt and schema files of ``tests/data/yaml``, loaded from a directory."""

from __future__ import annotations

import json
import warnings

import pytest

from helpers import DATA
from prompt_manager import PromptManager
from prompt_manager.core.models import Prompt
from prompt_manager.exceptions import StorageReadError


def table(name):
    """Read the cases of a table: a name, the expected lines, and the text of a file."""
    found = []
    for case in (DATA / "yaml" / name).read_text(encoding="utf-8").split("@@ ")[1:]:
        title, *lines = case.splitlines(keepends=True)
        expected = []
        while lines and lines[0].startswith("@ "):
            expected.append(lines.pop(0).removeprefix("@ ").rstrip("\n"))
        text = "".join(lines).removesuffix("<no line break>\n")
        found.append(pytest.param(text, expected, id=title.strip()))
    return found


def lines_of(error):
    lines = [f"{error.context['line']}:{error.context['column']} {error.message}"]
    return [*lines, f"hint {error.context['hint']}"] if error.context.get("hint") else lines


def write(folder, text):
    folder.mkdir()
    (folder / "f.yaml").write_bytes(text.encode())
    return folder


@pytest.mark.parametrize(("text", "expected"), table("bad.txt"))
def test_a_bad_prompt_file_reports_every_error_and_hint(tmp_path, text, expected):
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(write(tmp_path / "prompts", text))
    assert [line for error in caught.value.errors for line in lines_of(error)] == expected


@pytest.mark.parametrize(("text", "expected"), table("bad_schemas.txt"))
def test_a_bad_schema_file_reports_every_error_and_hint(tmp_path, text, expected):
    prompts = write(tmp_path / "prompts", "id: a\nformat: text\ntemplate: x\n")
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(prompts, schema_dir=write(tmp_path / "schemas", text))
    assert [line for error in caught.value.errors for line in lines_of(error)] == expected


@pytest.mark.parametrize(("text", "expected"), table("good.txt"))
def test_a_good_file_loads_the_expected_prompts(tmp_path, text, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the short prompts of the tables use undeclared variables
        manager = PromptManager.from_directory_sync(write(tmp_path / "prompts", text))
    for line in expected:
        meant = json.loads(line)
        found = manager.get_prompt_sync(meant["id"], meant["version"])
        given = {"uid": found.uid, "created_at": found.created_at, "updated_at": found.updated_at, **meant}
        assert found == Prompt.model_validate(given)
    assert len(manager.list_prompts_sync()) == len({json.loads(line)["id"] for line in expected})
