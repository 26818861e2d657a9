"""Measures how fast the package is. ``make bench`` calls it.

    python tests/benchmarks/run.py [--quick] [--json FILE] [--keep] [--no-peers] [SECTION ...]

No time makes it fail. ``docs/performance.md`` has the results and explains them.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import baseline
import batch
import conversion
import engines
import floor
import growth
import loading
import manager
import startup
from measure import Effort
from peers import versions
from report import as_json, table

import validation
from prompt_manager import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report import Row

SECTIONS = {
    "templates": (engines.measure, "Templates: for peers, their time divided by ours"),
    "compile": (engines.measure_compilation, "Compiling: for peers, their time divided by ours"),
    "conversion": (conversion.measure, "Conversion"),
    "manager": (manager.measure, "Rendering by id"),
    "loading": (loading.measure, "Loading 10,000 files: by hand is PyYAML's C loader with pydantic"),
    "phases": (loading.measure_phases, "Loading: where the time goes, on one thread"),
    "saves": (loading.measure_saves, "A watched directory"),
    "held": (loading.measure_held, "Prompts in memory"),
    "batch": (batch.measure, "Batches, for each row: for engines, their time divided by ours"),
    "validation": (validation.measure, "Schemas, compared with pydantic and json"),
    "growth": (growth.measure, "Growth: the exponent of the time for an input of n times the size"),
    "floor": (floor.measure, "The floor: the cost of minimal calls, compared with the two-variable f-string"),
    "startup": (startup.measure, "Startup"),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="only check that everything runs; the figures are rough")
    parser.add_argument("--no-peers", action="store_true", help="leave out the other engines")
    parser.add_argument("--keep", action="store_true", help="keep the ratios as the new baseline")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to a JSON file")
    parsed = parser.parse_args(arguments)
    if unknown := [name for name in parsed.sections if name not in SECTIONS]:
        parser.error(f"no such section: {', '.join(unknown)}; the sections are {', '.join(SECTIONS)}")
    return parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the sections named in the arguments, by default all, and print the results."""
    options = parse(arguments)
    effort = Effort.quick() if options.quick else Effort()
    peers = {} if options.no_peers else versions()
    about = {"prompt-manager": __version__, "python": platform.python_version(), "machine": platform.machine(), **peers}
    print(", ".join(f"{name} {version}" for name, version in about.items()))
    results: dict[str, list[Row]] = {}
    for name in options.sections or SECTIONS:
        measure, title = SECTIONS[name]
        if measure in (engines.measure, engines.measure_compilation):
            measure = partial(measure, with_peers=not options.no_peers)
        rows = measure(effort)
        results[name] = rows
        print(f"\n## {title}\n\n{table(rows)}", flush=True)
    if lines := baseline.changed_lines(results):
        print("\n## Ratios that differ from the baseline\n", *lines, sep="\n")
    if options.keep:
        baseline.keep(results)
    if options.json:
        written = {name: as_json(rows) for name, rows in results.items()}
        options.json.write_text(json.dumps({"about": about, "results": written}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
