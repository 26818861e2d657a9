"""Renders Python rows, one after the other: the prompt is looked up once, and errors have the number of their row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from time import perf_counter

from prompt_manager.core.events import BatchEvent
from prompt_manager.exceptions import PromptManagerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core._observers import Observers

__all__ = ["check_rows", "rendered_rows", "shift_row", "shift_row_in_message", "with_row"]


def check_rows(rows: object) -> None:
    """Refuse what is not an iterable of rows.

    Raises:
        TypeError: it is not iterable, or it is one row.
    """
    kind = type(rows).__name__
    if isinstance(rows, Mapping):
        raise TypeError(f"`rows` must be an iterable of mappings, not one mapping\n  hint: pass a list of one {kind}")
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
        raise TypeError(f"`rows` must be an iterable of mappings, not {kind}")


def rendered_rows(
    core: CompiledPrompt,
    render: Callable[[Mapping[str, Any]], Any],
    rows: Iterable[Mapping[str, Any]],
    *,
    on_error: Literal["raise", "return"],
    observers: Observers,
    target: str | None,
    first: int = 0,
) -> Iterator[Any]:
    """Yield what ``render`` returns for each row, counted from ``first``. At the end, observers get one batch event."""
    begin, done, failed = perf_counter(), 0, 0
    try:
        for number, row in enumerate(rows, first):
            try:
                made = render(row)
            except PromptManagerError as error:
                failed += 1
                numbered = with_row(error, number)
                if on_error == "raise":
                    raise numbered from error
                yield numbered
            except TypeError as error:  # a row that is no mapping
                raise TypeError(f"row {number}: {error}") from error
            else:
                done += 1
                yield made
    finally:
        duration_ms = (perf_counter() - begin) * 1000
        event = BatchEvent(core.id, core.version, rows=done, errors=failed, duration_ms=duration_ms, target=target)
        observers.tell_now("on_batch_complete", event)


def with_row(error: PromptManagerError, number: int) -> PromptManagerError:
    """The same error with the number of its row."""
    return _changed(error, f"row {number}: {error.message}", f"row {number}: {error}", number)


def shift_row(error: PromptManagerError, by: int) -> PromptManagerError:
    """The same error with its row number raised by ``by``, for a table that begins after ``by`` rows of a file."""
    if "row" not in error.context:
        return error
    number = int(error.context["row"]) + by
    return _changed(error, shift_row_in_message(error.message, by), shift_row_in_message(str(error), by), number)


def shift_row_in_message(message: str, by: int) -> str:
    """The same message with its row number raised by ``by``.

    >>> shift_row_in_message("row 1: Missing variable 'name'", 1000)
    "row 1001: Missing variable 'name'"
    """
    return re.sub(r"^row (\d+): ", lambda found: f"row {int(found[1]) + by}: ", message)


def _changed(error: PromptManagerError, message: str, report: str, number: int) -> PromptManagerError:
    copy: PromptManagerError = error.__class__.__new__(error.__class__, error.message)
    copy.__dict__.update(error.__dict__)
    copy.message = message
    copy.context = {**error.context, "row": number}
    copy.args = (message, *error.args[1:])
    copy._report = report
    return copy
