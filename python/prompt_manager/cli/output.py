r"""Writes results to standard output, and warnings and errors to standard error.

A result is written exactly. Characters that the stream cannot encode become escapes (``\u2026``), not errors.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from prompt_manager._json_bytes import bytes_as_base64

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "drawn",
    "give_up_output",
    "has_colors",
    "styled",
    "to_terminal",
    "visible",
    "write_error",
    "write_json",
    "write_note",
    "write_text",
    "write_warning",
]


def to_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()


def visible(text: str) -> str:
    r"""Escape the control characters of a text, so that no file or argument can control the terminal.

    >>> visible("red: \x1b[31m")
    'red: \\x1b[31m'
    """
    return "".join(
        f"\\x{ord(char):02x}" if unicodedata.category(char) == "Cc" and char not in "\n\t" else char for char in text
    )


def _encoding(stream: TextIO) -> str:
    return stream.encoding or "utf-8"


def _fits(text: str, stream: TextIO) -> bool:
    try:
        text.encode(_encoding(stream))
    except UnicodeEncodeError:
        return False
    return True


def _write(text: str, stream: TextIO) -> None:
    """Write and flush, so that a closed pipe or a full disk raises an error here and not at exit."""
    if not _fits(text, stream):
        encoding = _encoding(stream)
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()


def write_text(text: str) -> None:
    """Write a result. On a terminal, end it with a newline."""
    if not _fits(text, sys.stdout):
        write_warning(
            f"standard output is {_encoding(sys.stdout)}: characters that it cannot encode are written as escapes\n"
            "  hint: set PYTHONIOENCODING=utf-8"
        )
    _write(text, sys.stdout)
    if to_terminal() and not text.endswith("\n"):
        _write("\n", sys.stdout)


def write_json(value: Any) -> None:
    """Write a result as JSON, with bytes as base64. If the stream cannot encode a character, use JSON's escapes."""
    value = bytes_as_base64(value)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if not _fits(text, sys.stdout):
        text = json.dumps(value, indent=2)
    _write(text + "\n", sys.stdout)


def give_up_output() -> None:
    """Discard further output, after standard output has failed. This prevents a second error at exit."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the process ends


def _write_message(text: str) -> None:
    """Write a message to standard error. On a terminal, no word is broken."""
    if sys.stderr.isatty():
        from prompt_manager.cli.wrapping import fitted, terminal_columns

        text = fitted(text, terminal_columns())
    _write(f"{text}\n", sys.stderr)


def write_error(text: str) -> None:
    """Write an error message to standard error."""
    _write_message(f"error: {visible(text)}")


def write_note(text: str) -> None:
    """Write a remark to standard error."""
    _write_message(visible(text))


def write_warning(text: str) -> None:
    """Write a warning to standard error."""
    _write_message(f"warning: {visible(text)}")


#: The escape sequences of styles.
_STYLES = {"bold": "1", "dim": "2", "underline": "4", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def has_colors() -> bool:
    """Whether standard output shows styles: a terminal, unless NO_COLOR is set."""
    environment = os.environ
    return to_terminal() and not environment.get("NO_COLOR") and environment.get("TERM", "") != "dumb"


def styled(text: str, style: str) -> str:
    """Add a style, such as ``"bold"`` or ``"bold red"``, to a text that a terminal shows."""
    if not style or not text or not has_colors():
        return text
    codes = ";".join(_STYLES[name] for name in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m"


def drawn(symbol: str, plain: str) -> str:
    """A symbol, or its plain spelling where standard output cannot encode it."""
    return symbol if _fits(symbol, sys.stdout) else plain
