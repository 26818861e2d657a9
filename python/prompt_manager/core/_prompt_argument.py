"""Refuses an argument that is not a prompt, and says what to pass."""

from __future__ import annotations

__all__ = ["require_prompt"]

_HINTS = {
    "str": ": get the prompt of an id from the manager, with `manager.get_prompt(id)`",
    "dict": ": write `Prompt(**fields)`",
}


def require_prompt(prompt: object) -> None:
    """Refuse what is not a prompt.

    Raises:
        TypeError: it is something else.

    >>> require_prompt({"id": "hi"})
    Traceback (most recent call last):
    TypeError: expected a Prompt, not dict: write `Prompt(**fields)`
    """
    from prompt_manager.core.models import Prompt

    if not isinstance(prompt, Prompt):
        kind = type(prompt).__name__
        raise TypeError(f"expected a Prompt, not {kind}{_HINTS.get(kind, '')}")
