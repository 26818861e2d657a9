"""Loads the prompts of a directory, finds one, converts it, and describes it as plain data.

It uses the core's prompts and not :class:`~prompt_manager.Prompt`, so that no command has to import pydantic.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prompt_manager.cli.output import write_warning
from prompt_manager.exceptions import StorageReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager

__all__ = ["convert", "describe", "find", "latest", "load", "summarize"]


def load(
    directory: str, schemas: str | None, *, unknown_variables: Literal["warn", "error", "ignore"] = "warn"
) -> PromptManager:
    """Load the prompts of a directory. Warnings go to standard error.

    Raises:
        StorageReadError: a file has a problem, or the directory cannot be read.
    """
    from prompt_manager.core.manager import PromptManager

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            manager = PromptManager.from_directory_sync(
                directory, schema_dir=schemas, unknown_variables=unknown_variables
            )
        except StorageReadError as error:
            if not Path(directory).exists():
                error.add_note("  hint: set the directory of the prompt files with --dir or PROMPT_MANAGER_DIR")
            raise
    for warning in caught:
        write_warning(str(warning.message))
    return manager


def latest(manager: PromptManager) -> list[CompiledPrompt]:
    """Return the latest version of each prompt, sorted by id."""
    return manager.registry._core.latest()


def find(manager: PromptManager, prompt_id: str, version: str | None, label: str | None) -> CompiledPrompt:
    """Find a version of a prompt, by default the latest.

    Raises:
        PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
        VersionNotFoundError: the prompt has no such version or label.
    """
    return manager.registry._core.get(prompt_id, version=version, label=label)


def convert(
    prompt: CompiledPrompt, provider: str, values: Mapping[str, Any], *, strict: bool, to_messages: bool
) -> Any:
    """Convert a prompt to a provider's format. Warnings go to standard error.

    Raises:
        ConversionError: a variable is missing, or the result breaks a rule of the provider.
        IncompatibleFormatError: the provider does not support prompts of this format.
    """
    from prompt_manager._native import Converter

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        converted = Converter(provider, None, strict=strict, to_messages=to_messages).convert(prompt, values)
    for warning in caught:
        write_warning(str(warning.message))
    return converted


def summarize(prompt: CompiledPrompt) -> dict[str, Any]:
    """Return the fields of a prompt for ``list``."""
    return {
        "id": prompt.id,
        "version": prompt.version,
        "format": prompt.format,
        "status": prompt.status,
        "description": prompt.description,
        "category": prompt.category,
        "author": prompt.author,
        "tags": prompt.tags,
        "labels": prompt.labels,
    }


def describe(manager: PromptManager, prompt: CompiledPrompt) -> dict[str, Any]:
    """Return the fields of a prompt for ``show``: the summary, versions, variables, and all fields of its file."""
    return {
        **summarize(prompt),
        "versions": manager.registry._core.versions(prompt.id),
        "variables": prompt.variables(),
        **{key: value for key, value in prompt.to_dict().items() if key != "labels"},
    }
