"""Says on a terminal what takes long. In a file or a pipe, nothing is written."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["count_rows", "progress"]

#: The seconds before anything is said.
DELAY = 0.5


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Write a text to the terminal while the block runs, if it runs for longer than a moment. The text is removed."""
    if not sys.stderr.isatty():
        yield
        return
    from threading import Event, Thread

    done = Event()

    def show() -> None:
        if not done.wait(DELAY):
            sys.stderr.write(f"{text} ...")
            sys.stderr.flush()
            done.wait()
            # The line becomes empty, also where a terminal knows no escape sequences.
            sys.stderr.write("\r" + " " * (len(text) + 4) + "\r")
            sys.stderr.flush()

    thread = Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def count_rows(total: int | None) -> Iterator[Callable[[int], None]]:
    """A function that writes the number of rows that are done to the terminal. The text is removed at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    width = 0

    def show(done: int) -> None:
        nonlocal width
        text = f"{done:,} rows" if total is None else f"{done:,} of {total:,} rows ({done * 100 // max(total, 1)} %)"
        width = max(width, len(text))
        sys.stderr.write(f"\r{text:<{width}}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r" + " " * width + "\r")
        sys.stderr.flush()
