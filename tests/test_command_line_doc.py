"""The sessions of the documentation give what their pages show, and every command is in docs/command-line.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import click
import pytest

from helpers import ROOT
from prompt_manager.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

#: Each page is one session: a command works on what the ones before it made.
PAGES = ["command-line.md", "quick-start.md"]

#: Lines that install something.
INSTALLS = "pip install"


class Step(NamedTuple):
    """A command and its output, or a file that is written."""

    command: str = ""
    output: str = ""
    file: str = ""


def steps(page: str = "command-line.md") -> list[Step]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = []
    blocks = re.findall(
        r'^(`{3,})(console|csv|python|yaml)(?: title="([^"]+)")?\n(.*?)^\1$', text, flags=re.MULTILINE | re.DOTALL
    )
    for _, language, title, block in blocks:
        if language != "console":
            first, content = block.split("\n", 1)
            name = title or first.removeprefix("# ")
            found.append(Step(file=name, output=block if title else content))
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Step(command, output))
    return [step for step in found if not step.command.startswith(INSTALLS)]


def run(command: str, project: Path) -> str:
    prefix = f'python() {{ "{sys.executable}" "$@"; }}; prompt-manager() {{ python -m prompt_manager "$@"; }}; '
    author = {f"GIT_{name}_{key}": "ada@example.com" for name in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    hidden = {"NO_COLOR", "PROMPT_MANAGER_DIR"}
    done = subprocess.run(
        ["bash", "-c", prefix + command],
        cwd=project,
        env={name: value for name, value in os.environ.items() if name not in hidden}
        | {"PYTHONIOENCODING": "utf-8", **author},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout


def is_shown(output: str, shown: str) -> bool:
    """Whether the page shows the output. Three dots stand for anything, such as a time or further lines."""
    pattern = ".*".join(map(re.escape, shown.rstrip("\n").split("...")))
    return re.fullmatch(pattern, output.rstrip("\n"), flags=re.DOTALL) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="the session is one of a POSIX shell")
@pytest.mark.parametrize("page", PAGES)
def test_the_session_gives_what_the_page_shows(page: str, tmp_path: Path) -> None:
    for step in steps(page):
        if step.file:
            (tmp_path / step.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step.file).write_text(step.output, encoding="utf-8")
            continue
        output = run(step.command, tmp_path)
        assert is_shown(output, step.output), f"$ {step.command}\n{output}"


def names(group: click.Group, before: str = "") -> list[str]:
    ctx = click.Context(group)
    found = []
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        found += names(command, f"{name} ") if isinstance(command, click.Group) else [before + name]
    return found


@pytest.mark.parametrize("name", names(app))
def test_every_command_is_in_the_session(name: str) -> None:
    assert any(step.command.startswith(f"prompt-manager {name}") for step in steps())


def help_of(name: str) -> str:
    # With the app's own settings, because click keeps the help option of the first context for all later ones.
    ctx = click.Context(app, info_name="prompt-manager", **app.context_settings)
    command: click.Command = app
    for part in name.split():
        assert isinstance(command, click.Group)
        found = command.get_command(ctx, part)
        assert found is not None
        command, ctx = found, click.Context(found, info_name=part, parent=ctx)
    return command.get_help(ctx)


@pytest.mark.parametrize("name", names(app))
def test_every_help_has_an_example_and_fits_80_columns(name: str) -> None:
    text = help_of(name)
    assert re.search(rf"Examples:\n +prompt-manager {name}", text)
    assert max(map(len, text.splitlines())) <= 80
