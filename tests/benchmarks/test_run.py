"""The benchmarks run and check their results. No test asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "run.py"

NAMES = ("A", "B", "C", "D", "F1", "F2", "F3", "F4", "E", "H", "I")


@pytest.mark.benchmark
def test_every_benchmark_runs_and_reports_its_rows(tmp_path):
    file = tmp_path / "results.json"
    command = [sys.executable, str(RUN), "--quick", "--no-peers", "--json", str(file)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert [row["name"] for row in results["templates"]] == list(NAMES)
    assert [row["name"] for row in results["batch"]] == ["plain", "chat", "rag", "cyrillic", "history"]
    assert all(row["ours"] > 0 for row in results["templates"] + results["compile"] + results["conversion"])


@pytest.mark.benchmark
def test_an_unknown_section_is_an_error():
    finished = subprocess.run([sys.executable, str(RUN), "nothing"], check=False, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "the sections are templates, compile" in finished.stderr
