"""The names that the API reference must show: what its pages name after ``:::``, and the public names of modules."""

from __future__ import annotations

import re
from pkgutil import resolve_name
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["documented_names", "missing_names"]


def documented_names(pages: Path) -> list[str]:
    """Return the names that the pages of a folder are about."""
    names: list[str] = []
    for page in sorted(pages.glob("*.md")):
        for target in re.findall(r"^::: ([\w.]+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
            found = resolve_name(target)
            names += [f"{target}.{name}" for name in found.__all__] if isinstance(found, ModuleType) else [target]
    return names


def missing_names(pages: Path, site: Path) -> list[str]:
    """Return those that the built pages do not show, because they have no docstring."""
    built = (page.read_text(encoding="utf-8") for page in site.rglob("index.html"))
    shown = {name for page in built for name in re.findall(r' id="([\w.]+)"', page)}
    return [name for name in documented_names(pages) if name not in shown]
