"""The programs in the documentation run."""

from __future__ import annotations

import re

import pytest

from helpers import ROOT

PROGRAMS = [
    pytest.param(program, id=f"{document.name} {number}")
    for document in sorted((ROOT / "docs").glob("*.md"))
    for number, program in enumerate(
        re.findall(r"^```python\n(.*?)^```$", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL), 1
    )
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_document_s_program_runs_as_printed(program):
    exec(compile(program, "<document>", "exec", dont_inherit=True), {"__name__": "document"})  # noqa: S102 - the document's own


def test_the_documents_contain_programs():
    assert PROGRAMS
