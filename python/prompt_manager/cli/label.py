"""The commands ``label list``, ``label set``, ``label rollback`` and ``label remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prompt_manager.cli.options import directory_options, id_argument, json_option, prompt_ids
from prompt_manager.cli.output import drawn, write_json, write_text, write_warning
from prompt_manager.cli.values import check_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from prompt_manager.core.manager import PromptManager
    from prompt_manager.core.models import LabelMove

    Command = TypeVar("Command", bound=Callable[..., Any])

__all__ = ["label"]


@click.group(
    "label",
    invoke_without_command=True,
    no_args_is_help=False,
    epilog="\b\nExamples:\n"
    "  prompt-manager label list\n"
    "  prompt-manager label set greeting production 1.2.0\n"
    "  prompt-manager label rollback greeting production",
)
@click.pass_context
def label(ctx: click.Context) -> None:
    """Show and move the labels of prompts.

    A label points at one version, such as "production" at 1.2.0. Labels of a directory are in its file labels.yaml;
    those of a storage are in the storage.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        # Wrong usage.
        ctx.exit(2)


def _author(command: Command) -> Command:
    return click.option("--author", metavar="NAME", callback=check_text, help="Who moves the label, for the history.")(
        command
    )


_label = click.argument("name", metavar="LABEL", callback=check_text)


@label.command("list", epilog="\b\nExamples:\n  prompt-manager label list\n  prompt-manager label list greeting --json")
@click.argument("prompt_id", metavar="[ID]", required=False, callback=check_text, shell_complete=prompt_ids)
@directory_options
@json_option
def list_labels(*, prompt_id: str | None, directory: str, schemas: str | None, as_json: bool) -> None:
    """List the labels of all prompts, or of one, and the versions that they point at."""
    from prompt_manager.cli.prompts import load

    core = load(directory, schemas).registry._core
    if prompt_id is not None:
        core.versions(prompt_id)
    found = [
        {"id": prompt.id, "label": name, "version": prompt.version}
        for prompt in core.all()
        for name in prompt.labels
        if prompt_id in {None, prompt.id}
    ]
    found.sort(key=lambda row: (row["id"], row["label"]))
    if as_json:
        write_json(found)
    elif not found:
        write_warning(f"there are no labels in {directory}" if prompt_id is None else f"{prompt_id} has no labels")
    else:
        from prompt_manager.cli.layout import Column, one_line, table
        from prompt_manager.cli.views import joined

        rows = [[one_line(row[name]) for name in ("id", "label", "version")] for row in found]
        write_text(joined(table(rows, [Column("ID", "bold"), Column("LABEL"), Column("VERSION")])))


@label.command("set", epilog="\b\nExamples:\n  prompt-manager label set greeting production 1.2.0 --author Ada")
@id_argument
@_label
@click.argument("version", metavar="VERSION", callback=check_text)
@_author
@directory_options
@json_option
def set_label(
    *,
    prompt_id: str,
    name: str,
    version: str,
    author: str | None,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Point a label at a version of a prompt."""
    manager = _writable(directory, schemas)
    _report(prompt_id, manager.set_label_sync(prompt_id, name, version, author=author), as_json=as_json)


@label.command("rollback", epilog="\b\nExamples:\n  prompt-manager label rollback greeting production")
@id_argument
@_label
@_author
@directory_options
@json_option
def rollback(
    *, prompt_id: str, name: str, author: str | None, directory: str, schemas: str | None, as_json: bool
) -> None:
    """Point a label at the version that it pointed at before."""
    manager = _writable(directory, schemas)
    _report(prompt_id, manager.rollback_sync(prompt_id, name, author=author), as_json=as_json)


@label.command("remove", epilog="\b\nExamples:\n  prompt-manager label remove greeting canary")
@id_argument
@_label
@_author
@directory_options
@json_option
def remove(
    *, prompt_id: str, name: str, author: str | None, directory: str, schemas: str | None, as_json: bool
) -> None:
    """Take a label off a prompt."""
    manager = _writable(directory, schemas)
    _report(prompt_id, manager.set_label_sync(prompt_id, name, None, author=author), as_json=as_json)


def _writable(directory: str, schemas: str | None) -> PromptManager:
    """The manager whose labels outlast this command."""
    from prompt_manager.cli.prompts import load

    manager = load(directory, schemas)
    if manager._directory is None and manager.registry.storage is None:
        raise click.ClickException(
            "the prompts of the app are in no directory and in no storage, so a label would be lost\n"
            "  hint: name the directory of the prompts with --dir"
        )
    return manager


def _report(prompt_id: str, move: LabelMove, *, as_json: bool) -> None:
    if as_json:
        write_json({"id": prompt_id, **move.model_dump(), "moved_at": move.moved_at.isoformat()})
        return
    now = move.version or "nothing"
    if move.version == move.previous:
        write_text(f"{prompt_id} {move.label}: {now}, as before\n")
    else:
        write_text(f"{prompt_id} {move.label}: {move.previous or 'nothing'} {drawn('→', '->')} {now}\n")
