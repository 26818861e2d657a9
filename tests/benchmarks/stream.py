"""Renders a stream of rows, and prints its peak memory and its processor time, for rising numbers of rows.

python tests/benchmarks/stream.py 100_000 1_000_000 10_000_000
"""

from __future__ import annotations

import resource
import sys
import time
from typing import NamedTuple

import pyarrow as pa

from prompt_manager import Prompt, PromptManager

BATCH = 10_000
TEMPLATE = "{{#if vip}}VIP: {{/if}}{{ticket}} from {{name}}"


class Run(NamedTuple):
    """One stream."""

    rows: int
    #: The bytes of the rendered texts.
    size: int
    #: The peak memory of the process so far, in megabytes.
    peak: float
    #: The seconds of all threads.
    seconds: float


def run(rows: int) -> Run:
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="triage", template=TEMPLATE))
    columns = {
        "ticket": ["The printer on the third floor is on fire. " * 4 + str(number) for number in range(BATCH)],
        "name": [f"N{number}" for number in range(BATCH)],
        "vip": [number % 3 == 0 for number in range(BATCH)],
    }
    batch = pa.RecordBatch.from_pydict(columns)
    source = pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(rows // BATCH)))
    begin, done, size = time.process_time(), 0, 0
    for made in manager.batch("triage", to="text", threads=1)(source):
        done += made.num_rows
        size += made.column("text").nbytes
    seconds = time.process_time() - begin
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(done, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, seconds)


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["100_000", "1_000_000"]:
        made = run(int(argument))
        print(f"{made.rows:>12,} rows, {made.size / 1e6:>6,.0f} MB, peak {made.peak:.0f} MB, {made.seconds:.1f} s")
