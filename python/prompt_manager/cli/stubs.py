"""``prompt-manager stubs``: writes a typed module for the prompts of a directory."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prompt_manager.cli.options import directory_options, json_option
from prompt_manager.cli.output import write_json, write_text
from prompt_manager.cli.project import find_project

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stubs"]

#: The name of standard output.
_STANDARD_OUTPUT = "-"


@click.command(
    "stubs",
    epilog="\b\nExamples:\n  prompt-manager stubs -o my_app/typed_prompts.py\n  prompt-manager stubs --check",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="File of the module; - is standard output.  [default: stubs of [tool.prompt-manager], or standard output]",
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing. Fail if the file is not up to date.")
@directory_options
@json_option
@click.pass_context
def stubs(
    ctx: click.Context,
    *,
    output: str | None,
    only_check: bool,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Write a Python module with the types of all prompts.

    Its class Prompts is a PromptManager whose ids, versions, labels, variables and outputs mypy and pyright know. At
    run time the class adds nothing. Write the module again after each change of a prompt, and run --check in CI.

    The exit status is 0, or 1 with --check if the file is not up to date.
    """
    from prompt_manager.cli.prompts import load
    from prompt_manager.stubs.module import typed_module

    file = _file(output)
    if file is None and only_check:
        raise click.UsageError(
            "--check needs the file of the module\n"
            "  hint: name it with -o, or set stubs in [tool.prompt-manager] of pyproject.toml",
            ctx,
        )
    if file is None:
        text = typed_module(load(directory, schemas))
        write_json({"module": text}) if as_json else write_text(text)
        return
    before = _read(file)
    with _importable(file, before is not None or only_check):
        text = typed_module(load(directory, schemas))
    is_current = before == text
    if not is_current and not only_check:
        _write(file, text)
    if as_json:
        write_json({"file": str(file), "changed": not is_current})
    elif not is_current and only_check:
        write_text(_difference(file, before or "", text))
    elif not is_current:
        write_text(f"{file} written\n")
    if only_check and not is_current:
        raise click.ClickException(f"{file} is not up to date\n  hint: run prompt-manager stubs")


def _file(output: str | None) -> Path | None:
    """The file of the module; ``None`` for standard output."""
    if output is None:
        return find_project().stubs
    return None if output == _STANDARD_OUTPUT else Path(output)


@contextmanager
def _importable(file: Path, exists: bool) -> Iterator[None]:  # noqa: FBT001 - a fact about the file
    """Make the module importable meanwhile: the project's manager may be an instance of its class."""
    from prompt_manager.stubs.module import empty_module

    if not exists:
        _write(file, empty_module())
    try:
        yield
    except BaseException:
        if not exists:
            file.unlink(missing_ok=True)
        raise


def _read(file: Path) -> str | None:
    """The module as it is. ``None`` if there is no file.

    Raises:
        click.ClickException: it cannot be read, or this command did not write it.
    """
    from prompt_manager.stubs.module import MARKER

    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8 (byte {error.start})") from error
    if text and not text.startswith(MARKER):
        raise click.ClickException(
            f"{file} was not made by prompt-manager stubs, and is not overwritten\n"
            "  hint: choose another file, or delete this one"
        )
    return text


def _write(file: Path, text: str) -> None:
    """Write the module in one step, so that no other program sees half of it.

    Raises:
        click.ClickException: it cannot be written.
    """
    from prompt_manager._native import replace_file

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        replace_file(file, file.read_bytes(), text.encode())
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {error.strerror}") from error


def _difference(file: Path, before: str, text: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), str(file), str(file), lineterm="", n=0)
    return "".join(f"{line}\n" for line in lines)
