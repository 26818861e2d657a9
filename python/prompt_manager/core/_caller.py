"""Finds the line that called the package, for warnings."""

from __future__ import annotations

import sys

__all__ = ["stack_level"]


def stack_level() -> int:
    """Count the frames from the function that calls this one to the caller of the package, for ``warnings.warn``."""
    levels, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("prompt_manager.") and frame.f_back is not None:
        levels, frame = levels + 1, frame.f_back
    return levels
