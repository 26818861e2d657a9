"""Lays out tables for a terminal.

In a file or a pipe, each row is one line, and nothing is wrapped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prompt_manager.cli.output import styled, to_terminal, visible
from prompt_manager.cli.wrapping import cells, terminal_columns, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Column", "one_line", "table", "width"]

#: On a terminal, the maximum width of a column other than the last one. A longer cell has a line of its own.
MAX_COLUMN_WIDTH = 28

#: The blank cells between two columns.
GAP = 2


class Column(NamedTuple):
    """A column of a table: its title, and the style of its cells."""

    title: str = ""
    style: str = ""


def width() -> int | None:
    """The columns of the terminal that shows the output. ``None`` if nothing is to be wrapped."""
    return terminal_columns() if to_terminal() else None


def one_line(text: str | None) -> str:
    """Join the lines of a text, and show its control characters."""
    return visible(" ".join((text or "").split()))


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
