"""Renders the rows of a table of any Arrow library, and returns a table of the same library."""

from __future__ import annotations

from prompt_manager._native import RenderedStream, RenderedTable
from prompt_manager.bulk._counted import CountedStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prompt_manager._native import Batch
    from prompt_manager.bulk._counted import Counting

__all__ = ["RenderedStream", "RenderedTable", "exportable", "render_rows"]


def render_rows(batch: Batch, rows: Any, counting: Counting | None = None) -> tuple[Any, tuple[int, int] | None]:
    """Render the rows of a table. Return a table of the same library, the number of rows, and how many of them failed.

    For a ``pyarrow.RecordBatchReader``, return another reader, which renders while it is read, and ``None`` for both
    numbers, because the rows are not counted yet.

    Raises:
        TypeError: ``rows`` is not a table, record batch or stream with Arrow's interface.
        ValueError: ``rows`` is a stream that was already read.
    """
    kind = type(rows)
    library, name = kind.__module__.partition(".")[0], kind.__name__
    if library == "pyarrow" and name == "RecordBatchReader":
        import pyarrow as pa  # type: ignore[import-untyped]

        stream = batch.stream(rows)
        if counting is not None:
            return CountedStream(stream, counting).reader(), None
        # Of an exported stream, pyarrow would raise the text of an error instead of the error.
        batches = (made for table in stream for made in pa.table(table).to_batches())
        return pa.RecordBatchReader.from_batches(pa.schema(stream), batches), None
    if not hasattr(rows, "__arrow_c_stream__") and not hasattr(rows, "__arrow_c_array__"):
        raise TypeError(_no_table(library, name))
    rendered = batch.render(exportable(rows))
    counted = None if counting is None else counting.add(rendered)
    table = _like(library, name, rendered if counted is None else counted.table)
    if library == "polars":
        table = table.with_columns(rows.get_column(name) for name in _columns_of_null(rows))
    return table, (rendered.num_rows, rendered.failed + (0 if counted is None else counted.failed))


def exportable(rows: Any) -> Any:
    """Return rows that can be exported: in a polars frame, columns of type ``Null`` become columns of strings.

    polars exports a ``Null`` column with a buffer, but the Arrow format allows none.

    Raises:
        TypeError: a column of the frame has Python objects, of which polars exports the addresses in memory.
    """
    columns = _columns_of_null(rows)
    return rows.cast(columns) if columns else rows


def _columns_of_null(rows: Any) -> dict[str, Any]:
    """The columns of a polars frame whose type contains ``Null``, each with its type for the export."""
    kind = type(rows)
    if kind.__module__.partition(".")[0] != "polars" or kind.__name__ != "DataFrame":
        return {}
    for name, dtype in rows.schema.items():
        if str(dtype) == "Object":
            raise TypeError(
                f"the column {name!a} has Python objects, which Arrow does not know\n  hint: drop or convert it"
            )
    typed = {name: _typed(dtype) for name, dtype in rows.schema.items()}
    return {name: dtype for name, dtype in typed.items() if dtype != rows.schema[name]}


def _typed(dtype: Any) -> Any:
    """A type of polars with strings in place of ``Null``."""
    import polars as pl

    if dtype == pl.Null:
        return pl.String
    if isinstance(dtype, pl.List):
        return pl.List(_typed(dtype.inner))
    if isinstance(dtype, pl.Array):
        return pl.Array(_typed(dtype.inner), dtype.size)
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, _typed(field.dtype)) for field in dtype.fields])
    return dtype


def _like(library: str, name: str, rendered: Any) -> Any:
    """The rows as a table of the library that they came from."""
    if library == "pyarrow":
        import pyarrow as pa

        table = pa.table(rendered)
        return _record_batch(table) if name == "RecordBatch" else table
    if library == "pandas":
        import pyarrow as pa

        return pa.table(rendered).to_pandas()
    if library == "polars":
        import polars as pl

        return pl.DataFrame(rendered)
    return rendered


def _record_batch(table: Any) -> Any:
    """The rows of a table as one record batch."""
    import pyarrow as pa

    columns = [column.combine_chunks() for column in table.columns]
    chunks = [column.chunk(0) if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.RecordBatch.from_arrays(chunks, schema=table.schema)


def _no_table(library: str, name: str) -> str:
    """The message for rows that do not have Arrow's interface."""
    hint = {
        "polars": "pass the batch itself: `frame.map_batches(batch)`, or collect the frame first",
        "datasets": 'use `dataset.with_format("arrow").map(batch, batched=True)`',
        "builtins": "use `manager.render_batch(prompt_id, rows)` for Python rows; in Ray Data pass"
        ' `batch_format="pyarrow"`, in datasets use `with_format("arrow")`',
    }.get(library, "pass a table, a record batch or a stream of Arrow, or a pandas or polars DataFrame")
    return f"{library}.{name} has no rows in Arrow's format\n  hint: {hint}"
