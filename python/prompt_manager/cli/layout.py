"""Lays out text for a terminal: tables and wrapped lines, which are never broken inside a word.

In a file or a pipe, each row is one line, and nothing is wrapped.
"""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from prompt_manager.cli.output import styled, to_terminal, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Column", "cells", "fitted", "one_line", "table", "width", "wrapped"]

#: The minimum width of a terminal for wrapping. A narrower terminal gets whole rows and wraps them itself.
MIN_TERMINAL_WIDTH = 80

#: On a terminal, the maximum width of a column other than the last one. A longer cell has a line of its own.
MAX_COLUMN_WIDTH = 28

#: The blank cells between two columns.
GAP = 2

#: Punctuation and small kana with which no line begins, besides characters of some of Unicode's categories.
_NOT_FIRST = frozenset(
    "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\u30fb\u30fc\u2025\u2026"
    "\u3005\u303b\u309b\u309c\u309d\u309e\u30fd\u30fe"
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e"
    "\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee"
)


class Column(NamedTuple):
    """A column of a table: its title, and the style of its cells."""

    title: str = ""
    style: str = ""


def width(*, of_errors: bool = False) -> int | None:
    """The columns of the terminal that shows the output, or the errors. ``None`` if nothing is to be wrapped."""
    if not (sys.stderr.isatty() if of_errors else to_terminal()):
        return None
    columns = shutil.get_terminal_size().columns
    return columns if columns >= MIN_TERMINAL_WIDTH else None


def one_line(text: str | None) -> str:
    """Join the lines of a text, and show its control characters."""
    return visible(" ".join((text or "").split()))


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


def table(rows: Iterable[Sequence[str]], columns: Sequence[Column], *, indent: int = 0) -> list[str]:
    """Lay out rows of cells, each of which is one line of text.

    A column without a title and without a text is left out. Titles are written if there are any. On a terminal, the
    last column is wrapped.
    """
    found = [tuple(row) for row in rows]
    has_titles = any(column.title for column in columns)
    shown = [at for at, column in enumerate(columns) if column.title or any(row[at] for row in found)]
    limit = width()
    sizes = [_size([columns[at].title, *(row[at] for row in found)], limit) for at in shown[:-1]]
    lines = []
    if has_titles:
        titles = [styled(columns[at].title, "bold") for at in shown]
        lines += _row([columns[at].title for at in shown], titles, sizes, indent, None)
    for row in found:
        texts = [row[at] for at in shown]
        styles = [styled(row[at], columns[at].style) for at in shown]
        lines += _row(texts, styles, sizes, indent, limit)
    return lines


def _size(texts: Iterable[str], limit: int | None) -> int:
    """The cells of a column: those of its longest text, unless that would leave too little for the others."""
    sizes = [cells(text) for text in texts]
    if limit is None:
        return max(sizes)
    return max((size for size in sizes if size <= MAX_COLUMN_WIDTH), default=0)


def _row(
    texts: Sequence[str], styles: Sequence[str], sizes: Sequence[int], indent: int, limit: int | None
) -> list[str]:
    """The lines of one row. ``styles`` are the texts with their escape sequences, which take no room."""
    lines, line, at = [], " " * indent, indent
    for text, style, size in zip(texts, styles, sizes, strict=False):
        taken = cells(text)
        if taken > size:
            # What follows begins below, where its column is.
            first, *rest = wrapped(text, None if limit is None else max(limit - at, 20))
            lines.append(line + (first if rest else style))
            lines += [" " * at + text for text in rest]
            line, taken = " " * at, 0
        else:
            line += style
        line += " " * (size - taken + GAP)
        at += size + GAP
    longest = max(map(cells, texts[-1].split()), default=0)
    below = indent + 2 * GAP
    if limit is not None and below <= limit - longest < at:
        # The last column has no room for its longest word.
        lines.append(line.rstrip(" "))
        line, at = " " * below, below
    room = None if limit is None else max(limit - at, 20)
    first, *rest = wrapped(texts[-1], room)
    lines.append((line + (styles[-1] if not rest else first)).rstrip(" "))
    lines += [" " * at + text for text in rest]
    return [line for line in lines if line.strip()]
