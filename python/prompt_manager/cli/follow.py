"""Runs a command again when a file of the prompts changes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["run_on_change"]

#: The seconds between two looks at the files.
_INTERVAL = 0.3


def run_on_change(roots: Iterable[Path], run: Callable[[], object]) -> None:
    """Run a function now, and again whenever a file below these paths has changed. It ends with Ctrl-C."""
    roots = list(roots)
    known = None
    while True:
        now = _stamps(roots)
        if now != known:
            known = now
            run()
        time.sleep(_INTERVAL)


def _stamps(roots: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """The time and the size of each file."""
    from prompt_manager._native import file_kind

    stamps: dict[str, tuple[int, int]] = {}
    for root in roots:
        if root.is_dir():
            for directory, _, names in os.walk(root, followlinks=True):
                for name in names:
                    if file_kind(name) is not None:
                        _add(stamps, os.path.join(directory, name))  # noqa: PTH118 - a path object for each file is slow
        else:
            _add(stamps, str(root))
    return stamps


def _add(stamps: dict[str, tuple[int, int]], path: str) -> None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return
    stamps[path] = (found.st_mtime_ns, found.st_size)
