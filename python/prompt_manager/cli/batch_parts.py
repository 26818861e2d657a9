"""The parts of an output that is not complete: what an interrupted run leaves, and from where the next one goes on.

The directory ``OUTPUT.parts`` has one file for each chunk of rows, and ``state.json``, which counts the files that are
complete. It is replaced in one step after each of them, so a process may be killed at any time. Nothing else may be in
the directory, because it is removed at the end.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
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
_COMPLETE = "complete"
#: The files of the directory: parts, and what a killed process leaves of a state that it was writing.
_OWN = re.compile(rf"\d{{6,}}|{_COMPLETE}|{re.escape(_STATE)}|\.saving-.*\.tmp")

#: How ``state.json`` tells who wrote it. The number changes when the meaning of its members or of the parts does.
_WRITER = "prompt-manager batch"
_FORMAT = 1


@dataclass
class _State:
    """What ``state.json`` counts."""

    task: Mapping[str, Any]
    parts: int = 0
    rows: int = 0
    failed: int = 0
    #: The bytes of all parts, by which a part is found that is missing or cut.
    size: int = 0
    #: The first errors: the numbers of their rows, and their messages.
    errors: list[tuple[int, str]] = field(default_factory=list)

    def to_json(self) -> bytes:
        return json.dumps({"writer": _WRITER, "format": _FORMAT, **asdict(self)}).encode()

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> _State:
        """The state of a file of this format.

        Raises:
            ValueError: a member is missing or is something else.
        """
        counts = {name: found.get(name) for name in ("parts", "rows", "failed", "size")}
        task, errors = found.get("task"), found.get("errors")
        if not isinstance(task, dict) or not isinstance(errors, list):
            raise ValueError("it is incomplete")  # noqa: TRY004 - of a file, not of an argument
        for name, count in counts.items():
            if type(count) is not int or count < 0:
                raise ValueError(f"{name!r} is no number")
        for error in errors:
            if not isinstance(error, list) or [type(member) for member in error] != [int, str]:
                raise ValueError("'errors' has something else than errors")
        return cls(task=task, errors=[(row, message) for row, message in errors], **counts)  # type: ignore[arg-type]


class OutputParts:
    """Writes an output part by part, and puts it in its place when it is complete.

    Args:
        output: The file to write.
        task: What decides about its content, as JSON values. A run that goes on must have the same.
        resume: Go on after the parts of an earlier run.

    Raises:
        click.ClickException: there are parts and ``resume`` is false; they are of another task, damaged, or not ours;
            or nothing can be written there.
    """

    def __init__(self, output: Path, task: Mapping[str, Any], *, resume: bool) -> None:
        self.output = output
        #: Where the output appears: where a link leads to.
        self._place = output.resolve() if output.is_symlink() and output.exists() else output
        self.directory = self._place.with_name(f"{self._place.name}.parts")
        self._state = _State(json.loads(json.dumps(task)))
        if output.is_dir():
            raise click.ClickException(f"cannot write {output}: it is a directory\n  hint: name a file in it")
        if output.exists() and not output.is_file():
            raise click.ClickException(f"cannot write {output}: it is a device or a pipe\n  hint: name a file")
        if os.path.lexists(self.directory):
            self._go_on(resume=resume)
        elif not output.absolute().parent.is_dir():
            raise click.ClickException(f"cannot write {output}: there is no directory '{output.parent}'")
        #: The rows that an earlier run has written.
        self.resumed = self.rows

    @property
    def rows(self) -> int:
        """The rows that are written."""
        return self._state.rows

    @property
    def failed(self) -> int:
        """How many of the rows have an error."""
        return self._state.failed

    @property
    def errors(self) -> list[tuple[int, str]]:
        """The first errors of rows: the numbers of the rows, and the messages."""
        return self._state.errors

    def _go_on(self, *, resume: bool) -> None:
        state = self._read_state()
        if state is None:
            return
        if not resume:
            raise click.ClickException(
                f"{self.directory} has {state.rows:,} rows of a run that did not end\n"
                "  hint: go on with --resume, or delete the directory to begin again"
            )
        task = self._state.task
        changed = [name for name in {**task, **state.task} if state.task.get(name) != task.get(name)]
        if changed:
            raise click.ClickException(
                f"the rows in {self.directory} were made with another {', and another '.join(changed)}\n"
                "  hint: repeat the command as it was, or delete the directory and begin again without --resume"
            )
        self._state = state
        self._check_parts()

    def _read_state(self) -> _State | None:
        """The state of an earlier run. ``None`` if it ended before it wrote anything."""
        names = self._names()
        if not names:
            return None
        file = self.directory / _STATE
        if _STATE not in names:
            raise self._foreign(f"it has {min(names)!r}, but no {_STATE} of an earlier run")
        if strange := [name for name in names if not _OWN.fullmatch(name)]:
            raise self._foreign(f"it has {min(strange)!r}, which this command did not write")
        try:
            found = json.loads(file.read_bytes())
        except OSError as error:
            raise self._damaged(file, error.strerror or str(error)) from error
        except (ValueError, RecursionError) as error:
            raise self._damaged(file, "it is not JSON") from error
        if not isinstance(found, dict) or found.get("writer") != _WRITER:
            raise self._foreign(f"its {_STATE} is of another program")
        if found.get("format") != _FORMAT:
            raise self._damaged(file, "another version of prompt-manager wrote it")
        try:
            return _State.of(found)
        except ValueError as error:
            raise self._damaged(file, str(error)) from error

    def _names(self) -> set[str]:
        if self.directory.is_symlink() or not self.directory.is_dir():
            raise self._foreign("it is no directory")
        try:
            return {file.name for file in self.directory.iterdir()}
        except OSError as error:
            raise self._damaged(self.directory, error.strerror or str(error)) from error

    def _check_parts(self) -> None:
        """Find out whether all parts are there, and whole."""
        size = 0
        for number in range(self._state.parts):
            part = self._part(number)
            if not part.is_file():
                raise self._damaged(part, "the file is missing")
            size += part.stat().st_size
        if size != self._state.size:
            raise self._damaged(self.directory, "a part was cut or changed since it was written")

    def _foreign(self, why: str) -> click.ClickException:
        return click.ClickException(
            f"cannot keep the rows of {self.output} in {self.directory}: {why}\n"
            "  hint: move it to another place, or choose another --output"
        )

    def _damaged(self, what: Path, why: str) -> click.ClickException:
        return click.ClickException(
            f"the run that did not end cannot go on: cannot read {what}: {why}\n"
            f"  hint: delete {self.directory}, and begin again without --resume"
        )

    def add(self, write: Callable[[IO[bytes]], None], rows: int, errors: Sequence[tuple[int, str]]) -> None:
        """Write the next part, and the errors of its rows."""
        state = self._state
        with self._writing():
            if not self.directory.exists():
                self.directory.mkdir()
                self._write_state(state)
            part = self._part(state.parts)
            _write(part, write)
            state = _State(
                task=state.task,
                parts=state.parts + 1,
                rows=state.rows + rows,
                failed=state.failed + len(errors),
                size=state.size + part.stat().st_size,
                errors=[*state.errors, *errors][:_ERRORS],
            )
            self._write_state(state)
        self._state = state

    def _write_state(self, state: _State) -> None:
        from prompt_manager._native import write_file

        write_file(self.directory / _STATE, state.to_json())

    def complete(self, merge: Callable[[Sequence[Path], IO[bytes]], None]) -> None:
        """Make the output of all parts, put it in its place, and remove the parts."""
        with self._writing():
            made = self.directory / _COMPLETE
            _write(made, lambda file: merge([self._part(number) for number in range(self._state.parts)], file))
            made.replace(self._place)
            for file in self.directory.iterdir():
                if _OWN.fullmatch(file.name):
                    file.unlink()
            self.directory.rmdir()

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
