"""Prints how fast the package is: what ``make bench`` calls.

    python tests/benchmarks/run.py [--quick] [--json FILE] [--no-peers] [SECTION ...]

Nothing here passes or fails by a time. The figures and what they mean are in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import conversion
import engines
import floor
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

SECTIONS = {
    "templates": (engines.measure, "Templates: peers in times as long as ours"),
    "compile": (engines.measure_compilation, "Compiling: peers in times as long as ours"),
    "conversion": (conversion.measure, "Conversion"),
    "manager": (manager.measure, "By id"),
    "loading": (loading.measure, "Loading 10,000 files: by hand is PyYAML's C loader with pydantic"),
    "phases": (loading.measure_phases, "Loading: where the time goes, on one thread"),
    "saves": (loading.measure_saves, "A directory that is followed"),
    "held": (loading.measure_held, "Prompts in memory"),
    "validation": (validation.measure, "Schemas, against pydantic and json"),
    "floor": (floor.measure, "The floor: what the least of such calls costs, beside the two-variable f-string"),
    "startup": (startup.measure, "Starting"),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures are rough")
    parser.add_argument("--no-peers", action="store_true", help="leave the other engines out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    parsed = parser.parse_args(arguments)
    if unknown := [name for name in parsed.sections if name not in SECTIONS]:
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for."""
    asked = parse(arguments)
    effort = Effort.quick() if asked.quick else Effort()
    peers = {} if asked.no_peers else versions()
    about = {"prompt-manager": __version__, "python": platform.python_version(), "machine": platform.machine(), **peers}
    print(", ".join(f"{name} {version}" for name, version in about.items()))
    results = {}
    for name in asked.sections or SECTIONS:
        measure, title = SECTIONS[name]
        if measure in (engines.measure, engines.measure_compilation):
            measure = partial(measure, with_peers=not asked.no_peers)
        rows = measure(effort)
        results[name] = as_json(rows)
        print(f"\n## {title}\n\n{table(rows)}", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps({"about": about, "results": results}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
