"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from prompt_manager.cli.project import find_project
from prompt_manager.cli.values import check_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_version", "directory_options", "json_option", "version_options"]

Command = TypeVar("Command", bound="Callable[..., Any]")


def _prompts(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    """The directory of the prompts. Used as a callback of click."""
    return str(find_project().prompts) if value is None else value


def _schemas(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The directory of the schemas. Used as a callback of click."""
    if value is not None:
        return value
    schemas = find_project().schemas
    return None if schemas is None else str(schemas)


def directory_options(command: Command) -> Command:
    """Add the options that name the directories to a command. ``[tool.prompt-manager]`` has their defaults."""
    command = click.option(
        "--schemas",
        metavar="DIR",
        callback=_schemas,
        help="Directory of the schema files.  [default: schemas of [tool.prompt-manager], or DIR/schemas]",
    )(command)
    return click.option(
        "--dir",
        "directory",
        metavar="DIR",
        callback=_prompts,
        envvar="PROMPT_MANAGER_DIR",
        show_envvar=True,
        help="Directory of the prompt files.  [default: prompts of [tool.prompt-manager], or prompts]",
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
