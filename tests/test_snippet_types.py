"""The programs of the README and of the documentation pass ``mypy --strict`` and pyright, as a user checks them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest

from helpers import ROOT

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
    source = str(ROOT / "python")
    (folder / "mypy.ini").write_text(f"[mypy]\nstrict = True\nmypy_path = {source}:src\n", encoding="utf-8")
    # basedpyright's `standard` is pyright's default.
    settings = {"typeCheckingMode": "standard", "extraPaths": [source, "src"], "reportMissingModuleSource": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def check(folder, module, *arguments):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: `make type-check` runs this test")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_programs_pass_mypy_strict(programs):
    names = sorted(str(path.relative_to(programs)) for path in programs.rglob("*.py"))
    assert len(names) > 40
    check(programs, "mypy", "--python-executable", sys.executable, *names)


def test_the_programs_pass_pyright(programs):
    check(programs, "basedpyright", "--pythonpath", sys.executable)
