"""Parquet and Arrow with pyarrow."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa  # type: ignore[import-untyped]

from prompt_manager.cli.tables.kinds import Rows

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from prompt_manager.cli.tables.kinds import FileKind

__all__ = ["PyArrowTables"]


class PyArrowTables:
    """Reads and writes tables of pyarrow; see :class:`~prompt_manager.cli.tables.library.TableLibrary`."""

    def count(self, path: Path, kind: FileKind) -> int | None:
        """Return the number of rows that a Parquet file records."""
        if kind != "parquet":
            return None
        from pyarrow import parquet

        with _readable(path):
            return int(parquet.read_metadata(path).num_rows)

    def read(self, path: Path, kind: FileKind, size: int, skip: int) -> Iterator[Any]:
        """Read a file in tables of ``size`` rows."""
        with _readable(path), path.open("rb") as file:
            schema, batches = _parquet(file, size) if kind == "parquet" else _ipc(file)
            found = False
            for table in _tables(batches, size, skip):
                found = True
                yield table
            if not found and skip == 0:
                yield schema.empty_table()

    def columns(self, table: Any) -> list[str]:
        """Return the names of the columns."""
        return list(table.column_names)

    def rows(self, table: Any) -> Rows:
        """Return the rows as Python values."""
        try:
            return Rows(table.column_names, table.to_pylist())
        except UnicodeDecodeError as error:
            # pyarrow reads the texts of a file without a look at their bytes.
            raise click.ClickException(
                "a column has a text that is not UTF-8\n"
                "  hint: write the result to a .parquet or .arrow file, where it can be the error of its row"
            ) from error

    def table(self, rows: Rows) -> Any:
        """Return Python rows as a table."""
        return pa.table({name: _array(name, [row.get(name) for row in rows.rows]) for name in rows.columns})

    def texts(self, table: Any, column: str) -> list[str | None]:
        """Return the texts of a column."""
        return list(table[column].to_pylist())

    def with_texts(self, table: Any, column: str, texts: list[str | None]) -> Any:
        """Return the table with other texts in a column."""
        return table.set_column(table.column_names.index(column), column, pa.array(texts, pa.string()))

    def with_nulls(self, table: Any, columns: Sequence[str], rows: Container[int]) -> Any:
        """Return the table with nulls in some rows of some columns."""
        # A row that is taken from nowhere is null.
        kept = pa.array([None if row in rows else row for row in range(table.num_rows)], pa.int64())
        for name in columns:
            at = table.column_names.index(name)
            table = table.set_column(at, table.schema.field(at), table.column(at).take(kept))
        return table

    def write_part(self, file: IO[bytes], kind: FileKind, table: Any) -> None:
        """Write a table to a file."""
        with _writer(file, kind, table.schema) as writer:
            writer.write_table(table)

    def merge(self, parts: Sequence[Path], file: IO[bytes], kind: FileKind) -> None:
        """Write the tables of all parts to one file."""
        schemas = []
        for part in parts:
            with _readable(part):
                schemas.append(_schema(part, kind))
        schema = _common(schemas)
        with _writer(file, kind, schema) as writer:
            for part in parts:
                with _readable(part):
                    table = _whole(part, kind)
                writer.write_table(_with_schema(table, schema))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror or error}") from error
    except pa.ArrowException as error:
        raise click.ClickException(f"cannot read {path}: {error}") from error


def _parquet(file: IO[bytes], size: int) -> tuple[Any, Iterable[Any]]:
    """The schema and the record batches of a file."""
    from pyarrow import parquet

    found = parquet.ParquetFile(file)
    return found.schema_arrow, found.iter_batches(batch_size=size)


def _ipc(file: IO[bytes]) -> tuple[Any, Iterable[Any]]:
    """The schema and the record batches of a file in Arrow's file or stream format."""
    try:
        found = pa.ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        stream = pa.ipc.open_stream(file)
        return stream.schema, stream
    return found.schema, (found.get_batch(index) for index in range(found.num_record_batches))


def _tables(batches: Iterable[Any], size: int, skip: int) -> Iterator[Any]:
    """The rows after the first ``skip`` ones, in tables of ``size`` rows."""
    held: list[Any] = []
    count = 0
    for batch in batches:
        at = min(skip, batch.num_rows)
        skip -= at
        while at < batch.num_rows:
            part = batch.slice(at, size - count)
            held.append(part)
            count += part.num_rows
            at += part.num_rows
            if count == size:
                yield pa.Table.from_batches(held)
                held, count = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _array(name: str, values: list[Any]) -> Any:
    try:
        return pa.array(values, from_pandas=False)
    except (pa.ArrowException, OverflowError) as error:
        raise click.ClickException(
            f"the column {name!r} has values of several types, or numbers of more than 64 bits, which Arrow cannot "
            "hold in one column\n  hint: write the result to a .jsonl file"
        ) from error


@contextmanager
def _writer(file: IO[bytes], kind: FileKind, schema: Any) -> Iterator[Any]:
    if kind == "parquet":
        from pyarrow import parquet

        with parquet.ParquetWriter(file, schema) as writer:
            yield writer
    else:
        with pa.ipc.new_file(file, schema) as writer:
            yield writer


def _schema(part: Path, kind: FileKind) -> Any:
    if kind == "parquet":
        from pyarrow import parquet

        return parquet.read_schema(part)
    with part.open("rb") as file:
        return pa.ipc.open_file(file).schema


def _whole(part: Path, kind: FileKind) -> Any:
    if kind == "parquet":
        from pyarrow import parquet

        return parquet.ParquetFile(part).read()
    with part.open("rb") as file:
        return pa.ipc.open_file(file).read_all()


def _common(schemas: list[Any]) -> Any:
    """The schema that all parts can be cast to. A part may lack columns, or have nulls or a narrower number type."""
    distinct = [schema for index, schema in enumerate(schemas) if index == 0 or not schema.equals(schemas[index - 1])]
    if len(distinct) == 1:
        return distinct[0]
    try:
        return pa.unify_schemas(distinct, promote_options="permissive")
    except pa.ArrowException as error:
        raise _mixed(error) from error


def _with_schema(table: Any, schema: Any) -> Any:
    if table.schema.equals(schema):
        return table
    length = table.num_rows
    columns = [
        table[field.name] if field.name in table.column_names else pa.nulls(length, field.type) for field in schema
    ]
    try:
        return pa.table(dict(zip(schema.names, columns, strict=True))).cast(schema)
    except pa.ArrowException as error:
        raise _mixed(error) from error


def _mixed(error: Exception) -> click.ClickException:
    return click.ClickException(
        f"a column has different types in different rows: {error}\n  hint: write the result to a .jsonl file"
    )
