"""Finds the interpreters on this machine that the package supports."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["OLDEST", "interpreters", "versions"]

OLDEST = (3, 11)

PROBE = "import sys; print(*sys.version_info[:2], sys.implementation.name)"


def candidates() -> list[Path]:
    """Return the interpreters of pyenv, or those on the path."""
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = Path(subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip())
        if found := sorted(root.glob("versions/*/bin/python")):
            return found
    names = [f"python3.{minor}" for minor in range(OLDEST[1] - 1, 20)]
    return [Path(found) for name in names if (found := shutil.which(name))] or [Path(sys.executable)]


def versions() -> dict[tuple[int, int], Path]:
    """Return one CPython for each version that is installed, the oldest version first."""
    found: dict[tuple[int, int], Path] = {}
    for path in candidates():
        probe = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
        if probe.returncode:
            continue
        major, minor, implementation = probe.stdout.split()
        if implementation == "cpython":
            found[int(major), int(minor)] = path
    return dict(sorted(found.items()))


def interpreters() -> dict[str, Path]:
    """Return one interpreter for each version that the package supports, the oldest first."""
    return {f"{major}.{minor}": path for (major, minor), path in versions().items() if (major, minor) >= OLDEST}
