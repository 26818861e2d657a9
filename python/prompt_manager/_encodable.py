"""Refuses texts with half a surrogate pair before they get into a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager._native import encoding_problem

if TYPE_CHECKING:
    from prompt_manager.exceptions import PromptManagerError

__all__ = ["check_encodable"]


def check_encodable(text: str, what: str, error: type[PromptManagerError | ValueError]) -> None:
    """Raise an error that has the position, but not the text, if UTF-8 cannot encode a text."""
    problem = encoding_problem(text, what)
    if problem is not None:
        raise error(problem)
