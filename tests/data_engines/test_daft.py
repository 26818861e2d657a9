"""Daft: a DataFrame goes in as Arrow, and a function renders batches of columns inside a query."""

from __future__ import annotations

import daft
import pyarrow as pa

from conftest import NAMES, TEXTS


def test_a_frame_is_rendered(greet):
    frame = daft.from_pydict({"name": NAMES})
    assert daft.from_arrow(greet(frame)).to_pydict()["text"] == TEXTS


def test_a_query_renders_batches_of_columns(greet):
    @daft.func.batch(return_dtype=str)
    def greeting(name: daft.Series) -> pa.ChunkedArray:
        return greet(pa.table({"name": name.to_arrow()}))["text"].combine_chunks()

    frame = daft.from_pydict({"name": NAMES}).with_column("text", greeting(daft.col("name")))
    assert frame.to_pydict()["text"] == TEXTS
