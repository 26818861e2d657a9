"""The command ``plugins``."""

from __future__ import annotations

import click

from prompt_manager.cli.options import json_option
from prompt_manager.cli.output import write_json, write_text

__all__ = ["plugins"]


@click.command("plugins", epilog="\b\nExamples:\n  prompt-manager plugins\n  prompt-manager plugins --json")
@json_option
def plugins(*, as_json: bool) -> None:
    """List the plugins: those of this package, of other installed packages and of the project's app.

    A plugin is available if the packages that it needs are installed.
    """
    from prompt_manager.cli.project import find_project, load_app
    from prompt_manager.core.manager import PromptManager

    manager = load_app(find_project()) or PromptManager()
    manager.discover_plugins()
    found = manager.plugins.list()
    if as_json:
        fields = ("name", "version", "origin", "is_available", "reason")
        write_json([{name: getattr(plugin, name) for name in fields} for plugin in found])
        return
    from prompt_manager.cli.layout import Column, one_line, table
    from prompt_manager.cli.views import joined

    rows = [
        [
            one_line(plugin.name),
            one_line(plugin.version),
            "available" if plugin.is_available else "not available",
            one_line(plugin.origin if plugin.is_available else plugin.reason),
        ]
        for plugin in found
    ]
    write_text(joined(table(rows, [Column("NAME", "bold"), Column("VERSION"), Column("STATUS"), Column("FROM")])))
