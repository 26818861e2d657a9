"""Options that several commands have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from prompt_manager.cli.project import find_project
from prompt_manager.cli.values import check_text
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Selection",
    "base_option",
    "directory_options",
    "id_argument",
    "is_version",
    "json_option",
    "prompt_ids",
    "select",
    "version_options",
]

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


def base_option(help_: str, default: str | None = "HEAD") -> Callable[[Command], Command]:
    """Return a decorator that adds the option ``--base``, which names a revision of git, to a command."""
    return click.option(
        "--base", metavar="REVISION", default=default, show_default=default is not None, callback=check_text, help=help_
    )


class Selection(NamedTuple):
    """The version of a prompt that a command is about: one by its number or label, or the latest."""

    id: str
    version: str | None = None
    label: str | None = None


def prompt_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The ids that a shell offers while one is typed. Used as a callback of click."""
    from prompt_manager.cli.written import places

    try:
        directory = _prompts(ctx, _param, ctx.params.get("directory"))
        found = places(directory, _schemas(ctx, _param, None))
    except (click.ClickException, PromptManagerError):
        return []
    return sorted({place.id for place in found if place.id.startswith(incomplete)})


def id_argument(command: Command) -> Command:
    """Add the argument ID to a command."""
    return click.argument("prompt_id", metavar="ID", callback=check_text, shell_complete=prompt_ids)(command)


def version_options(command: Command) -> Command:
    """Add the argument ``ID[@VERSION|@LABEL]`` and the options that choose a version to a command."""
    command = click.option(
        "--label", metavar="LABEL", callback=check_text, help="Use the version that this label points at."
    )(command)
    command = click.option(
        "--version", metavar="VERSION", callback=check_text, help="Use this version.  [default: the latest]"
    )(command)
    argument = click.argument(
        "prompt_id", metavar="ID[@VERSION|@LABEL]", callback=check_text, shell_complete=prompt_ids
    )
    return argument(command)


def select(prompt_id: str, version: str | None = None, label: str | None = None) -> Selection:
    """The version that ``ID``, ``ID@VERSION`` or ``ID@LABEL`` and the options name."""
    ctx = click.get_current_context()
    if version is not None and label is not None:
        raise click.UsageError("--version and --label cannot be used together", ctx)
    name, at, which = prompt_id.partition("@")
    if not at:
        return Selection(prompt_id, version, label)
    if version is not None or label is not None:
        raise click.UsageError(f"{prompt_id!r} names a version: leave out --version and --label", ctx)
    if not which:
        raise click.UsageError(f"{prompt_id!r} must be written as ID, ID@VERSION or ID@LABEL", ctx)
    return Selection(name, which) if is_version(which) else Selection(name, None, which)


def is_version(text: str) -> bool:
    """Whether the text after ``@`` is meant as a version, not as a label."""
    return re.match(r"\d+(\.\d+)*(\.\d+[-+].*)?$", text) is not None


def json_option(command: Command) -> Command:
    """Add the option ``--json`` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(command)
