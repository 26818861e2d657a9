"""Reads the values of variables from ``--var`` and ``--vars``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Assignment", "check_text", "read_assignments", "read_files"]

_TYPE_NAMES: dict[type, str] = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


class Assignment(NamedTuple):
    """The name and value of one ``--var``."""

    name: str
    value: Any
    is_text: bool


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _parse(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: the text is not JSON or is nested too deeply. ``json.JSONDecodeError`` if the position is known.
    """
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        # After a semicolon, Python's message about too many digits tells programmers which limit to raise.
        raise ValueError(str(error).partition(";")[0]) from error


def check_text(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Reject an argument that is not valid Unicode. Used as a callback of click.

    Python represents bytes of an argument that are not UTF-8 as lone surrogates.

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
        raise ValueError(f"{text!r} must be written as NAME=TEXT or NAME:=JSON")
    if is_text:
        return Assignment(name, value, is_text)
    try:
        return Assignment(name, _parse(value), is_text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the value after {name}:= is not JSON: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"the value after {name}:= is not JSON: {error}") from error


def read_assignments(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Assignment, ...]:
    """Parse the values of ``--var``: ``name=text`` or ``name:=json``. Used as a callback of click.

    Raises:
        click.BadParameter: a value is written in another way.
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
        found = _TYPE_NAMES.get(type(values), "null")
        raise click.ClickException(
            f"variables in {shown} must be a JSON object, not {found}\n"
            '  hint: write an object with the values by name, such as {"name": "Ada"}'
        )
    return values


def read_files(paths: Iterable[str]) -> dict[str, Any]:
    """Read the values of variables from JSON files. Later files override earlier ones; ``-`` is standard input.

    Raises:
        click.ClickException: a file cannot be read, or its content is not a JSON object.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values.update(_read_file(path))
    return values
