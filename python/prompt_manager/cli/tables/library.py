"""What the command needs of the library that reads and writes Parquet and Arrow: pyarrow, or else polars."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from prompt_manager.cli.tables.kinds import FileKind, Rows

__all__ = ["TableLibrary", "table_library"]


class TableLibrary(Protocol):
    """Reads and writes the tables of a library."""

    def count(self, path: Path, kind: FileKind) -> int | None:
        """The number of rows of a file, if it is known without reading them."""

    def read(self, path: Path, kind: FileKind, size: int, skip: int) -> Iterator[Any]:
        """Read a file in tables of ``size`` rows, without the first ``skip`` rows.

        A file without rows gives one table without rows.
        """

    def columns(self, table: Any) -> list[str]:
        """The names of the columns."""

    def rows(self, table: Any) -> Rows:
        """The rows as Python values."""

    def table(self, rows: Rows) -> Any:
        """Python rows as a table.

        Raises:
            click.ClickException: a column has values of several types.
        """

    def texts(self, table: Any, column: str) -> list[str | None]:
        """The texts of a column."""

    def with_texts(self, table: Any, column: str, texts: list[str | None]) -> Any:
        """The table with other texts in a column."""

    def with_nulls(self, table: Any, columns: Sequence[str], rows: Container[int]) -> Any:
        """The table with nulls in some rows of some columns."""

    def write_part(self, file: IO[bytes], kind: FileKind, table: Any) -> None:
        """Write a table to a file."""

    def merge(self, parts: Sequence[Path], file: IO[bytes], kind: FileKind) -> None:
        """Write the tables of all parts to one file, one after the other.

        Raises:
            click.ClickException: a column has other types in some parts.
        """


def table_library(reason: str) -> TableLibrary:
    """The library that is installed. ``reason`` begins the error if none is: ``"writing .parquet files"``.

    Raises:
        click.ClickException: neither is installed.
    """
    if find_spec("pyarrow") is not None:
        from prompt_manager.cli.tables.with_pyarrow import PyArrowTables

        return PyArrowTables()
    if find_spec("polars") is not None:
        from prompt_manager.cli.tables.with_polars import PolarsTables

        return PolarsTables()
    raise click.ClickException(f"{reason} needs pyarrow or polars\n  hint: pip install pyarrow")
