"""Checks what is in the sdist and in a wheel: all that is needed, and nothing else."""

from __future__ import annotations

import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

from packages import ROOT, tool

__all__ = ["check"]

#: The metadata of a wheel. maturin writes the SBOM of the crates that the extension contains.
METADATA = re.compile(
    r"prompt_manager-[^/]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE|sboms/[^/]+)"
)
EXTENSION = re.compile(r"prompt_manager/_native\.[\w.-]*(so|pyd)")
#: What cargo needs besides the sources, what pip needs, and what the page on the index shows.
SDIST = {"Cargo.toml", "Cargo.lock", "build.rs", "pyproject.toml", "PKG-INFO", "LICENSE", "README.md"}


def package() -> set[str]:
    """Return the files of the package, as paths in a wheel."""
    source = ROOT / "python"
    return {
        path.relative_to(source).as_posix()
        for path in (source / "prompt_manager").rglob("*")
        if path.suffix in {".py", ".pyi", ".json"} or path.name == "py.typed"
    }


def compare(name: str, needed: set[str], found: set[str]) -> None:
    """Stop if a file is missing, or if one is there that does not belong there."""
    if missing := needed - found:
        raise SystemExit(f"{name} lacks {sorted(missing)}")
    if surplus := found - needed:
        raise SystemExit(f"{name} has files that do not belong there: {sorted(surplus)}")


def check_wheel(wheel: Path) -> int:
    """Check the files of a wheel, and return their number."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    extensions = {name for name in names if EXTENSION.fullmatch(name)}
    metadata = {name for name in names if METADATA.fullmatch(name)}
    for kind, files in {
        "extension": extensions,
        "license": {name for name in metadata if name.endswith("licenses/LICENSE")},
        "SBOM": {name for name in metadata if "/sboms/" in name},
    }.items():
        if len(files) != 1:
            raise SystemExit(f"{wheel.name} has {len(files)} files of the kind {kind}, not one: {sorted(files)}")
    compare(wheel.name, package() | extensions | metadata, names)
    return len(names)


def check_sdist(sdist: Path) -> int:
    """Check the files of the sdist, and return their number."""
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    for member in members:
        if not (member.isfile() or member.isdir()):
            raise SystemExit(f"{sdist.name} has {member.name}, which is not a regular file")
    names = {Path(*Path(member.name).parts[1:]).as_posix() for member in members if member.isfile()}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    python = {f"python/{name}" for name in package()}
    compare(sdist.name, sources | python | SDIST, names)
    return len(names)


def check(files: list[Path]) -> None:
    """Check the files, and run the tools that know what an index and other machines accept."""
    sdist, *wheels = files
    print(f"{sdist.name}: {check_sdist(sdist)} files")
    for wheel in wheels:
        print(f"{wheel.name}: {check_wheel(wheel)} files")
    subprocess.run([tool("twine"), "check", "--strict", *files], check=True)
    # The package has the extension, so that each wheel holds the same Python files as the others.
    subprocess.run([tool("check-wheel-contents"), *wheels], check=True)
    for wheel in wheels:
        if "-abi3-" in wheel.name:
            subprocess.run([tool("abi3audit"), "--strict", wheel], check=True)
