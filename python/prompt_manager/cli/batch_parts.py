"""The parts of an output that is not complete: what an interrupted run leaves, and from where the next one goes on.

The directory ``OUTPUT.parts`` has one file for each chunk of rows, and ``state.json``, which counts the files that are
complete. It is replaced in one step after each of them, so a process may be killed at any time.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from prompt_manager.exceptions import StorageWriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

__all__ = ["OutputParts"]

#: The most errors of rows that are kept for the report.
_ERRORS = 10

_STATE = "state.json"


class OutputParts:
    """Writes an output part by part, and puts it in its place when it is complete.

    Args:
        output: The file to write.
        task: What decides about its content, as JSON values. A run that goes on must have the same.
        resume: Go on after the parts of an earlier run.

    Raises:
        click.ClickException: there are parts and ``resume`` is false, or they are of another task.
    """

    def __init__(self, output: Path, task: Mapping[str, Any], *, resume: bool) -> None:
        self.output = output
        self.directory = output.with_name(f"{output.name}.parts")
        self._task = dict(task)
        self._count = 0
        #: The rows that are written, how many of them have an error, and the first of these errors.
        self.rows, self.failed = 0, 0
        self.errors: list[tuple[int, str]] = []
        if self.directory.exists():
            self._go_on(resume=resume)
        elif not output.absolute().parent.is_dir():
            raise click.ClickException(f"cannot write {output}: there is no directory {output.parent}")
        #: The rows that an earlier run has written.
        self.resumed = self.rows

    def _go_on(self, *, resume: bool) -> None:
        state = self._read_state()
        if not resume:
            raise click.ClickException(
                f"{self.directory} has {state['rows']:,} rows of a run that did not end\n"
                "  hint: go on with --resume, or delete the directory to begin again"
            )
        if state["task"] is not None:
            changed = [name for name, value in self._task.items() if state["task"].get(name) != value]
            if changed:
                raise click.ClickException(
                    f"the rows in {self.directory} were made with another {changed[0]}\n"
                    "  hint: delete the directory to begin again"
                )
        self._count, self.rows, self.failed = state["parts"], state["rows"], state["failed"]
        self.errors = [(row, message) for row, message in state["errors"]]

    def _read_state(self) -> dict[str, Any]:
        file = self.directory / _STATE
        try:
            found = json.loads(file.read_bytes())
            return {key: found[key] for key in ("task", "parts", "rows", "failed", "errors")}
        except FileNotFoundError:
            # The earlier run ended before its first part was complete.
            return {"task": None, "parts": 0, "rows": 0, "failed": 0, "errors": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise click.ClickException(
                f"cannot read {file}, which counts the rows of a run that did not end\n"
                f"  hint: delete {self.directory} to begin again"
            ) from error

    def add(self, write: Callable[[IO[bytes]], None], rows: int, errors: Sequence[tuple[int, str]]) -> None:
        """Write the next part, and the errors of its rows."""
        with self._writing():
            self.directory.mkdir(exist_ok=True)
            _write(self._part(self._count), write)
            kept = [*self.errors, *errors][:_ERRORS]
            state = {
                "task": self._task,
                "parts": self._count + 1,
                "rows": self.rows + rows,
                "failed": self.failed + len(errors),
                "errors": kept,
            }
            from prompt_manager._native import write_file

            write_file(self.directory / _STATE, json.dumps(state).encode())
        self._count += 1
        self.rows += rows
        self.failed += len(errors)
        self.errors = kept

    def complete(self, merge: Callable[[Sequence[Path], IO[bytes]], None]) -> None:
        """Make the output of all parts, put it in its place, and remove the parts."""
        with self._writing():
            made = self.directory / "complete"
            _write(made, lambda file: merge([self._part(number) for number in range(self._count)], file))
            made.replace(self.output)
            shutil.rmtree(self.directory)

    def _part(self, number: int) -> Path:
        return self.directory / f"{number:06}"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise click.ClickException(f"cannot write {self.output}: {error.strerror or error}") from error
        except StorageWriteError as error:
            raise click.ClickException(f"cannot write {self.output}: {error.message}") from error


def _write(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file, and wait until it is on the disk."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
