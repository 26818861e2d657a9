"""Runs all tests of the project and prints the totals. ``make test`` calls it.

The steps run one after the other. The last line has the sums of their counts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: One process for each processor. The tests of a file run in one of them, because they share servers and fixtures.
PROCESSES = ["-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
#: The types of the documentation are checked by `make type-check`.
WITHOUT_TYPES = ["--ignore=tests/test_snippet_types.py", "--ignore=tests/stubs"]

STEPS = {
    "core without Python": ["cargo", "test", "--locked", "--no-default-features"],
    "core with the bindings": ["cargo", "test", "--locked"],
    "Python": [sys.executable, "-m", "pytest", *PROCESSES, *WITHOUT_TYPES],
}

COUNTS = {"passed": 0, "failed": 0, "skipped": 0}

#: The last lines of cargo and pytest, which have the counts.
CARGO = re.compile(r"^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored")
PYTEST = re.compile(r"^=+ .* in [\d.]+s.*=+$")


def count(line: str) -> dict[str, int]:
    """Return the counts in a line of output."""
    if found := CARGO.match(line):
        return dict(zip(COUNTS, map(int, found.groups()), strict=True))
    if PYTEST.match(line):
        words = {
            "passed": "passed",
            "failed": "failed",
            "error": "failed",
            "errors": "failed",
            "skipped": "skipped",
        }
        pairs = re.findall(r"(\d+) (\w+)", line)
        return {words[word]: int(number) for number, word in pairs if word in words}
    return {}


def run(name: str, command: list[str]) -> tuple[bool, dict[str, int]]:
    """Run a step, and return whether it succeeded and its counts."""
    print(f"\n== {name}: {' '.join(command)}", flush=True)
    totals = dict.fromkeys(COUNTS, 0)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            for word, number in count(re.sub(r"\x1b\[[\d;]*m", "", line).rstrip()).items():
                totals[word] += number
    return process.returncode == 0, totals


def main() -> int:
    """Run every step, even after a failure, and print the totals."""
    results = {name: run(name, command) for name, command in STEPS.items()}
    print("\n== totals")
    for name, (good, totals) in results.items():
        counts = ", ".join(f"{number} {word}" for word, number in totals.items())
        print(f"{name + ':':<24}{counts}{'' if good else '  FAILED'}")
    sums = {word: sum(totals[word] for _, totals in results.values()) for word in COUNTS}
    good = all(good for good, _ in results.values())
    if not good and not sums["failed"]:
        sums["failed"] = 1
    print(", ".join(f"{number} {word}" for word, number in sums.items()))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
