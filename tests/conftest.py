"""Fixtures for all tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from helpers import EXAMPLES, ROOT
from prompt_manager import PromptManager, TemplateEngine

if TYPE_CHECKING:
    from collections.abc import Callable

# Tests must not depend on their speed, and every run must use the same random examples.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

# A shell ignores Ctrl-C for what it runs in the background, and commands that a test interrupts would inherit this.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def engine() -> TemplateEngine:
    return TemplateEngine()


@pytest.fixture
def template_engine(engine: TemplateEngine) -> TemplateEngine:
    return engine


@pytest.fixture
def prompt_manager() -> PromptManager:
    """An empty manager."""
    return PromptManager()


@pytest.fixture(scope="session")
def examples() -> PromptManager:
    """The manager of the example prompts."""
    return PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")


@pytest.fixture
def directory(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """A function that writes files to a new directory. It takes the texts by path, and returns the directory."""

    def write(files: dict[str, str]) -> Path:
        root = tmp_path / "prompts"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return write


PUBLISHED = "agentic-prompt-manager==0.1.0"


@pytest.fixture(scope="session")
def published() -> Path:
    """The interpreter of an environment with the published package, which has the same import name as ours.

    The environment is installed once, under ``target/``. If no registry can be reached, tests that need it are skipped.
    """
    home = ROOT / "target" / "published" / f"{PUBLISHED}-{sys.version_info.major}.{sys.version_info.minor}"
    done = home / "installed"
    interpreter = home / "bin" / "python"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        command = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PUBLISHED]
        finished = subprocess.run(command, check=False, capture_output=True, text=True)
        if finished.returncode != 0:
            pytest.skip(f"cannot install {PUBLISHED}, because no registry can be reached: {finished.stderr[-300:]}")
        done.touch()
    return interpreter
