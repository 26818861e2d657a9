"""Tags in prompt files: those of YAML itself mean what YAML says, and any other is an error."""

from pathlib import Path

import pytest

from prompt_manager import PromptManager
from prompt_manager.exceptions import StorageReadError


def test_a_tag_of_another_program_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "id: a\n"
        "format: !Title text\n"
        "template: !!python/object/apply:os.system echo\n"
        "metadata: !include\n"
        "  custom:\n"
        "    token: !env TOKEN\n"
        "    size:   !int 5\n"
    )
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(tmp_path)
    found = [(error.line, error.column, error.message.split("`")[1]) for error in caught.value.errors]
    assert found == [
        (2, 9, "!Title"),
        (3, 11, "!!python/object/apply:os.system"),
        (4, 11, "!include"),
        (6, 12, "!env"),
        (7, 13, "!int"),
    ]


def test_the_tags_of_yaml_set_the_type(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "template: !!str 1\n"
        "metadata: !!map\n"
        "  tags: !!seq [!!str 2, ! x]\n"
        '  custom: {a: !!int "5", b: !!str true, c: !!float 1, d: !!map {f: 1}, e: !<tag:yaml.org,2002:str> no}\n'
    )
    prompt = PromptManager.from_directory_sync(tmp_path).get_prompt_sync("a")
    assert prompt.template is not None
    assert prompt.template.content == "1"
    assert prompt.metadata.tags == ("2", "x")
    assert dict(prompt.metadata.custom) == {"a": 5, "b": "true", "c": 1.0, "d": {"f": 1}, "e": "no"}
