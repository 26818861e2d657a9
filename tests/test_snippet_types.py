"""The programs of the README and of the documentation pass ``mypy --strict`` and pyright, as a user checks them."""

from __future__ import annotations

import re

import pytest

from helpers import ROOT, write_titled_blocks
from prompt_manager import PromptManager
from prompt_manager.stubs import typed_module
from type_checkers import checked, write_settings

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = re.compile(r"^```python(?: title=\"([^\"]+)\")?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A directory with the settings of both checkers and each program, under its title or the name of its document."""
    folder = tmp_path_factory.mktemp("programs")
    for document in DOCUMENTS:
        name = document.stem.lower().replace("-", "_")
        for number, (title, program) in enumerate(PROGRAM.findall(document.read_text(encoding="utf-8")), 1):
            path = folder / (title or f"{name}_{number}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(program, encoding="utf-8")
    (folder / "typed_prompts.py").write_text(typed_module(documented_prompts(folder)), encoding="utf-8")
    write_settings(folder, "src")
    return folder


def documented_prompts(folder):
    """The prompts whose typed module the programs of docs/typed-prompts.md import."""
    text = (ROOT / "docs" / "typed-prompts.md").read_text(encoding="utf-8")
    write_titled_blocks(text, folder, language="yaml")
    return PromptManager.from_directory_sync(folder / "prompts")


def test_the_programs_pass_mypy_strict(programs):
    names = sorted(str(path.relative_to(programs)) for path in programs.rglob("*.py"))
    assert len(names) > 40
    checked(programs, "mypy", *names)


def test_the_programs_pass_pyright(programs):
    checked(programs, "pyright")
