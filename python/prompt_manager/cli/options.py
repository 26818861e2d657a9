"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from prompt_manager.cli.values import check_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_version", "directory_options", "json_option", "version_options"]

Command = TypeVar("Command", bound="Callable[..., Any]")


def directory_options(command: Command) -> Command:
    """Add the options that name the directories to a command."""
    command = click.option(
        "--schemas",
        metavar="DIR",
        help="Directory of the schemas that the prompts refer to. Without it, schema names are not checked.",
    )(command)
    return click.option(
        "--dir",
        "directory",
        metavar="DIR",
        default="prompts",
        show_default=True,
        envvar="PROMPT_MANAGER_DIR",
        show_envvar=True,
        help="Directory of the prompt files.",
    )(command)


def version_options(command: Command) -> Command:
    """Add the argument ID and the options that choose a version to a command."""
    command = click.option(
        "--label", metavar="LABEL", callback=check_text, help="Use the version that this label points at."
    )(command)
    command = click.option(
        "--version", metavar="VERSION", callback=check_text, help="Use this version.  [default: the latest]"
    )(command)
    return click.argument("prompt_id", metavar="ID", callback=check_text)(command)


def check_version(version: str | None, label: str | None) -> None:
    """Refuse a version together with a label."""
    if version is not None and label is not None:
        raise click.UsageError("--version and --label cannot be used together", click.get_current_context())


def json_option(command: Command) -> Command:
    """Add the option ``--json`` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(command)
