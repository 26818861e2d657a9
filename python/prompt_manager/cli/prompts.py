"""The prompts that a command works on: loading a directory, finding one, converting it, describing it as plain data.

Works on the core's handles of prompts, so that no command has to wait for pydantic.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_manager.cli.output import write_warning
from prompt_manager.exceptions import StorageReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager

__all__ = ["convert", "describe", "find", "latest", "load", "summarize"]


def load(directory: str, schemas: str | None) -> PromptManager:
    """The prompts of a directory; what the load warns of goes to standard error.

    Raises:
        StorageReadError: a file is broken, or the directory cannot be read.
    """
    from prompt_manager.core.manager import PromptManager

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            manager = PromptManager.from_directory_sync(directory, schema_dir=schemas)
        except StorageReadError as error:
            if not Path(directory).exists():
                error.add_note("  hint: name the directory of the prompts with --dir or PROMPT_MANAGER_DIR")
            raise
    for warning in caught:
        write_warning(str(warning.message))
    return manager


def latest(manager: PromptManager) -> list[CompiledPrompt]:
    """The latest version of each prompt, by id."""
    return manager.registry._core.latest()


def find(manager: PromptManager, prompt_id: str, version: str | None, label: str | None) -> CompiledPrompt:
    """One version of a prompt.

    Raises:
        PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
        VersionNotFoundError: it has no such version or label.
    """
    return manager.registry._core.get(prompt_id, version=version, label=label)


def convert(
    prompt: CompiledPrompt, provider: str, values: Mapping[str, Any], *, strict: bool, to_messages: bool
) -> Any:
    """The prompt in a provider's form, as the integrations make it; lossy steps are warned of.

    Raises:
        ConversionError: a variable is missing, or the result breaks a rule of the provider.
        IncompatibleFormatError: the provider has no form for it.
    """
    from prompt_manager._native import Converter

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        form = Converter(provider, None, strict=strict, to_messages=to_messages).convert(prompt, values)
    for warning in caught:
        write_warning(str(warning.message))
    return form


def summarize(prompt: CompiledPrompt) -> dict[str, Any]:
    """What a list says of a prompt."""
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
    """All there is to say of a prompt: the summary, its variables, its versions, and the rest as its file has it."""
    return {
        **summarize(prompt),
        "versions": manager.registry._core.versions(prompt.id),
        "variables": prompt.variables(),
        **{key: value for key, value in prompt.to_dict().items() if key != "labels"},
    }
