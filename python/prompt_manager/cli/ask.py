"""Asks on the terminal for the values of variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from prompt_manager._text_values import WRITTEN_AS_TEXT, typed_value
from prompt_manager.cli.layout import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt

__all__ = ["ask_for"]


def ask_for(prompt: CompiledPrompt, values: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for each required variable that has no value. Questions go to standard error.

    Raises:
        click.Abort: the person gives up with Ctrl-C or Ctrl-D.
    """
    missing = [variable for variable in prompt.variables() if variable["required"] and variable["name"] not in values]
    return {variable["name"]: _ask(variable) for variable in missing}


def _ask(variable: Mapping[str, Any]) -> Any:
    kind = variable["type"]
    about = f": {one_line(variable['description'])}" if variable["description"] else ""
    if variable["values"]:
        expected = " (" + ", ".join(map(one_line, map(str, variable["values"]))) + ")"
    elif kind in WRITTEN_AS_TEXT:
        expected = f" ({kind})"
    else:
        expected = "" if kind in {"string", "any"} else f" ({kind}, as JSON)"
    return click.prompt(
        f"{one_line(variable['name'])}{expected}{about}",
        prompt_suffix="\n> ",
        default="" if kind == "string" and not variable["values"] else None,
        show_default=False,
        value_proc=lambda text: _value(text, variable),
        err=True,
    )


def _value(text: str, variable: Mapping[str, Any]) -> Any:
    try:
        return typed_value(text, variable)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
