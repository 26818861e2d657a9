"""Checks of arguments, so that an error names the argument."""

from __future__ import annotations

from operator import index

from prompt_manager._encodable import check_encodable

__all__ = ["check_count", "check_text"]


def check_text(value: object, what: str) -> None:
    """Refuse what is not a text.

    Raises:
        TypeError: it has another type.
        ValueError: it has half a surrogate pair.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a text, not {type(value).__name__}")
    check_encodable(value, what, ValueError)


def check_count(value: object, what: str) -> None:
    """Refuse what is not a positive integer.

    Raises:
        TypeError: it is no integer.
        ValueError: it is not positive.
    """
    try:
        number = index(value)  # type: ignore[arg-type] # the numbers of numpy are integers, too
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}") from None
    if number < 1:
        raise ValueError(f"{what} must be positive, not {number}")
