"""Reads ``[tool.prompt-manager]`` in pyproject.toml: where a project has its prompts, its schemas and its manager."""

from __future__ import annotations

import importlib
import sys
import tomllib
import traceback
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prompt_manager._shown_path import shown_path
from prompt_manager.cli.load_warnings import write_load_warnings

if TYPE_CHECKING:
    from types import ModuleType

    from prompt_manager.core.manager import PromptManager

__all__ = ["AppError", "Project", "find_project", "import_module_of", "load_app", "read_table"]

_TABLE = "[tool.prompt-manager]"

_KEYS = ("prompts", "schemas", "app", "stubs")

_EXAMPLES = {"app": "my_app.prompts:manager", "stubs": "my_app/typed_prompts.py"}


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
        stubs: The file of the typed module, which ``prompt-manager stubs`` writes.
    """

    root: Path | None = None
    prompts: Path = Path("prompts")
    schemas: Path | None = None
    app: str | None = None
    stubs: Path | None = None


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
        if file.is_file() and (table := read_table(file)) is not None:
            return _project(file, table)
    return Project()


def read_table(file: Path) -> dict[str, Any] | None:
    """The table of a pyproject.toml. ``None`` if it has none.

    Raises:
        click.UsageError: the file is not TOML, or ``[tool.prompt-manager]`` is no table.
    """
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
            example = _EXAMPLES.get(key, f"my_app/{key}")
            raise click.UsageError(
                f'{key} of {_TABLE} in {shown_path(file)} must be a string\n  hint: write it as {key} = "{example}"'
            )
    root, app = file.parent, table.get("app")
    if app is not None and not _is_entry_point(app):
        raise click.UsageError(
            f"app of {_TABLE} in {shown_path(file)} must be a module and a name\n"
            '  hint: write it as app = "my_app.prompts:manager"'
        )
    schemas, stubs = table.get("schemas"), table.get("stubs")
    return Project(
        root=root,
        prompts=shown_path(root / table.get("prompts", "prompts")),
        schemas=None if schemas is None else shown_path(root / schemas),
        app=app,
        stubs=None if stubs is None else shown_path(root / stubs),
    )


def _is_entry_point(app: str) -> bool:
    module, colon, name = app.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), *name.split(".")))


def import_module_of(project: Project, name: str) -> ModuleType:
    """Import a module of the project's code. What it prints goes to standard error.

    The project's directory, and ``src`` in it, come first on ``sys.path`` from then on.
    """
    root = project.root or Path.cwd()
    for directory in (root / "src", root):
        if directory.is_dir() and str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    with redirect_stdout(sys.stderr):
        return importlib.import_module(name)


def _place_of(error: BaseException, root: Path) -> str:
    """The last line of the project's own code that an exception passed, as a line of the message."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root) and "site-packages" not in frame.filename
    ]
    return f"  at {shown_path(Path(frames[-1].filename))}:{frames[-1].lineno}\n" if frames else ""


def load_app(project: Project, *, warn: bool = False) -> PromptManager | None:
    """Import the manager that ``app`` names. ``None`` if the project names none.

    Warnings about its prompts are shown with ``warn``; otherwise the command reports the same problems.

    Raises:
        AppError: the module cannot be imported, has no such name, or what it names is no manager.
    """
    if project.app is None or project.root is None:
        return None
    from prompt_manager.core.manager import PromptManager

    module_name, _, name = project.app.partition(":")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            found: Any = import_module_of(project, module_name)
            for part in name.split("."):
                found = getattr(found, part)
    except (Exception, SystemExit) as error:  # the project's code
        raise AppError(
            f"cannot import app {project.app!r}: {type(error).__name__}: {error}\n{_place_of(error, project.root)}"
            "  hint: correct `app` under [tool.prompt-manager] in pyproject.toml, or the module that it names"
        ) from error
    if warn:
        write_load_warnings(caught, "prompt-manager check")
    if not isinstance(found, PromptManager):
        raise AppError(
            f"app {project.app!r} must be a PromptManager, not {type(found).__name__}\n"
            "  hint: app names a module and the variable in it that is the manager"
        )
    return found
