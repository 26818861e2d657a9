"""Writes several new files: all of them, or none."""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from prompt_manager._native import create_file, replace_file
from prompt_manager._shown_path import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["NewFiles", "uninterrupted"]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C until the end of the block, so that what was begun is finished or undone."""
    pressed = []
    try:
        before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    except ValueError:
        # Only the main thread has signals.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


class NewFiles:
    """New files by path, and replacements of files by path with the content before and after."""

    def __init__(self) -> None:
        self.created: dict[Path, str] = {}
        self.replaced: dict[Path, tuple[bytes, bytes]] = {}

    def write(self) -> None:
        """Write all of them. If one cannot be written, those before it are taken back.

        Raises:
            click.ClickException: some of the new files exist.
            StorageWriteError: a file cannot be written, or it has changed meanwhile.
        """
        taken = [path for path in self.created if path.exists() or path.is_symlink()]
        if taken:
            names = ", ".join(str(shown_path(path)) for path in taken)
            verb = "exists" if len(taken) == 1 else "exist"
            raise click.ClickException(f"{names} already {verb}, and nothing is overwritten")
        with uninterrupted():
            made: list[Path] = []
            directories = _missing_directories(self.created)
            try:
                for path, text in self.created.items():
                    create_file(path, text.encode())
                    made.append(path)
                for path, (before, after) in self.replaced.items():
                    replace_file(path, before, after)
            except BaseException:
                for path in made:
                    path.unlink(missing_ok=True)
                for directory in reversed(directories):
                    with suppress(OSError):
                        directory.rmdir()
                raise


def _missing_directories(files: Mapping[Path, str]) -> list[Path]:
    """The directories that the files need and that are not there, from the root down."""
    missing = {parent for path in files for parent in path.parents if not parent.exists()}
    return sorted(missing, key=lambda directory: len(directory.parts))
