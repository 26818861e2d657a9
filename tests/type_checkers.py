"""Runs mypy and pyright over programs, as a user of the package does."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CHECKERS", "checked", "write_settings"]

#: The module of each checker, and its options.
CHECKERS = {
    "mypy": ("mypy", "--python-executable", sys.executable),
    "pyright": ("basedpyright", "--pythonpath", sys.executable),
}


def write_settings(folder: Path, *sources: str) -> None:
    """Write the settings of both checkers: strict for mypy, and for pyright what it does without settings.

    The package is taken from this repository, and ``sources`` are folders of modules beside it.
    """
    paths = [str(ROOT / "python"), *sources]
    (folder / "mypy.ini").write_text(f"[mypy]\nstrict = True\nmypy_path = {os.pathsep.join(paths)}\n", encoding="utf-8")
    # basedpyright's `standard` is pyright's default.
    settings = {"typeCheckingMode": "standard", "extraPaths": paths, "reportMissingModuleSource": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")


def checked(folder: Path, checker: str, *files: str, status: int = 0) -> str:
    """Run a checker over files of a folder, or over all of it, and return what it finds."""
    module, *options = CHECKERS[checker]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: `make type-check` runs this test")
    done = subprocess.run(
        [sys.executable, "-m", module, *options, *files],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=900,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout
