"""A project in an empty directory, and the command line that runs in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from prompt_manager.cli.app import app

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current directory."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return root


@pytest.fixture
def run(project: Path) -> Callable[..., Result]:
    """A function that runs the command line in the project, with ``given`` as its standard input."""

    def run_command(*arguments: str, given: str | None = None) -> Result:
        assert project.is_dir()
        return CliRunner().invoke(app, arguments, input=given, prog_name="prompt-manager")

    return run_command


@pytest.fixture
def result_of(run: Callable[..., Result]) -> Callable[..., str]:
    """A function that runs a command that succeeds without warnings, and returns its output."""

    def result(*arguments: str, given: str | None = None) -> str:
        done = run(*arguments, given=given)
        assert (done.stderr, done.exit_code) == ("", 0)
        return done.stdout

    return result


@pytest.fixture
def failure_of(run: Callable[..., Result]) -> Callable[..., str]:
    """A function that runs a command that fails without output, and returns its error message."""

    def failure(*arguments: str, status: int = 1) -> str:
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (status, "")
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
        return done.stderr.removeprefix("error: ")

    return failure


@pytest.fixture
def write(project: Path) -> Callable[[dict[str, str]], None]:
    """A function that writes texts to files of the project, by path."""

    def write_files(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")

    return write_files


@pytest.fixture
def commit(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that commits all files of the project to its git repository."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True)

    def commit_all(*, tag: str | None = None) -> None:
        git("init", "--quiet")
        git("add", "--all")
        git("commit", "--quiet", "--message", "prompts")
        if tag is not None:
            git("tag", tag)

    return commit_all
