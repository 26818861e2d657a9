"""DuckDB: a relation goes in, and a query reads what comes out."""

from __future__ import annotations

import duckdb

from conftest import TEXTS


def test_a_relation_is_rendered_and_queried(greet):
    made = greet(duckdb.sql("SELECT 'N' || range AS name FROM range(2000)"))
    assert [text for (text,) in duckdb.sql("SELECT text FROM made").fetchall()] == TEXTS


def test_a_relation_is_rendered_while_duckdb_reads_it(greet):
    # A connection runs one query at a time, so the rows come from another one.
    made = greet.stream(duckdb.connect().sql("SELECT 'N' || range AS name FROM range(1_000_000)"))
    query = duckdb.connect().sql("SELECT count(*), min(length(text)), max(length(text)) FROM made")
    assert query.fetchall() == [(1_000_000, len("Hello N0!"), len("Hello N999999!"))]
