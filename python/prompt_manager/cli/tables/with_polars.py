"""Parquet and Arrow with polars."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from prompt_manager.cli.tables.kinds import Rows

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from prompt_manager.cli.tables.kinds import FileKind

__all__ = ["PolarsTables"]


class PolarsTables:
    """Reads and writes DataFrames of polars; see :class:`~prompt_manager.cli.tables.library.TableLibrary`."""

    def count(self, path: Path, kind: FileKind) -> int | None:
        """Return the number of rows that a Parquet file records."""
        if kind != "parquet":
            return None
        with _readable(path):
            return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())

    def read(self, path: Path, kind: FileKind, size: int, skip: int) -> Iterator[Any]:
        """Read a file in tables of ``size`` rows."""
        with _readable(path):
            frame = _frame(path, kind)
            at = skip
            while True:
                # A slice of a scan reads the row groups that it needs.
                rows = frame.slice(at, size).lazy().collect()
                if rows.height or at == 0:
                    yield rows
                if rows.height < size:
                    return
                at += size

    def columns(self, table: Any) -> list[str]:
        """Return the names of the columns."""
        return list(table.columns)

    def rows(self, table: Any) -> Rows:
        """Return the rows as Python values."""
        return Rows(table.columns, table.to_dicts())

    def table(self, rows: Rows) -> Any:
        """Return Python rows as a table."""
        return pl.DataFrame([_series(name, [row.get(name) for row in rows.rows]) for name in rows.columns])

    def texts(self, table: Any, column: str) -> list[str | None]:
        """Return the texts of a column."""
        return list(table[column].to_list())

    def with_texts(self, table: Any, column: str, texts: list[str | None]) -> Any:
        """Return the table with other texts in a column."""
        return table.with_columns(pl.Series(column, texts, dtype=pl.String))

    def with_nulls(self, table: Any, columns: Sequence[str], rows: Container[int]) -> Any:
        """Return the table with nulls in some rows of some columns."""
        kept = pl.Series([row not in rows for row in range(table.height)], dtype=pl.Boolean)
        return table.with_columns(pl.when(kept).then(pl.col(name)).alias(name) for name in columns)

    def write_part(self, file: IO[bytes], kind: FileKind, table: Any) -> None:
        """Write a table to a file."""
        if kind == "parquet":
            table.write_parquet(file)
        else:
            table.write_ipc(file)

    def merge(self, parts: Sequence[Path], file: IO[bytes], kind: FileKind) -> None:
        """Write the tables of all parts to one file."""
        scan = pl.scan_parquet if kind == "parquet" else pl.scan_ipc
        try:
            frame = pl.concat([scan(part, glob=False) for part in parts], how="diagonal_relaxed")
            if kind == "parquet":
                frame.sink_parquet(file)
            else:
                frame.sink_ipc(file)
        except pl.exceptions.PolarsError as error:
            raise click.ClickException(
                f"a column has different types in different rows: {error}\n  hint: write the result to a .jsonl file"
            ) from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror or error}") from error
    except pl.exceptions.PolarsError as error:
        raise click.ClickException(f"cannot read {path}: {error}") from error


def _frame(path: Path, kind: FileKind) -> pl.LazyFrame | pl.DataFrame:
    """The rows of a file. Only a file in Arrow's stream format is read as a whole."""
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False)
    with path.open("rb") as file:
        is_stream = file.read(6) != b"ARROW1"
    return pl.read_ipc_stream(path) if is_stream else pl.scan_ipc(path, glob=False)


def _series(name: str, values: list[Any]) -> pl.Series:
    try:
        # Without a value, a column has the type of the cells of a CSV file.
        return pl.Series(name, values, strict=True) if values else pl.Series(name, values, dtype=pl.String)
    except (pl.exceptions.PolarsError, OverflowError, TypeError) as error:
        raise click.ClickException(
            f"the column {name!r} has values of several types, or numbers of more than 64 bits, which Arrow cannot "
            "hold in one column\n  hint: write the result to a .jsonl file"
        ) from error
