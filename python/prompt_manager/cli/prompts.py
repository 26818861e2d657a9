"""Loads the prompts of a directory, finds one, converts it, and describes it as plain data.

It uses the core's prompts and not :class:`~prompt_manager.Prompt`, so that no command has to import pydantic.
"""

from __future__ import annotations

import shlex
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from prompt_manager.cli.load_warnings import write_load_warnings
from prompt_manager.cli.output import write_warning
from prompt_manager.cli.progress import progress
from prompt_manager.cli.project import find_project, load_app
from prompt_manager.exceptions import StorageReadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.cli.options import Selection
    from prompt_manager.cli.written import PromptPlace
    from prompt_manager.core.manager import PromptManager
    from prompt_manager.integrations.types import Provider

__all__ = ["convert", "describe", "find", "load", "search", "summarize"]


def load(
    directory: str,
    schemas: str | None,
    *,
    unknown_variables: Literal["warn", "error", "ignore"] = "warn",
    watch: bool = False,
) -> PromptManager:
    """Load the prompts of a directory, with the helpers, partials and models of the project's ``app``.

    The manager that ``app`` names is used itself if its prompts come from this directory or from a storage. Warnings go
    to standard error.

    Raises:
        AppError: the manager of the project cannot be imported.
        StorageReadError: a file has a problem, or the directory cannot be read.
    """
    with progress("loading the prompts"):
        return _loaded(directory, schemas, unknown_variables, watch=watch)


def _loaded(
    directory: str, schemas: str | None, unknown_variables: Literal["warn", "error", "ignore"], *, watch: bool
) -> PromptManager:
    project = find_project()
    app = load_app(project, warn=True) if _is_same(directory, project.prompts) else None
    if app is None:
        return _from_directory(directory, schemas, unknown_variables, None, watch=watch)
    own = app.registry.storage is not None or (app._directory is not None and _is_same(directory, app._directory))
    if Path(directory).is_dir() and (watch or not own):
        return _from_directory(directory, schemas, unknown_variables, app, watch=watch)
    if watch:
        raise click.ClickException(f"--watch follows a directory, and there is no directory '{directory}'")
    app.registry._core.set_unknown_variables(unknown_variables)
    return app


def _is_same(one: str | Path, other: str | Path) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _from_directory(
    directory: str,
    schemas: str | None,
    unknown_variables: Literal["warn", "error", "ignore"],
    app: PromptManager | None,
    *,
    watch: bool,
) -> PromptManager:
    """Load a directory. It shares the engine, schemas and other prompts of ``app``."""
    from prompt_manager.core.manager import PromptManager

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            manager = PromptManager.from_directory_sync(
                directory,
                schema_dir=schemas,
                watch=watch,
                unknown_variables=unknown_variables,
                template_engine=None if app is None else app.template_engine,
            )
        except StorageReadError as error:
            if not Path(directory).exists():
                error.add_note("  hint: set the directory of the prompt files with --dir or PROMPT_MANAGER_DIR")
            raise
    write_load_warnings(caught, _check_command(directory))
    if app is not None:
        _take_over(manager, app)
    return manager


def _check_command(directory: str) -> str:
    """The command that shows the findings of a directory."""
    is_default = _is_same(directory, find_project().prompts)
    return "prompt-manager check" if is_default else f"prompt-manager check {shlex.quote(directory)}"


def _take_over(manager: PromptManager, app: PromptManager) -> None:
    """Add what only the project's code has: schemas, models and prompts."""
    core, other = manager.registry._core, app.registry._core
    known = set(core.schemas.names())
    for name in other.schemas.names():
        if name not in known:
            schema = other.schemas.get(name)
            if isinstance(schema, type):
                core.schemas.put_model(name, schema)
            else:
                core.schemas.put(schema)
    for prompt in other.all():
        if not core.contains(prompt.id, prompt.version):
            core.upsert(prompt)


def search(
    manager: PromptManager,
    *,
    status: str | None = None,
    kind: str | None = None,
    category: str | None = None,
    tags: Sequence[str] = (),
    label: str | None = None,
    text: str | None = None,
) -> list[CompiledPrompt]:
    """Return the latest version of each prompt that matches, sorted by id; with a label, the versions it points at."""
    found = manager.registry._core.search(
        {"status": status, "format": kind, "category": category, "tags": list(tags), "label": label, "text": text},
        offset=0,
        limit=None,
    )
    return sorted(found, key=lambda prompt: prompt.id)


def find(manager: PromptManager, selection: Selection) -> CompiledPrompt:
    """Find a version of a prompt.

    Raises:
        PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
        VersionNotFoundError: the prompt has no such version or label.
    """
    return manager.registry._core.get(selection.id, version=selection.version, label=selection.label)


def convert(
    prompt: CompiledPrompt,
    provider: str,
    values: Mapping[str, Any],
    *,
    strict: bool,
    to_messages: bool,
    output_instructions: bool | None,
) -> Any:
    """Convert a prompt to a provider's format. Warnings go to standard error.

    Raises:
        ConversionError: a variable is missing, or the result breaks a rule of the provider.
        IncompatibleFormatError: the provider does not support prompts of this format.
    """
    from prompt_manager._native import Converter

    target = "responses" if provider == "openai-responses" else provider
    with _warnings_to_stderr():
        converter = Converter(
            target, None, strict=strict, to_messages=to_messages, output_instructions=output_instructions
        )
        return converter.convert(prompt, values)


def build_request(
    manager: PromptManager,
    selection: Selection,
    provider: Provider,
    values: Mapping[str, Any],
    *,
    model: str | None,
    strict: bool,
    output_instructions: bool | None,
) -> Any:
    """The arguments of a provider's call. Warnings go to standard error.

    Raises:
        ConversionError: a variable is missing, or the request breaks a rule of the provider.
    """
    with _warnings_to_stderr():
        return manager.build_request_sync(
            selection.id,
            values,
            provider,
            version=selection.version,
            label=selection.label,
            model=model,
            strict=strict,
            output_instructions=output_instructions,
        )


@contextmanager
def _warnings_to_stderr() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        write_warning(str(warning.message))


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


def describe(manager: PromptManager, prompt: CompiledPrompt, place: PromptPlace | None) -> dict[str, Any]:
    """Return what ``show`` has of a prompt: the summary, versions, labels, variables, and all fields of its file."""
    from prompt_manager._native import prompt_uses

    core = manager.registry._core
    uses: dict[str, list[dict[str, Any]]] = {}
    for name, template, partial, at in prompt_uses(core, prompt, file=None if place is None else place.file):
        line, column = at or (None, None)
        use = {"template": template, "partial": partial, "line": line, "column": column}
        uses.setdefault(name, []).append(use)
    versions = core.versions(prompt.id)
    labels = {label: version for version in versions for label in core.get(prompt.id, version=version).labels}
    return {
        **summarize(prompt),
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "versions": versions,
        "all_labels": dict(sorted(labels.items())),
        "variables": [{**variable, "uses": uses.get(variable["name"], [])} for variable in prompt.variables()],
        **{key: value for key, value in prompt.to_dict().items() if key != "labels"},
    }
