"""The programs of the README run in an empty directory and print what is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
#: Each program, with the output that is shown directly after it.
PROGRAMS = [
    pytest.param(text, BLOCKS[index + 1], id=f"program {index}")
    for index, (language, text) in enumerate(BLOCKS)
    if language == "python"
]


def run(command: list[str], folder: Path, **options: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder. Relative entries of PYTHONPATH keep their meaning."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in entries if entry)}  # noqa: PTH100
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(("program", "after"), PROGRAMS)
def test_a_program_prints_what_is_shown(program, after, tmp_path):
    language, shown = after
    assert language == "text", "each program is followed by its output"
    done = run([sys.executable, "-X", "utf8", "-W", "error", "-"], tmp_path, input=program)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


def test_the_programs_run_one_after_the_other_in_one_directory(tmp_path):
    """A reader types one after the other, and then the commands, which use what the first program wrote."""
    pytest.importorskip("rich")
    for program, (_, shown) in (case.values for case in PROGRAMS):
        assert run([sys.executable, "-X", "utf8", "-"], tmp_path, input=program).stdout == shown
    check_session(tmp_path)


def test_the_first_program_writes_the_file_that_is_shown():
    (file,) = [text for language, text in BLOCKS if language == "yaml"]
    (path, content) = file.split("\n", 1)
    first = PROGRAMS[0].values[0]
    assert f'Path("{path.removeprefix("# ")}").write_text({content!r})' in first


def test_the_first_program_is_short():
    statements = [line for line in PROGRAMS[0].values[0].splitlines() if line.strip() and "import" not in line]
    assert len(statements) <= 5


def test_the_command_line_prints_what_is_shown(tmp_path):
    pytest.importorskip("rich")
    run([sys.executable, "-"], tmp_path, input=PROGRAMS[0].values[0])
    check_session(tmp_path)


def check_session(folder):
    """Run the commands of the README in a folder, and compare their output."""
    (session,) = [text for language, text in BLOCKS if language == "console"]
    for line, shown in re.findall(r"^\$ prompt-manager (.*)\n((?:[^$].*\n)*)", session, flags=re.MULTILINE):
        done = run([sys.executable, "-m", "prompt_manager", *line.split()], folder)
        assert done.returncode == 0, done.stderr
        assert not shown or done.stdout.strip() == shown.strip()


def test_the_install_lines_name_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"prompt-manager\[(\w+)\]", README)
    assert {"openai", "cli", "all"} <= set(named) <= set(extras)
    listed = README.partition("The extras are ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(extras)


def test_the_measured_figures_come_from_the_document():
    """Each row shows the figures of a row of ``docs/performance.md``, rounded."""
    document = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    (day,) = re.findall(r"Measured on ([\d-]+) with CPython", README)
    section = document.split(f"Measured on {day}:", 1)[1].split("Compiling (G)", 1)[0]
    measured = [
        tuple(float(cell.replace(",", "")) for cell in (row[2], row[4], row[7], row[10], row[8], row[9]))
        for row in (line.strip("|").split("|") for line in section.splitlines() if re.match(r"\| [A-I]\d? ", line))
    ]
    rows = re.findall(r"^\| .* \| ([\d.]+) µs \| (.*) \|$", README, flags=re.MULTILINE)
    assert rows
    for microseconds, others in rows:
        shown = [float(microseconds), *(float(cell) for cell in others.split("|"))]
        assert any(
            shown == pytest.approx([row[0] / 1000, 1 / row[1], *row[2:]], rel=0.06, abs=0.051) for row in measured
        ), shown


def test_every_linked_file_exists():
    """The links are absolute once the address of the repository is known: ``tests/rehearsal/repository.py``."""
    targets = re.findall(r"\]\((?:https://[^)]+/blob/main/)?([^)#:]+)\)", README)
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target
