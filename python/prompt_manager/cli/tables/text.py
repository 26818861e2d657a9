"""Reads and writes CSV and JSON Lines, with the standard library."""

from __future__ import annotations

import base64
import csv
import json
import math
import re
import shutil
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from prompt_manager._text_values import json_problem, parse_json
from prompt_manager.cli.tables.kinds import BrokenRow, Rows

if TYPE_CHECKING:
    from _csv import Writer as CSVWriter
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from prompt_manager.cli.tables.kinds import FileKind

__all__ = ["escaped", "json_text", "merge_text", "read_text", "write_text_part"]

_DELIMITERS = {"csv": ",", "tsv": "\t"}

# A cell may be as long as a document. The module's own limit is 128 KB; the largest that it takes is that of a C long.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read_text(path: Path, kind: FileKind, size: int, skip: int) -> Iterator[Rows]:
    """Read a file in chunks of ``size`` rows, without the first ``skip`` rows.

    A file without rows gives one chunk without rows, which has the columns of the header.

    Raises:
        click.ClickException: the file cannot be read, or a line has another format.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns, rows = ([], _json_rows(path, file)) if kind == "jsonl" else _cells(path, file, _DELIMITERS[kind])
            rows = islice(rows, skip, None)
            chunk, is_first = list(islice(rows, size)), skip == 0
            while chunk or is_first:
                yield Rows.of(chunk, columns)
                chunk, is_first = list(islice(rows, size)), False
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is not UTF-8") from error


def _json_rows(path: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise click.ClickException(f"line {number} of {path} is not JSON: {json_problem(error)}") from error
        if not isinstance(row, dict):
            raise click.ClickException(f"line {number} of {path} is not a JSON object with the values of a row")
        yield _checked(path, number, row) if _SURROGATE.search(line) else row


#: The escape of a surrogate. A pair of them is a character, and half a pair is none.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _checked(path: Path, number: int, row: dict[str, Any]) -> dict[str, Any]:
    """The row, which is a `BrokenRow` if it has half a surrogate pair."""
    if not all(map(_is_encodable, row)):
        raise click.ClickException(f"line {number} of {path} has a key {_HALF_A_PAIR}")
    for name, value in row.items():
        if not _is_encodable(json.dumps(value, ensure_ascii=False)):
            broken = BrokenRow(row)
            broken.problem = f"the value of {name!r} is a text {_HALF_A_PAIR}"
            return broken
    return row


_HALF_A_PAIR = "with half a surrogate pair, which is not a character"
_LONE = re.compile("[\\ud800-\\udfff]")


def escaped(value: Any) -> Any:
    r"""A JSON value with escapes in place of what has no UTF-8.

    >>> escaped(["\ud83d"])
    ['\\ud83d']
    """
    return json.loads(_LONE.sub(lambda half: rf"\\u{ord(half[0]):x}", json.dumps(value, ensure_ascii=False)))


def _cells(path: Path, file: IO[str], delimiter: str) -> tuple[list[str], Iterator[dict[str, Any]]]:
    """The names of the columns, and the rows."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)

    def records() -> Iterator[list[str]]:
        try:
            yield from (record for record in reader if record)
        except csv.Error as error:
            raise click.ClickException(f"line {reader.line_num} of {path} is not CSV: {error}") from error

    def rows() -> Iterator[dict[str, Any]]:
        for record in found:
            if len(record) != len(header):
                cells = "1 cell" if len(record) == 1 else f"{len(record)} cells"
                problem = f"{cells}, but the header has {len(header)}"
                raise click.ClickException(f"the row that ends in line {reader.line_num} of {path} has {problem}")
            yield dict(zip(header, record, strict=True))

    found = records()
    header = next(found, [])
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise click.ClickException(f"the header of {path} has the column {twice!r} twice")
    return header, rows()


def write_text_part(file: IO[bytes], kind: FileKind, made: Rows) -> None:
    """Write rows to a file. A part of a CSV file has a header of its own."""
    if kind == "jsonl":
        file.writelines(json_text(row).encode() + b"\n" for row in made.rows)
        return
    with _csv_writer(file, kind) as writer:
        if made.columns:
            writer.writerow(made.columns)
        writer.writerows([_cell(row.get(name)) for name in made.columns] for row in made.rows)


def merge_text(parts: Sequence[Path], file: IO[bytes], kind: FileKind) -> None:
    """Write the rows of all parts to one file. A column that a part lacks is empty there."""
    if kind == "jsonl":
        for part in parts:
            with part.open("rb") as rows:
                shutil.copyfileobj(rows, file, 1 << 20)
        return
    columns = list(dict.fromkeys(name for part in parts for name in _header(part, kind)))
    with _csv_writer(file, kind) as writer:
        if columns:
            writer.writerow(columns)
        for part in parts:
            with part.open(encoding="utf-8", newline="") as rows:
                reader = csv.reader(rows, delimiter=_DELIMITERS[kind])
                at = {name: index for index, name in enumerate(next(reader, []))}
                order = [at.get(name) for name in columns]
                writer.writerows(["" if index is None else row[index] for index in order] for row in reader)


def _header(part: Path, kind: FileKind) -> list[str]:
    with part.open(encoding="utf-8", newline="") as rows:
        return next(csv.reader(rows, delimiter=_DELIMITERS[kind]), [])


class _Lines:
    """Takes the records of a CSV writer, which end in CR and LF, and writes them with LF."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text

    def write(self, record: str) -> int:
        return self._text.write(record.removesuffix(_RECORD_END) + "\n")


#: A CSV writer of Python before 3.13 quotes a cell with a carriage return only if its records end in one.
_RECORD_END = "\r\n"


@contextmanager
def _csv_writer(file: IO[bytes], kind: FileKind) -> Iterator[CSVWriter]:
    """Write records to a file, which stays open when the block ends."""
    text = TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    yield csv.writer(_Lines(text), delimiter=_DELIMITERS[kind], lineterminator=_RECORD_END)
    text.flush()
    text.detach()


def json_text(value: Any) -> str:
    """A value as JSON on one line. Dates and decimals are texts, bytes are base64, and NaN is null, as in pandas."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), default=_plain)
    # Half a surrogate pair has no UTF-8. JSON has an escape for it.
    return text if text.isascii() or _is_encodable(text) else json.dumps(json.loads(text), separators=(",", ":"))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    """A JSON value for a value of Arrow that JSON does not have."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _finite(value: Any) -> Any:
    """The value with null for each number that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> str:
    """The cell of a value: a text as it is, nothing for null, and JSON for all else."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = json_text(value)
    # The JSON string of a value that is not a Python string, such as a date, has no escapes.
    return text[1:-1] if text.startswith('"') else text
