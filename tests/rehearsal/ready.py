"""Checks that a tag can be released, and prints the notes of the release: its section of CHANGELOG.md.

    python tests/rehearsal/ready.py vX.Y.Z

The version of the tag must be that of ``Cargo.toml``, the changelog must have a dated section for it, and the README
must not have links that work only inside the repository. ``publish.yml`` runs it before it builds anything.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from repository import relative_links

__all__ = ["main", "notes", "problems"]

ROOT = Path(__file__).resolve().parents[2]


def notes(changelog: str, version: str) -> str | None:
    """Return the text of a version's section, or None if there is no such section with a date."""
    found = re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else None


def problems(tag: str, version: str, changelog: str, readme: str) -> list[str]:
    """Return what stops a release."""
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, but the version in Cargo.toml is {version}: it needs the tag v{version}")
    if not notes(changelog, version):
        found.append(f"CHANGELOG.md needs entries under a heading `## [{version}] - YYYY-MM-DD`")
    if relative_links(readme):
        found.append("README.md has relative links: run tests/rehearsal/repository.py with the repository's address")
    return found


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the notes, or what stops the release."""
    if len(arguments) != 1:
        print("usage: ready.py vX.Y.Z", file=sys.stderr)
        return 2
    version = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    found = problems(arguments[0], version, changelog, (root / "README.md").read_text(encoding="utf-8"))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    if not found:
        print(notes(changelog, version))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
