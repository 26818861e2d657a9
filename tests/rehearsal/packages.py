"""Builds the sdist, and the wheels from it. ``make build`` calls it.

    python tests/rehearsal/packages.py [--profile PROFILE] [--out FOLDER]

The wheels are built from the unpacked sdist, so that a file that the sdist lacks is noticed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["build", "tool", "unpack"]

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()

#: The arguments of maturin for the wheel that fits every Python. `pip` takes it where there is none for the version.
STABLE_ABI = ["--features", "abi3"]


def tool(name: str) -> Path:
    """Return the path of a program in the environment that runs this one."""
    return Path(sys.executable).parent / name


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist into a folder, and return the one folder in it.

    All files in an sdist have the same old time. They get the time of now, because cargo compiles what is newer than
    its last build.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    for path in folder.rglob("*"):
        os.utime(path)
    (crate,) = folder.iterdir()
    return crate


def seed(profile: str, target: Path) -> None:
    """Lend a new target folder the compiled dependencies of the usual one.

    The crate needs a target folder of its own. Cargo tells two copies of a crate apart by their path within the
    workspace, so in a shared folder it would take the build of one for that of the other.
    """
    name = "debug" if profile == "dev" else profile
    source = TARGET / name
    if source.exists() and not (target / name).exists():
        ignored = shutil.ignore_patterns("incremental", ".cargo-lock", "prompt-manager-*", "*prompt_manager*")
        shutil.copytree(source, target / name, symlinks=True, copy_function=link, ignore=ignored)


def link(source: str, target: str) -> None:
    """Link a file, which cargo replaces and never changes."""
    os.link(source, target, follow_symlinks=False)


def build(profile: str, out: Path, pythons: Iterable[Path] = ()) -> list[Path]:
    """Build the sdist and the wheels into a folder, and return their paths: the sdist first.

    There is one wheel for every Python, and one for the version of each in ``pythons``.
    """
    shutil.rmtree(out, ignore_errors=True)
    maturin = tool("maturin")
    subprocess.run([maturin, "sdist", "--out", out], cwd=ROOT, check=True)
    (sdist,) = out.glob("*.tar.gz")
    # One path for every run, so that cargo finds what it compiled before.
    crate = unpack(sdist, TARGET / "rehearsal" / "sdist")
    target = TARGET / "rehearsal" / "target"
    seed(profile, target)
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    for arguments in [STABLE_ABI, *(["--interpreter", str(python)] for python in pythons)]:
        command = [maturin, "build", "--locked", "--profile", profile, "--out", out, *arguments]
        subprocess.run(command, cwd=crate, env=environment, check=True)
    return [sdist, *sorted(out.glob("*.whl"))]


def main() -> None:
    """Build, and print the files."""
    parser = argparse.ArgumentParser(description="Build the sdist, and the wheels from it.")
    parser.add_argument("--profile", default="release", help="cargo's profile (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the files (default: dist)")
    options = parser.parse_args()
    for path in build(options.profile, options.out.resolve(), [Path(sys.executable)]):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
