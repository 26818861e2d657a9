"""The prompts of a directory at an earlier revision of git."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from prompt_manager.exceptions import StorageReadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prompt_manager.core.manager import PromptManager
    from prompt_manager.core.template import TemplateEngine

__all__ = ["engine_with_names", "prompts_at"]


@contextmanager
def prompts_at(revision: str, directory: Path, manager: PromptManager) -> Iterator[PromptManager]:
    """The prompts that a directory had at a revision, with the helpers of a manager.

    Raises:
        click.ClickException: git does not have them, or they cannot be loaded.
    """
    from prompt_manager.cli.git import files_at
    from prompt_manager.core.manager import PromptManager

    with files_at(revision, directory) as files, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        # The directory had other partials then, so it has an engine of its own.
        try:
            yield PromptManager.from_directory_sync(files, template_engine=engine_with_names(manager))
        except StorageReadError as error:
            text = str(error).replace(str(files), str(directory))
            raise click.ClickException(f"the prompts at {revision} cannot be read: {text}") from error


def engine_with_names(manager: PromptManager) -> TemplateEngine:
    """An engine that accepts the names of a manager's helpers and partials, and has none of them."""
    from prompt_manager.core.template import TemplateEngine

    helpers, partials, _ = manager.template_engine.__getstate__()
    return TemplateEngine(known_helpers=[name for name, *_ in helpers], known_partials=[name for name, _ in partials])
