"""Measures which lines the tests reach, of Rust and of Python. ``make test-cov`` calls it.

The core is built with counters into ``target/coverage``, and both suites run against it: the tests in Rust, and those
in Python with the same counters, also in the processes that they start. The reports are in ``build/coverage``. It fails
if less is reached than :data:`RUST_LINES` and the ``fail_under`` of pyproject.toml say.

It needs cargo-llvm-cov and the LLVM tools of the Rust toolchain. Others of at least its LLVM version can be named in
``LLVM_COV`` and ``LLVM_PROFDATA``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from run import PROCESSES, ROOT, WITHOUT_TYPES

REPORTS = ROOT / "build" / "coverage"
TARGET = ROOT / "target" / "coverage"

#: The least share of the lines in Rust, in percent.
RUST_LINES = 90

#: These tests look at what a process imports, or limit the size of its files: the measurement does both.
DISTURBED = [
    "tests/display/test_display.py::test_nothing_of_it_is_imported_before_it_is_used",
    "tests/observability/test_observers.py::test_a_render_imports_no_library_for_observers",
    "tests/storage/test_faults.py::test_a_file_size_limit_keeps_the_old_file",
]

COVERAGE = ["--cov", "--cov-report=", f"--cov-config={ROOT / 'pyproject.toml'}"]

PYTEST = [
    *[sys.executable, "-m", "pytest", *PROCESSES, *WITHOUT_TYPES, *COVERAGE],
    *(f"--deselect={test}" for test in DISTURBED),
]


def environment() -> dict[str, str]:
    """Return the environment in which cargo builds with counters, and in which processes write them."""
    base = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "CARGO_INCREMENTAL": "0"}
    shown = subprocess.run(
        ["cargo", "llvm-cov", "show-env"], cwd=ROOT, env=base, capture_output=True, text=True, check=True
    )
    pairs = (line.split("=", 1) for line in shown.stdout.splitlines())
    counters = {name: value.strip("'") for name, value in pairs}
    # The counters are in the file from the start (`%c`), because many processes of the tests are killed, those of
    # pytest-xdist among them. Processes add to the same few files (`%4m`) instead of writing one each.
    flags = f"{counters.get('RUSTFLAGS', '')} -C llvm-args=-runtime-counter-relocation".strip()
    profile = str(TARGET / "tests-%c%4m.profraw")
    return {**base, **counters, "RUSTFLAGS": flags, "LLVM_PROFILE_FILE": profile}


def missing_tool() -> str | None:
    """Return what to do if cargo-llvm-cov or its LLVM tools are missing."""
    if subprocess.run(["cargo", "llvm-cov", "--version"], capture_output=True, check=False).returncode:
        return "run cargo install cargo-llvm-cov --locked"
    rust = subprocess.run(["rustc", "--print", "target-libdir"], capture_output=True, text=True, check=True)
    has_component = any((Path(rust.stdout.strip()).parent / "bin").glob("llvm-cov*"))
    if not has_component and not {"LLVM_COV", "LLVM_PROFDATA"} <= os.environ.keys():
        return "run rustup component add llvm-tools, or set LLVM_COV and LLVM_PROFDATA"
    return None


def run(command: list[str], variables: dict[str, str]) -> bool:
    """Run a step, and return whether it succeeded."""
    print(f"\n== {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0


def report(variables: dict[str, str]) -> bool:
    """Write the reports, print the totals, and return whether enough is reached."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    cargo = ["cargo", "llvm-cov", "report"]
    places = ["--html", "--output-dir", str(REPORTS / "rust")]
    good = run([*cargo, *places], variables)
    summary = subprocess.run(
        [*cargo, "--json", "--summary-only"], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    (files,) = json.loads(summary.stdout)["data"]
    for file in sorted(files["files"], key=lambda file: file["summary"]["lines"]["percent"]):
        lines = file["summary"]["lines"]
        left = lines["count"] - lines["covered"]
        if left:
            name = Path(file["filename"]).relative_to(ROOT)
            print(f"{name!s:<50} {lines['percent']:6.1f} % of {lines['count']:5} lines, {left} left")
    reached = files["totals"]["lines"]["percent"]
    print(f"\nRust: {reached:.2f} % of {files['totals']['lines']['count']} lines", flush=True)
    coverage = [sys.executable, "-m", "coverage"]
    good &= run([*coverage, "html", "--quiet", f"--directory={REPORTS / 'python'}"], variables)
    good &= run([*coverage, "report"], variables)
    return good and reached >= RUST_LINES


def main() -> int:
    """Build, run both suites, and report."""
    if what := missing_tool():
        print(f"error: the coverage of Rust cannot be measured\n  hint: {what}", file=sys.stderr)
        return 2
    variables = environment()
    good = run(["cargo", "llvm-cov", "clean", "--workspace"], variables)
    good &= run(["cargo", "test", "--locked", "--no-default-features"], variables)
    good &= run(["cargo", "test", "--locked"], variables)
    bin_folder = Path(sys.executable).parent
    maturin = [str(bin_folder / "maturin"), "develop", "--uv", "--quiet", "--locked", "--extras", "cli"]
    good &= run(maturin, {**variables, "VIRTUAL_ENV": str(bin_folder.parent)})
    good &= run(PYTEST, variables)
    # Of processes that tests start with an empty environment, and of killed ones.
    for stray in [*ROOT.glob("default_*.profraw"), *ROOT.glob(".coverage.*")]:
        stray.unlink()
    return 0 if report(variables) and good else 1


if __name__ == "__main__":
    sys.exit(main())
