"""Writes Python source: texts, literals and names that nothing in a prompt can break out of."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ClassNames", "comment_text", "docstring", "literal_type", "quoted"]


def quoted(text: str) -> str:
    r"""Write a text in double quotes. Unprintable characters are escaped, also those that would reorder the line.

    >>> print(quoted('say "hi"\n'))
    "say \"hi\"\n"
    """
    return f'"{_escaped(text)}"'


def docstring(text: str) -> str:
    """Write a text on one line in triple quotes, with the quotes in it escaped."""
    return f'"""{_escaped(comment_text(text))}"""'


def comment_text(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return "".join(_char(char) for char in text)


def _char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char == "\n":
        return "\\n"
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x100:  # noqa: PLR2004 - the most that \x can write
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - the most that \u can write


def literal_type(values: Iterable[Any]) -> str:
    """The type of one of these values. A float has no literal type.

    >>> literal_type(["low", 1, True, 0.5])
    'Literal["low", 1, True] | float'
    """
    written: list[str] = []
    for value in values:
        if not isinstance(value, float):
            written.append(quoted(value) if isinstance(value, str) else repr(value))
        elif value.is_integer():
            # 1 and 1.0 are the same value of an enum.
            written.append(repr(int(value)))
    parts = [f"Literal[{', '.join(dict.fromkeys(written))}]"] * bool(written)
    parts += ["float"] * any(isinstance(value, float) for value in values)
    return " | ".join(parts)


class ClassNames:
    """Gives out class names, each once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def new(self, name: str, suffix: str) -> str:
        """A name in CapWords for an id or the name of a schema.

        >>> names = ClassNames(["Prompts"])
        >>> names.new("support/triage", "Variables"), names.new("support_triage", "Variables"), names.new("2fa", "")
        ('SupportTriageVariables', 'SupportTriageVariables2', 'Prompt2fa')
        """
        words = re.findall(r"\w+", name.replace("_", " "))
        made = "".join(word[0].upper() + word[1:] for word in words) + suffix
        if not made.isidentifier() or iskeyword(made):
            made = f"Prompt{made}"
        wanted, number = made, 2
        while wanted in self._taken:
            wanted, number = f"{made}{number}", number + 1
        self._taken.add(wanted)
        return wanted
