"""Processes that work while a test watches: they evaluate Python expressions, one for each line they are sent."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from helpers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: How long a condition may take to become true. Tests wait for it by asking again, and usually need a few milliseconds.
PATIENCE = 30.0

_LOOP = """
import sys
{setup}
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(repr(eval(line)), flush=True)
    except Exception as error:
        print(repr(f"{{type(error).__name__}}: {{error}}"), flush=True)
"""


class Worker:
    """A process that has run this code and then waits for expressions."""

    def __init__(self, setup: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LOOP.format(setup=setup), *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression there; for an exception, its type and text."""
        assert self.process.stdin is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return ast.literal_eval(self._line())

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def worker(setup: str, *arguments: object) -> Iterator[Worker]:
    """A worker that is killed at the end of the block."""
    started = Worker(setup, *arguments)
    try:
        yield started
    finally:
        started.end()


def until(ask: Callable[[], Any], expected: Any) -> None:
    """Ask again until this is the answer."""
    deadline = time.monotonic() + PATIENCE
    while (answer := ask()) != expected:
        assert time.monotonic() < deadline, f"still {answer!r} instead of {expected!r}"
        time.sleep(0.01)
