"""The values of a prompt's variables as the command is given them: ``--var`` and ``--vars``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Assignment", "check_text", "read_assignments", "read_files"]

_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


class Assignment(NamedTuple):
    """One ``--var``."""

    name: str
    value: Any
    is_text: bool


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, or nests too deeply; a ``json.JSONDecodeError`` where the place is known.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it nests too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # Python's own limit for the digits of an integer says after a semicolon what a programmer could do.
        raise ValueError(str(error).partition(";")[0]) from error


def check_text(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A callback for arguments that must be Unicode text; what is not comes from the system with half surrogates.

    Raises:
        click.BadParameter: the argument is not UTF-8.
    """
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{value!a} is not UTF-8", ctx, param) from None
    return value


def _read_assignment(text: str) -> Assignment:
    name, equals, value = text.partition("=")
    is_text = not name.endswith(":")
    name = name.removesuffix(":").strip()
    if not equals or not name:
        raise ValueError(f"{text!r} is not of the form NAME=TEXT or NAME:=JSON")
    if is_text:
        return Assignment(name, value, is_text)
    try:
        return Assignment(name, _parse(value), is_text)
    except json.JSONDecodeError as error:
        raise ValueError(f"what follows {name}:= is not JSON: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"what follows {name}:= is not JSON: {error}") from error


def read_assignments(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Assignment, ...]:
    """A callback for ``name=text`` and ``name:=json``.

    Raises:
        click.BadParameter: one of them has another form.
    """
    for value in values:
        check_text(ctx, param, value)
    try:
        return tuple(map(_read_assignment, values))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def _read_file(path: str) -> dict[str, Any]:
    shown = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        values = _parse(data.decode("utf-8-sig"))
    except OSError as error:
        raise click.ClickException(f"cannot read variables from {shown}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"variables in {shown} are not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        message = f"variables in {shown} are not JSON: {error.msg}\n  at {shown}:{error.lineno}:{error.colno}"
        raise click.ClickException(message) from error
    except ValueError as error:
        raise click.ClickException(f"variables in {shown} are not JSON: {error}") from error
    if not isinstance(values, dict):
        kind = _KINDS.get(type(values), "null")
        raise click.ClickException(
            f"variables in {shown} must be a JSON object, not {kind}\n"
            '  hint: an object has a value for each name, such as {"name": "Ada"}'
        )
    return values


def read_files(paths: Iterable[str]) -> dict[str, Any]:
    """The values in JSON files, of which a later one wins; ``-`` is standard input.

    Raises:
        click.ClickException: a file cannot be read or does not hold a JSON object.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values.update(_read_file(path))
    return values
