"""Directories of prompts in ``tests/data/checks``: correct ones, and one for each fault."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from jsonschema import Draft4Validator, FormatChecker

from helpers import ROOT
from prompt_manager.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

DATA = ROOT / "tests" / "data" / "checks"


@dataclass
class Case:
    """A directory: its name, its files, the options of the check and the findings that are expected."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    #: The files as they should be after ``--fix``.
    fixed: dict[str, bytes] = field(default_factory=dict)


#: How a file is written, by what follows `!` after its path.
ENCODINGS = {
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "latin1": lambda text: text.encode("latin-1"),
    "open": lambda text: text.rstrip("\n").encode(),
    "": str.encode,
}


def cases(name: str) -> list[Case]:
    """Read a table: lines `@@ NAME`, `@ CODE PLACE`, `@ OPTIONS`, and `@ PATH` above the text of a file."""
    found = []
    for block in re.split(r"^@@ ", (DATA / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        case = Case(title)
        for part in re.split(r"^@ ", rest, flags=re.MULTILINE)[1:]:
            head, _, text = part.partition("\n")
            if head.startswith("--"):
                case.options += head.split()
            elif re.match(r"PM\d+ ", head):
                case.expected.append(head)
            else:
                path, _, encoding = head.partition("!")
                files = case.fixed if path.startswith("= ") else case.files
                files[path.removeprefix("= ")] = ENCODINGS[encoding](text)
        found.append(case)
    return found


CORRECT, FAULTS, FIXES = cases("correct.txt"), cases("faults.txt"), cases("fixes.txt")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return tmp_path


def write(case: Case, project: Path) -> None:
    for path, content in case.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(content)


def findings(case: Case, project: Path) -> list[str]:
    write(case, project)
    result = CliRunner().invoke(app, ["check", "--json", *case.options])
    found = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1 if found else 0, "")
    return [f"{each['code']} {each['file']}:{each['line']}:{each['column']}" for each in found]


def test_there_are_a_hundred_correct_directories():
    assert len({case.name for case in CORRECT}) >= 100


@pytest.mark.parametrize("case", CORRECT, ids=lambda case: case.name)
def test_a_correct_directory_has_no_finding(case, project):
    assert findings(case, project) == []


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_fault_is_found_and_nothing_beside_it(case, project):
    assert sorted(findings(case, project)) == sorted(case.expected)


@pytest.fixture(scope="module")
def sarif() -> Draft4Validator:
    """The schema of SARIF 2.1.0, as the package ``@microsoft/jest-sarif`` 1.0.0-beta.0 of npm has it (MIT license)."""
    path = ROOT / "tests" / "data" / "sarif-2.1.0-rtm.5.json"
    return Draft4Validator(json.loads(path.read_text(encoding="utf-8")), format_checker=FormatChecker())


@pytest.mark.parametrize("case", [CORRECT[0], *FAULTS], ids=lambda case: case.name)
def test_the_sarif_format_fits_its_schema(case, project, sarif):
    write(case, project)
    log = json.loads(CliRunner().invoke(app, ["check", "--format", "sarif", *case.options]).stdout)
    assert [error.message for error in sarif.iter_errors(log)] == []
    (run,) = log["runs"]
    assert len(run["results"]) == len(case.expected)


def test_the_schema_of_sarif_refuses_other_keys(sarif):
    assert not sarif.is_valid({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a", "nmae": "b"}}}]})


@pytest.mark.parametrize("case", FIXES, ids=lambda case: case.name)
def test_a_fix_changes_what_is_wrong_and_nothing_else(case, project):
    findings(case, project)
    CliRunner().invoke(app, ["check", "--fix"])
    assert {path: (project / path).read_bytes().decode() for path in case.files} == {
        path: content.decode() for path, content in case.fixed.items()
    }


@pytest.mark.parametrize("case", [*CORRECT, *FAULTS], ids=lambda case: case.name)
def test_a_fix_never_makes_more_findings(case, project):
    before = findings(case, project)
    CliRunner().invoke(app, ["check", "--fix"])
    assert len(findings(Case(case.name, {}, case.options), project)) <= len(before)


def test_every_rule_has_a_fault():
    from prompt_manager._native import rules

    # They need a file that cannot be read, a repository and a pipe, and have tests of their own.
    elsewhere = {"PM001", "PM027", "PM029"}
    assert {place.split()[0] for case in FAULTS for place in case.expected} == {
        code for code, *_ in rules()
    } - elsewhere
