"""The programs in the documentation run."""

from __future__ import annotations

import re

import pytest

from helpers import ROOT
from prompt_manager.observability import enable_native_logging

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
