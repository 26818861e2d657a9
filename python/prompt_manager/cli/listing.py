"""The command ``list``."""

from __future__ import annotations

from typing import Any

import click

from prompt_manager.cli.options import directory_options, json_option
from prompt_manager.cli.output import write_json, write_text, write_warning
from prompt_manager.cli.values import check_text

__all__ = ["list_prompts"]


@click.command(
    "list",
    epilog="\b\nExamples:\n"
    "  prompt-manager list --tree\n"
    "  prompt-manager list --status draft --tag support\n"
    "  prompt-manager list --label production",
)
@click.option("--tree", "as_tree", is_flag=True, help="Show the ids as a tree of directories.")
@click.option(
    "--status", type=click.Choice(["draft", "active", "deprecated", "archived"]), help="Only prompts of this status."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "chat", "completion", "instruction"]),
    help="Only prompts of this format.",
)
@click.option("--category", metavar="TEXT", callback=check_text, help="Only prompts of this category.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only prompts with this tag. Repeat it for several.")
@click.option("--label", metavar="LABEL", callback=check_text, help="Only versions that this label points at.")
@click.option("--text", metavar="TEXT", callback=check_text, help="Only prompts with these words.")
@directory_options
@json_option
def list_prompts(*, directory: str, schemas: str | None, as_tree: bool, as_json: bool, **filters: Any) -> None:
    """List the latest version of each prompt.

    A terminal shows long descriptions on several lines. In a pipe or a file, each prompt is one line.
    """
    from prompt_manager.cli.prompts import load, search, summarize

    summaries = [summarize(prompt) for prompt in search(load(directory, schemas), **filters)]
    if as_json:
        write_json(summaries)
    elif not summaries:
        are = "no prompt matches" if any(filters.values()) else "there are no prompts"
        write_warning(f"{are} in {directory}")
    else:
        from prompt_manager.cli.views import list_view, tree_view

        write_text(tree_view(summaries) if as_tree else list_view(summaries))
