"""Reads ``[tool.prompt-manager]`` in pyproject.toml: where a project has its prompts, its schemas and its manager."""

from __future__ import annotations

import importlib
import sys
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prompt_manager._shown_path import shown_path

if TYPE_CHECKING:
    from prompt_manager.core.manager import PromptManager

__all__ = ["AppError", "Project", "find_project", "load_app"]

_TABLE = "[tool.prompt-manager]"

_KEYS = ("prompts", "schemas", "app")


class AppError(click.ClickException):
    """The manager that ``app`` names cannot be imported. The exception that the project's code raised is the cause."""


@dataclass(frozen=True, slots=True)
class Project:
    """What the command line knows of a project.

    Attributes:
        root: The directory of pyproject.toml. ``None`` if there is none with our table.
        prompts: The directory of the prompt files, ``prompts`` by default.
        schemas: The directory of the schema files. ``None`` leaves it to the directory ``schemas`` of the prompts.
        app: Where the project's manager is: ``"module:name"``.
    """

    root: Path | None = None
    prompts: Path = Path("prompts")
    schemas: Path | None = None
    app: str | None = None


def find_project(start: Path | None = None) -> Project:
    """Read the nearest pyproject.toml that has our table, in this directory or above it.

    Paths of the table are below the directory of the file. They are returned as they are best shown: relative to the
    current directory if they are in it.

    Raises:
        click.UsageError: the file is not TOML, or the table has an unknown key or a value of another type.
    """
    start = (start or Path.cwd()).absolute()
    for root in (start, *start.parents):
        file = root / "pyproject.toml"
        if file.is_file() and (table := _read_table(file)) is not None:
            return _project(file, table)
    return Project()


def _read_table(file: Path) -> dict[str, Any] | None:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("tool", {})
    except OSError as error:
        raise click.UsageError(f"cannot read {shown_path(file)}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"{shown_path(file)} is not TOML: {error}") from error
    table = tool.get("prompt-manager") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise click.UsageError(f"{_TABLE} in {shown_path(file)} must be a table")
    return table


def _project(file: Path, table: dict[str, Any]) -> Project:
    for key, value in table.items():
        if key not in _KEYS:
            from prompt_manager._native import nearest

            near = nearest(key, list(_KEYS))
            hint = f"did you mean {near!r}?" if near else f"its keys are {', '.join(_KEYS)}"
            raise click.UsageError(f"{_TABLE} in {shown_path(file)} has the unknown key {key!r}\n  hint: {hint}")
        if not isinstance(value, str) or not value:
            example = "my_app.prompts:manager" if key == "app" else f"my_app/{key}"
            raise click.UsageError(
                f'{key} of {_TABLE} in {shown_path(file)} must be a string\n  hint: write it as {key} = "{example}"'
            )
    root, app = file.parent, table.get("app")
    if app is not None and not _is_entry_point(app):
        raise click.UsageError(
            f"app of {_TABLE} in {shown_path(file)} must be a module and a name\n"
            '  hint: write it as app = "my_app.prompts:manager"'
        )
    schemas = table.get("schemas")
    return Project(
        root=root,
        prompts=shown_path(root / table.get("prompts", "prompts")),
        schemas=None if schemas is None else shown_path(root / schemas),
        app=app,
    )


def _is_entry_point(app: str) -> bool:
    module, colon, name = app.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), *name.split(".")))


def load_app(project: Project) -> PromptManager | None:
    """Import the manager that ``app`` names. ``None`` if the project names none.

    The project's directory, and ``src`` in it, come first on ``sys.path`` from then on. Warnings about its
    prompts are not shown, because the command reports the same problems.

    Raises:
        AppError: the module cannot be imported, has no such name, or what it names is no manager.
    """
    if project.app is None or project.root is None:
        return None
    from prompt_manager.core.manager import PromptManager

    module_name, _, name = project.app.partition(":")
    for directory in (project.root / "src", project.root):
        if directory.is_dir() and str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found: Any = importlib.import_module(module_name)
            for part in name.split("."):
                found = getattr(found, part)
    except Exception as error:  # the project's code
        raise AppError(f"cannot import app {project.app!r}: {type(error).__name__}: {error}") from error
    if not isinstance(found, PromptManager):
        raise AppError(
            f"app {project.app!r} must be a PromptManager, not {type(found).__name__}\n"
            "  hint: app names a module and the variable in it that is the manager"
        )
    return found
