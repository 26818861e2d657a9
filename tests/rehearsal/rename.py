"""Gives the distribution another name, for an index that refuses the present one.

    python tests/rehearsal/rename.py NEW-NAME

``name`` in ``pyproject.toml`` is the name; the wheel and the install commands in error messages follow it. In
documents, workflows and examples it is replaced where an installer reads it. The names of the import and of the command
stay.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

__all__ = ["main", "renamed"]

ROOT = Path(__file__).resolve().parents[2]
#: Where the name is shown. The changelog is history, and tests ask the package for its name.
PLACES = ("README.md", "RELEASING.md", "action.yml", ".github", "docs", "examples", "python")
SUFFIXES = {".md", ".py", ".txt", ".yml"}
#: A valid name, by the specification of names of distributions.
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with another name in commands and messages of pip, in requirements and in addresses of indexes."""
    name = rf"(?<![\w.-]){re.escape(old)}(?![\w-])"
    before = r"(?<=requirement )|(?<=distribution found for )|(?<=pypi\.org/project/)|(?<=dependencies = \[\")"
    text = re.sub(rf"(?:{before}){name}|{name}(?=\[|==)", new, text)
    commands = r"\bpip (?:install|download) [^`\n]*"
    return re.sub(commands, lambda command: re.sub(name, new, command[0]), text)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Change all files."""
    if len(arguments) != 1 or not NAME.fullmatch(arguments[0]):
        print("usage: rename.py NEW-NAME, of letters, digits, '-', '_' and '.'", file=sys.stderr)
        return 2
    (new,) = arguments
    path = root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    old = tomllib.loads(text)["project"]["name"]
    path.write_text(text.replace(f'\nname = "{old}"\n', f'\nname = "{new}"\n', 1), encoding="utf-8")
    for place in (root / name for name in PLACES):
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.suffix in SUFFIXES:
                text = path.read_text(encoding="utf-8")
                path.write_text(renamed(text, old, new), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
