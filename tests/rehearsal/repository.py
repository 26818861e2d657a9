"""Writes the repository's address into ``pyproject.toml``, and makes the relative links of the README absolute.

    python tests/rehearsal/repository.py https://github.com/OWNER/NAME

PyPI shows both. A maintainer runs it once, before the first release. Running it again with another address replaces the
first.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["main", "relative_links", "with_address", "with_links"]

ROOT = Path(__file__).resolve().parents[2]
RELATIVE = re.compile(r"\]\((?![a-z]+:|#)([^)]+)\)")
URLS = re.compile(r'\[project\.urls\]\nRepository = "(.*)"\nChangelog = ".*"\n\n')


def relative_links(readme: str) -> list[str]:
    """Return the targets of the README that only work inside the repository."""
    return RELATIVE.findall(readme)


def with_links(readme: str, address: str, old: str | None = None) -> str:
    """Return the README with links to an address, in place of relative links and of those to an old address."""
    text = readme.replace(f"]({old}/blob/main/", "](") if old else readme
    return RELATIVE.sub(lambda found: f"]({address}/blob/main/{found[1]})", text)


def with_address(pyproject: str, address: str) -> str:
    """Return ``pyproject.toml`` with the address as the project's URLs."""
    urls = f'[project.urls]\nRepository = "{address}"\nChangelog = "{address}/blob/main/CHANGELOG.md"\n\n'
    text = URLS.sub("", pyproject)
    return text.replace("[project.scripts]\n", f"{urls}[project.scripts]\n", 1)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Change both files."""
    if len(arguments) != 1 or not re.fullmatch(r"https://[^/\s\"]+/[^/\s\"]+/[^/\s\"]+", arguments[0]):
        print("usage: repository.py https://github.com/OWNER/NAME", file=sys.stderr)
        return 2
    pyproject, readme = root / "pyproject.toml", root / "README.md"
    text = pyproject.read_text(encoding="utf-8")
    old = URLS.search(text)
    shown = with_links(readme.read_text(encoding="utf-8"), arguments[0], old[1] if old else None)
    readme.write_text(shown, encoding="utf-8")
    pyproject.write_text(with_address(text, arguments[0]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
