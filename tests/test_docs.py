"""The programs in the documentation run."""

from __future__ import annotations

import json
import math
import re

import pytest

from helpers import ROOT
from prompt_manager import TemplateEngine
from prompt_manager.observability import enable_native_logging
from prompt_manager.testing.yaml_file import parse

BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", flags=re.MULTILINE | re.DOTALL)
#: Each program, with the output that is shown directly after it.
PROGRAMS = [
    pytest.param(program, shown, id=f"{document.name} {number}")
    for document in sorted((ROOT / "docs").glob("*.md"))
    for number, (program, shown) in enumerate(BLOCK.findall(document.read_text(encoding="utf-8")), 1)
]


@pytest.fixture(autouse=True)
def quiet():
    """Turn off the core's log, which one of the programs turns on for the process."""
    yield
    enable_native_logging(None)


@pytest.mark.parametrize(("program", "shown"), PROGRAMS)
def test_each_document_s_program_runs_and_prints_what_is_shown(program, shown, capsys):
    exec(compile(program, "<document>", "exec", dont_inherit=True), {"__name__": "document"})  # noqa: S102 - the document's own
    if shown and "print(" in program:
        assert capsys.readouterr().out == shown


def test_the_documents_contain_programs():
    assert PROGRAMS


LANGUAGE = (ROOT / "docs" / "handlebars.md").read_text(encoding="utf-8").partition("## The language in a page")[2]
#: The template and the result of each row of the table.
ROWS = re.findall(r"^\| [^|]+ \| `(.+?)` \| `(.+?)` \|$", LANGUAGE.partition("\n\n## ")[0], flags=re.MULTILINE)


def block(language):
    return re.search(rf"^```{language}[^\n]*\n(.*?)^```$", LANGUAGE, flags=re.MULTILINE | re.DOTALL)[1]


VALUES = json.loads(block("json"))


@pytest.mark.parametrize(("template", "result"), ROWS)
def test_the_language_is_as_the_table_shows_it(template, result):
    assert TemplateEngine().render_sync(template, VALUES) == result


def test_lines_with_tags_alone_are_as_shown():
    prompt = parse("prompt", block("yaml").encode()).plain()
    assert TemplateEngine().render_sync(prompt["template"], VALUES) == block("text")
    assert len(ROWS) > 15


def test_the_default_limits_are_as_documented():
    source = (ROOT / "src" / "limits.rs").read_text(encoding="utf-8").partition("impl Default for Limits")[2]
    defaults = {
        name: math.prod(int(part.replace("_", "")) for part in value.split(" * "))
        for name, value in re.findall(r"^ +(\w+): ([\d_* ]+),$", source.partition("\n}\n")[0], flags=re.MULTILINE)
    }
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d,]+) \|$", page, flags=re.MULTILINE)
    assert {name: int(value.replace(",", "")) for name, value in shown} == defaults
