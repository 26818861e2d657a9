"""Rehearses a release on this machine. ``make rehearse`` calls it.

    python tests/rehearsal/run.py [--short]

Builds the sdist and the wheels from it, checks them, installs them away from the sources with each Python, and runs
the demo, the extras and the tests there. Then it follows RELEASING.md, with indexes on this machine instead of TestPyPI
and PyPI. The short form is for CI: it builds the wheel of the stable ABI without optimization, and runs part of the
tests with one Python.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import contents
import environments
import failures
import packages
import pythons
import releasing

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the name of a step, and how long it took."""
    print(f"== {name}", flush=True)
    start = time.monotonic()
    yield
    print(f"   {time.monotonic() - start:.0f} s", flush=True)


def main() -> int:
    """Run all steps. The first that fails ends the program."""
    parser = argparse.ArgumentParser(description="Rehearse a release on this machine.")
    parser.add_argument("--short", action="store_true", help="the form for CI")
    short = parser.parse_args().short
    found = pythons.interpreters()
    if not found:
        print("no Python that the package supports was found", file=sys.stderr)
        return 1
    newest = list(found)[-1]
    dist = packages.TARGET / "rehearsal" / "dist" if short else packages.ROOT / "dist"
    with step("build the sdist, and the wheels from it"):
        # The short form tests the wheel of the stable ABI; `make test` has tested the build for one version.
        files = packages.build("dev", dist) if short else packages.build("release", dist, found.values())
    with step("check the files"):
        contents.check(files)
    for version, python in found.items():
        with step(f"Python {version}: install and run"):
            environments.check_core(python, dist)
            if not short or version == newest:
                environments.check_extras(python, dist, short=short)
                environments.run_tests(python, dist, short=short)
    with step("follow RELEASING.md"):
        releasing.check(found[newest], dist)
    with step("try what cannot be installed"):
        failures.check(pythons.versions(), dist, short=short)
    print("the rehearsal passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
