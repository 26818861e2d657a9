"""Breaks text into lines for a terminal, never inside a word."""

from __future__ import annotations

import re
import shutil
import unicodedata
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cells", "fitted", "terminal_columns", "wrapped"]

#: The minimum width of a terminal for wrapping. A narrower terminal gets whole rows and wraps them itself.
MIN_TERMINAL_WIDTH = 80

#: Punctuation and small kana with which no line begins, besides characters of some of Unicode's categories.
_NOT_FIRST = frozenset(
    "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\u30fb\u30fc\u2025\u2026"
    "\u3005\u303b\u309b\u309c\u309d\u309e\u30fd\u30fe"
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e"
    "\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee"
)


def terminal_columns() -> int | None:
    """The columns of the terminal. ``None`` if it is too narrow for wrapping."""
    columns = shutil.get_terminal_size().columns
    return columns if columns >= MIN_TERMINAL_WIDTH else None


def cells(text: str) -> int:
    """The cells that a text takes at most. Terminals differ in marks beside a letter and in joined emoji."""
    apart = sum(map(_cells_of, text))
    return apart if text.isascii() else max(apart, cell_len(text))


def _cells_of(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def wrapped(text: str, room: int | None) -> list[str]:
    """Break a text into lines of at most this many cells, between words. A longer word has a line of its own."""
    if room is None or cells(text) <= room:
        return [text]
    lines: list[str] = []
    line, used, space = "", 0, ""
    for word, gap in _words(text):
        size = cells(word)
        if line and used + len(space) + size > room:
            lines.append(line)
            line, used, space = "", 0, ""
        line += space + word
        used += len(space) + size
        space = gap
    return [*lines, line]


#: A line of source below an error, or the line with its caret.
_SOURCE_LINE = re.compile(r"\s*\d*\s+\|")


def fitted(message: str, room: int | None) -> str:
    """Break the lines of a message between words. Lines of source (``3 | template: …``) are left as they are."""
    if room is None:
        return message
    return "\n".join(part for line in message.split("\n") for part in _fitted_line(line, room))


def _fitted_line(line: str, room: int) -> list[str]:
    if cells(line) <= room or _SOURCE_LINE.match(line):
        return [line]
    text = line.lstrip(" ")
    indent = " " * (len(line) - len(text))
    hanging = indent + " " * (len("hint: ") if text.startswith("hint: ") else 2)
    first, *rest = wrapped(text, max(room - len(hanging), 20))
    return [indent + first, *(hanging + part for part in rest)]


def _words(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text between which a line may end, each with the blank that follows it."""
    words = text.split()
    for word in words:
        *parts, last = list(_parts(word))
        for part in parts:
            yield part, ""
        yield last, " "


def _parts(word: str) -> Iterator[str]:
    """Divide a word where Chinese and Japanese may end a line. Other scripts put blanks between words."""
    start = 0
    for at in range(1, len(word)):
        if _may_break(word[at - 1], word[at]):
            yield word[start:at]
            start = at
    yield word[start:]


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or unicodedata.category(after) in {"Mn", "Me", "Mc", "Cf", "Pe", "Pf"}:
        return False
    if unicodedata.category(before) in {"Ps", "Pi", "Cf"}:
        return False
    return _is_ideographic(before) and _is_ideographic(after) and not _are_katakana(before, after)


def _is_ideographic(char: str) -> bool:
    """Whether a line may end beside the character: an ideograph, a kana, or punctuation of these scripts."""
    return (
        char >= "\u2e80"
        and unicodedata.east_asian_width(char) in {"W", "F"}
        and (
            unicodedata.name(char, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY", "HIRAGANA", "KATAKANA"))
            or unicodedata.category(char) in {"Ps", "Pe", "Po"}
        )
    )


def _are_katakana(*chars: str) -> bool:
    """Whether all are katakana, which write one word of another language."""
    return all(unicodedata.name(char, "").startswith("KATAKANA") for char in chars)
