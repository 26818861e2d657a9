"""The files and programs of docs/typed-prompts.md work as the page has them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers import ROOT, write_titled_blocks

PAGE = (ROOT / "docs" / "typed-prompts.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path):
    write_titled_blocks(PAGE, tmp_path)
    return tmp_path


def run(project, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_and_programs_of_the_page_work(project):
    assert run(project, "-m", "prompt_manager", "stubs", "-o", "typed_prompts.py") == "typed_prompts.py written\n"
    assert run(project, "app.py") == "Hello Ada! \ngpt-5 billing\n"
    assert run(project, "values.py") == ""
    assert run(project, "-m", "prompt_manager", "stubs", "-o", "typed_prompts.py", "--check") == ""
