"""Reads the values of variables from ``--var`` and ``--vars``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from prompt_manager._text_values import RepeatedKeyError, json_problem, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Assignment", "check_text", "read_assignments", "read_values"]

_TYPE_NAMES: dict[type, str] = {list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


class Assignment(NamedTuple):
    """The name and value of one ``--var``."""

    name: str
    value: Any
    is_text: bool


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
        return Assignment(name, parse_json(value), is_text)
    except ValueError as error:
        raise ValueError(
            f"the value after {name}:= is not JSON: {json_problem(error)}\n  hint: give a text with {name}=TEXT"
        ) from error


def read_assignments(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Assignment, ...]:
    """Parse the values of ``--var``: ``name=text`` or ``name:=json``. Used as a callback of click.

    Raises:
        click.BadParameter: a value is written in another way.
    """
    for value in values:
        check_text(ctx, param, value)
    try:
        assignments = tuple(map(_read_assignment, values))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    names: set[str] = set()
    for assignment in assignments:
        if assignment.name in names:
            raise click.BadParameter(f"{assignment.name!r} is given twice", ctx, param)
        names.add(assignment.name)
    return assignments


_EXAMPLE = '{"name": "Ada", "documents": [{"title": "Refunds"}]}'


def _read_file(path: str) -> dict[str, Any]:
    shown = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        values = parse_json(data.decode("utf-8-sig"))
    except OSError as error:
        raise click.ClickException(f"cannot read variables from {shown}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"variables in {shown} are not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        message = f"variables in {shown} are not JSON: {error.msg}\n  at {shown}:{error.lineno}:{error.colno}"
        raise click.ClickException(f"{message}\n  hint: write a JSON object, such as {_EXAMPLE}") from error
    except RepeatedKeyError as error:
        raise click.UsageError(f"variables in {shown} cannot be used: {error}") from error
    except ValueError as error:
        raise click.ClickException(f"variables in {shown} are not JSON: {error}") from error
    if not isinstance(values, dict):
        found = _TYPE_NAMES.get(type(values), "null")
        raise click.ClickException(
            f"variables in {shown} must be a JSON object, not {found}\n"
            f"  hint: write an object with the values by name, such as {_EXAMPLE}"
        )
    return values


def read_values(paths: Iterable[str], assignments: Iterable[Assignment]) -> dict[str, Any]:
    """Read the values of variables from JSON files, where ``-`` is standard input. Those of ``--var`` override them.

    Raises:
        click.ClickException: a file cannot be read, or its content is not a JSON object.
        click.UsageError: two files have the same variable.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for path in paths:
        for name, value in _read_file(path).items():
            if name in sources:
                raise click.UsageError(f"the variable {name!r} is in two files: {sources[name]} and {path}")
            values[name] = value
            sources[name] = path
    return values | {assignment.name: assignment.value for assignment in assignments}
