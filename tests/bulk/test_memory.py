"""Memory holds a few batches, however many rows there are. The peak of a process never falls, so each has its own."""

from __future__ import annotations

import json
import sys

import pytest

from helpers import ROOT, run_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no `resource`")

#: The most that ten times as many rows may add, in megabytes: allocators keep some. The texts alone have more.
GROWTH = 40


def test_a_stream_of_many_rows_needs_no_more_memory():
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests/benchmarks")!r})
from stream import run
few, many = run(30_000), run(300_000)
print(many.rows, many.size >> 20, many.peak - few.peak)
"""
    rows, size, growth = map(float, run_python(code, timeout=300).split())
    assert (rows, size > GROWTH) == (300_000, True)
    assert growth < GROWTH


@pytest.mark.parametrize(("source", "output"), [("jsonl", "jsonl"), ("parquet", "jsonl"), ("csv", "parquet")])
def test_a_large_file_needs_no_more_memory(tmp_path, source, output):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/greeting.yaml").write_text("template: 'Hello {{name}}! {{body}}'\n", encoding="utf-8")
    code = f"""
import json, os, resource, sys
os.chdir({str(tmp_path)!r})
import pyarrow as pa
from pyarrow import csv, parquet
from prompt_manager.cli.app import app

def peak(count):
    name, text = f"{{count}}.{source}", "text " * 300
    with open(name, "w") if {source!r} == "jsonl" else open(os.devnull, "w") as file:
        for number in range(count):
            file.write(json.dumps({{"name": str(number), "body": text}}) + chr(10))
    if {source!r} != "jsonl":
        for at in range(0, count, 2000):
            rows = pa.table({{"name": [str(number) for number in range(at, at + 2000)], "body": [text] * 2000}})
            if at == 0:
                open_ = parquet.ParquetWriter if {source!r} == "parquet" else csv.CSVWriter
                writer = open_(name, rows.schema)
            writer.write_table(rows)
        writer.close()
    arguments = ["batch", "greeting", name, "-o", f"{{count}}.out.{output}", "--to", "text", "--batch-size", "2000"]
    assert app.run(arguments) == 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)

few = peak(6_000)
print(json.dumps(peak(60_000) - few))
"""
    *_, growth = run_python(code, timeout=300).splitlines()
    assert (tmp_path / f"60000.out.{output}").exists()
    assert json.loads(growth) < GROWTH
