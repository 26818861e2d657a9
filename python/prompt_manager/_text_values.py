"""Reads the values of variables from texts: of the command line, of CSV files and of MCP clients."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["WRITTEN_AS_TEXT", "RepeatedKeyError", "json_problem", "may_be", "parse_json", "typed_value"]

#: The types whose values are texts of a format. Only null is JSON.
WRITTEN_AS_TEXT = frozenset({"date", "datetime", "uuid"})


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a number")
    return value


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, each of which may be there once."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise RepeatedKeyError(f"it has the key {name!a} twice")
        members[name] = value
    return members


def parse_json(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: the text is not JSON or is nested too deeply. ``json.JSONDecodeError`` if the position is known.
    """
    try:
        return json.loads(text, parse_constant=_reject_constant, parse_float=_finite, object_pairs_hook=_members)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (json.JSONDecodeError, RepeatedKeyError):
        raise
    except ValueError as error:
        # After a semicolon, Python's message about too many digits tells programmers which limit to raise.
        raise ValueError(str(error).partition(";")[0]) from error


def json_problem(error: ValueError) -> str:
    """The message of an error of :func:`parse_json`, with the position if it is known.

    >>> try:
    ...     parse_json('{"name": ')
    ... except ValueError as error:
    ...     print(json_problem(error))
    expecting value (column 10)
    """
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    line = f"line {error.lineno}, " if error.lineno > 1 else ""
    return f"{error.msg[:1].lower()}{error.msg[1:]} ({line}column {error.colno})"


def typed_value(text: str, variable: Mapping[str, Any]) -> Any:
    """Read the value of a variable from a text.

    A text variable takes the text itself, an enum one of its values, and other types JSON. Dates, times and UUIDs stay
    texts, which the render checks.

    Raises:
        ValueError: the text is not a value of the variable.
    """
    if variable["values"]:
        return _one_of(text, variable["values"])
    kind = variable["type"]
    if kind in {"string", "any"}:
        return text
    if kind in WRITTEN_AS_TEXT:
        return None if text.strip() == "null" else text
    try:
        value = parse_json(_spelled(text))
    except ValueError as error:
        raise ValueError(f"this is not JSON: {json_problem(error)}") from error
    # Null is for a variable that is not required.
    if value is not None and not _KINDS.get(kind, _is_anything)(value):
        raise ValueError(f"this is not a value of the type {kind}")
    return value


def may_be(value: Any, variable: Mapping[str, Any]) -> bool:
    """Whether a value of JSON has the type of a variable, or of one of its values. Null has each type."""
    if value is None:
        return True
    if variable["values"]:
        return isinstance(value, str) in {isinstance(each, str) for each in variable["values"]}
    return _KINDS.get(variable["type"], _is_anything)(value)


def _one_of(text: str, values: Sequence[Any]) -> Any:
    """The allowed value that a text spells, as it is or as JSON.

    Raises:
        ValueError: it spells none of them.
    """
    if text in values:
        return text
    try:
        read = parse_json(_spelled(text))
    except ValueError:
        read = text
    for value in values:
        # In Python, 1 and True are equal.
        if not isinstance(value, str) and value == read and isinstance(value, bool) == isinstance(read, bool):
            return value
    raise ValueError(f"{text!r} is none of the values")


def _spelled(text: str) -> str:
    """The text, with booleans in lower case: spreadsheets and pandas write TRUE and True."""
    lower = text.strip().lower()
    return lower if lower in {"true", "false"} else text


def _is_anything(value: object) -> bool:
    del value
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(["string", *WRITTEN_AS_TEXT], _is_text),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
}
