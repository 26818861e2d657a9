"""Paths as messages show them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["shown_path"]


def shown_path(path: Path) -> Path:
    """The path, relative to the working directory if it is below it."""
    current = Path.cwd()
    return path.relative_to(current) if path.is_relative_to(current) else path
