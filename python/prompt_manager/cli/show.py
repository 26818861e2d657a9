"""The command ``show``."""

from __future__ import annotations

import click

from prompt_manager.cli.options import directory_options, json_option, select, version_options
from prompt_manager.cli.output import write_json, write_text

__all__ = ["show_prompt"]


@click.command(
    "show", epilog="\b\nExamples:\n  prompt-manager show greeting\n  prompt-manager show greeting@production --json"
)
@version_options
@directory_options
@json_option
def show_prompt(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Show the metadata, variables and templates of a prompt.

    Templates are shown as they are written, and their lines are never wrapped. For each variable, the lines and columns
    tell where the file uses it.
    """
    from prompt_manager.cli.prompts import describe, find, load
    from prompt_manager.cli.written import place_of

    selection = select(prompt_id, version, label)
    manager = load(directory, schemas)
    prompt = find(manager, selection)
    description = describe(manager, prompt, place_of(manager, prompt, schemas))
    if as_json:
        write_json(description)
    else:
        from prompt_manager.cli.views import prompt_view

        write_text(prompt_view(description))
