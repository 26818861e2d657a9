"""Runs the command line on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from pathlib import Path

#: The environment of the tests, without the variables that change output.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in {"PYTHONUNBUFFERED", "NO_COLOR", "PROMPT_MANAGER_DIR", "COLUMNS"}
}


class Terminal:
    """A command that runs on a pseudo-terminal, with all three streams."""

    def __init__(self, *arguments: str, directory: Path, columns: int = 80, **environment: str) -> None:
        pty = pytest.importorskip("pty")
        self._primary, secondary = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "prompt_manager", *arguments],
            cwd=directory,
            env={
                **ENVIRONMENT,
                "COLUMNS": str(columns),
                "TERM": "xterm",
                "PYTHONIOENCODING": "utf-8",
                **environment,
            },
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
        )
        os.close(secondary)
        self._written = b""

    @property
    def text(self) -> str:
        """What the command has written so far."""
        return self._written.decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until a text was written."""
        end = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} was not written, but {self.text!r}"
            if not self._read(0.2) and self.process.poll() is not None:
                raise AssertionError(f"{text!r} was not written, but {self.text!r}")

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._primary, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self, seconds: float = 60) -> tuple[int, str]:
        """Wait for the end; the exit status, and all that was written."""
        end = time.monotonic() + seconds
        while self._read(0.2) or self.process.poll() is None:
            assert time.monotonic() < end, f"the command does not end: {self.text!r}"
        os.close(self._primary)
        return self.process.wait(timeout=seconds), self.text

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._primary], [], [], seconds)
        try:
            block = os.read(self._primary, 65_536) if ready else b""
        except OSError:
            # On Linux, this error means that the other end is closed.
            return False
        self._written += block
        return bool(block)


def on_a_terminal(*arguments: str, directory: Path, columns: int = 80, **environment: str) -> str:
    """Run a command that succeeds, and return what it wrote."""
    status, written = Terminal(*arguments, directory=directory, columns=columns, **environment).end()
    assert status == 0, written
    return written


def widest(text: str) -> int:
    """Return the number of columns of the longest line, without escape sequences."""
    return max(cell_len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in text.splitlines())
