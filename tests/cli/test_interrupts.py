"""Ctrl-C in each command, and progress on a terminal: an app that takes long to import stands for long work."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import ENVIRONMENT, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[dict[str, str]], None]

APP = """
import sys, time
from prompt_manager import PromptManager

if {seconds} > 5:
    print("importing", file=sys.stderr, flush=True)
# Python looks for signals between instructions. One that comes right before a long sleep is noticed only after it.
for _ in range(int({seconds} * 20)):
    time.sleep(0.05)
manager = PromptManager()
"""

#: Every command that loads prompts.
COMMANDS = [
    ("batch", "greeting", "rows.csv", "-o", "out.csv", "--to", "text"),
    ("bump", "greeting", "--patch"),
    ("check",),
    ("diff", "greeting", "1.0.0"),
    ("export", "-o", "out.yaml"),
    ("history", "greeting"),
    ("label", "list"),
    ("label", "remove", "greeting", "old"),
    ("label", "rollback", "greeting", "old"),
    ("label", "set", "greeting", "new", "1.0.0"),
    ("list",),
    ("plugins",),
    ("render", "greeting"),
    ("render", "greeting", "--watch"),
    ("schema", "greeting"),
    ("show", "greeting"),
    ("stubs", "-o", "out.py"),
    ("test", "--update", "--junit", "out.xml"),
]


@pytest.fixture
def slow(project: Path, write: Write) -> Callable[[float], None]:
    """A function that gives the project an app that takes some seconds to import."""

    def make(seconds: float) -> None:
        write(
            {
                "prompts/greeting.yaml": "template: Hello\nlabels: [old]\n",
                "prompts/greeting.test.yaml": "- name: greets\n  text:\n",
                "rows.csv": "id\n1\n",
                "slow_app.py": APP.format(seconds=seconds),
                "pyproject.toml": '[tool.prompt-manager]\napp = "slow_app:manager"\n',
            }
        )

    assert project.is_dir()
    return make


def contents(project: Path) -> dict[str, bytes]:
    paths = [path for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(project)): path.read_bytes() for path in paths}


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_an_interrupt_ends_each_command_and_changes_nothing(
    project: Path, slow: Callable[[float], None], arguments: tuple[str, ...]
) -> None:
    slow(60)
    before = contents(project)
    terminal = Terminal(*arguments, directory=project)
    terminal.wait_for("importing")
    terminal.interrupt()
    status, written = terminal.end()
    assert (status, "Traceback" in written) == (130, False)
    assert contents(project) == before


@pytest.mark.parametrize("arguments", [("list",), ("check",), ("test",)], ids=" ".join)
def test_long_work_is_said_on_a_terminal_and_not_in_a_pipe(
    project: Path, slow: Callable[[float], None], arguments: tuple[str, ...]
) -> None:
    slow(1.5)
    terminal = Terminal(*arguments, directory=project)
    terminal.wait_for(" the prompts ...")
    _, written = terminal.end()
    # The text is overwritten at the end.
    said = "checking the prompts ..." if arguments == ("check",) else "loading the prompts ..."
    assert f"{said}\r{' ' * len(said)}\r" in written
    done = subprocess.run(
        [sys.executable, "-m", "prompt_manager", *arguments],
        cwd=project,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "..." not in done.stdout + done.stderr
