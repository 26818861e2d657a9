"""Spark: `mapInArrow` in Python workers. It needs Java 17."""

from __future__ import annotations

import os
import sys

import pytest
from pyspark.sql import SparkSession

from conftest import NAMES, TEXTS


@pytest.fixture(scope="module")
def spark():
    # Otherwise the workers run with the Python that is first on the path.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


def test_partitions_are_rendered(manager, spark):
    frame = spark.createDataFrame([(name,) for name in NAMES], "name string").repartitionByRange(4, "name")
    greet = manager.batch("greeting", to="text", threads=1)
    rows = frame.mapInArrow(greet.map_batches, "name string, text string").collect()
    assert sorted(row.text for row in rows) == sorted(TEXTS)


def test_messages_have_a_type_of_spark(manager, spark):
    from prompt_manager import Prompt

    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About {{name}}."}]
    manager.create_prompt_sync(Prompt(id="chat", messages=messages))
    chat = manager.batch("chat", to="messages", dictionary=False, threads=1)
    schema = "name string, messages array<struct<role: string, content: string>>"
    (row,) = spark.createDataFrame([("tea",)], "name string").mapInArrow(chat.map_batches, schema).collect()
    assert [message.asDict() for message in row.messages] == [*messages[:1], {"role": "user", "content": "About tea."}]
