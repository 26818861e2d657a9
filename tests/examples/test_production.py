"""The production example: two workers, and a rollback that reaches both without a restart."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers import EXAMPLES, ROOT

pytestmark = pytest.mark.integration


def test_a_rollback_reaches_both_workers():
    demo = EXAMPLES / "production" / "demo.py"
    done = subprocess.run([sys.executable, demo], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    before, after = "HELLO Ada!!!", "Hello Ada."
    assert done.stdout.splitlines() == [
        f"worker 1 answers '{before}', and its trace is 'rendered greeting 1.0.1: {before}'",
        f"worker 2 answers '{before}', and its trace is 'rendered greeting 1.0.1: {before}'",
        "rollback from 1.0.1 to 1.0.0",
        f"worker 1 answers '{after}', and its trace is 'rendered greeting 1.0.0: {after}'",
        f"worker 2 answers '{after}', and its trace is 'rendered greeting 1.0.0: {after}'",
    ]
