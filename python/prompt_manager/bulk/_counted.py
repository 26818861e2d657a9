"""Adds the column of token counts to rendered tables, with pyarrow or polars: counting calls Python for each row."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.bulk._rows import with_row
from prompt_manager.bulk._tokens import TOKENS
from prompt_manager.exceptions import TemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prompt_manager._native import RenderedStream
    from prompt_manager.bulk._tokens import TokenRule

__all__ = ["CountedStream", "CountedTable", "Counting"]


class CountedTable(NamedTuple):
    """A table with counts, and how many of its rows have too many tokens."""

    table: Any
    failed: int


class Counting(NamedTuple):
    """Counts the tokens of a column.

    Args:
        rule: How to count.
        column: The column with the results.
        error_column: The column for errors. Without one, the first row with too many tokens raises.
    """

    rule: TokenRule
    column: str
    error_column: str | None

    def check(self, columns: Sequence[str]) -> None:
        """Refuse a table that has a column with the name of the new one.

        Raises:
            TemplateRenderError: it has.
        """
        if TOKENS in columns:
            raise TemplateRenderError(f"the table already has a column '{TOKENS}'\n  hint: drop or rename it")

    def add(self, rendered: Any, first: int = 0) -> CountedTable:
        """Count the tokens of each row of a table, of which the first has this number.

        Raises:
            TemplateRenderError: a row has too many tokens or they cannot be counted, and there is no column for errors.
            ModuleNotFoundError: neither pyarrow nor polars is installed.
        """
        self.check(rendered.column_names)
        if find_spec("pyarrow") is not None:
            import pyarrow as pa  # type: ignore[import-untyped]

            table = pa.table(rendered)
            counts, problems = self._counts(table[self.column].to_pylist(), first)
            return CountedTable(self._with_pyarrow(table, counts, problems), len(problems))
        if find_spec("polars") is not None:
            import polars as pl

            frame = pl.DataFrame(rendered)
            counts, problems = self._counts(frame[self.column].to_list(), first)
            return CountedTable(self._with_polars(frame, counts, problems), len(problems))
        raise ModuleNotFoundError("counting tokens needs pyarrow or polars\n  hint: pip install pyarrow")

    def _counts(self, results: list[Any], first: int) -> tuple[list[int | None], dict[int, str]]:
        """The tokens of each row, and the errors by row."""
        counts: list[int | None] = []
        problems: dict[int, str] = {}
        for at, made in enumerate(results):
            tokens, error = self.rule.counted(made)
            counts.append(tokens)
            if error is not None:
                numbered = with_row(error, first + at)
                if self.error_column is None:
                    raise numbered from error
                problems[at] = numbered.message
        return counts, problems

    def _with_pyarrow(self, table: Any, counts: list[int | None], problems: dict[int, str]) -> Any:
        import pyarrow as pa

        at = table.column_names.index(self.column)
        if problems:
            # A row that is taken from nowhere is null.
            kept = pa.array([None if row in problems else row for row in range(len(counts))], pa.int64())
            table = table.set_column(at, table.schema.field(at), table.column(at).take(kept))
            errors = table.column_names.index(self.error_column)
            texts = [problems.get(row, text) for row, text in enumerate(table.column(errors).to_pylist())]
            table = table.set_column(errors, table.schema.field(errors), pa.array(texts, table.schema.types[errors]))
        return table.add_column(at + 1, pa.field(TOKENS, pa.int64()), pa.array(counts, pa.int64()))

    def _with_polars(self, frame: Any, counts: list[int | None], problems: dict[int, str]) -> Any:
        import polars as pl

        if problems:
            texts = [problems.get(row, text) for row, text in enumerate(frame[self.error_column].to_list())]
            fails = pl.Series([row in problems for row in range(len(counts))], dtype=pl.Boolean)
            frame = frame.with_columns(
                pl.when(~fails).then(pl.col(self.column)).alias(self.column),
                pl.Series(self.error_column, texts, dtype=pl.String),
            )
        return frame.insert_column(frame.columns.index(self.column) + 1, pl.Series(TOKENS, counts, dtype=pl.Int64))


class CountedStream:
    """A stream whose rows are rendered and counted while it is read. It has the Arrow PyCapsule interface."""

    def __init__(self, stream: RenderedStream, counting: Counting) -> None:
        counting.check(stream.column_names)
        self._stream, self._counting = stream, counting
        self._row = 0

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        names = self._stream.column_names
        at = names.index(self._counting.column) + 1
        return [*names[:at], TOKENS, *names[at:]]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        rendered = next(self._stream)
        counted = self._counting.add(rendered, self._row)
        self._row += rendered.num_rows
        return counted.table

    def reader(self) -> Any:
        """A ``pyarrow.RecordBatchReader`` of the rows."""
        import pyarrow as pa

        schema = pa.schema(self._stream)
        at = schema.get_field_index(self._counting.column) + 1
        batches = (batch for table in self for batch in pa.table(table).to_batches())
        return pa.RecordBatchReader.from_batches(schema.insert(at, pa.field(TOKENS, pa.int64())), batches)

    def __arrow_c_schema__(self) -> Any:
        return self.reader().schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any | None = None) -> Any:
        export: Callable[[Any], Any] = self.reader().__arrow_c_stream__
        return export(requested_schema)
