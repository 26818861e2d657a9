"""Refuses keyword arguments and words that do not exist, and suggests what the caller probably meant."""

from __future__ import annotations

from prompt_manager._native import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from enum import StrEnum
    from typing import TypeVar

    Word = TypeVar("Word", bound=StrEnum)

__all__ = ["check_keywords", "read_word"]


def check_keywords(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse the first name in ``given`` that is not in ``known``.

    Raises:
        TypeError: There is such a name. The message has the nearest known name, or all of them if none is near.

    >>> check_keywords(["tag"], ["status", "tags"])
    Traceback (most recent call last):
    TypeError: unexpected keyword argument 'tag'; did you mean 'tags'?
    """
    for name in given:
        if name not in known:
            near = nearest(name, list(known))
            hint = f"did you mean '{near}'?" if near else f"expected one of: {', '.join(known)}"
            raise TypeError(f"unexpected keyword argument '{name}'; {hint}")


def read_word(kind: type[Word], what: str, given: str) -> Word:
    """Convert a word to a member of an enum.

    Raises:
        ValueError: There is no such member. The message has the nearest one, and a hint lists all.

    >>> from prompt_manager.core.models import PromptStatus
    >>> read_word(PromptStatus, "status", "activ")
    Traceback (most recent call last):
    ValueError: unknown status 'activ'; did you mean 'active'?
      hint: known: draft, active, deprecated, archived
    """
    try:
        return kind(given)
    except ValueError:
        known = [word.value for word in kind]
        near = nearest(given, known) if isinstance(given, str) else None
        meant = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"unknown {what} {given!r}{meant}\n  hint: known: {', '.join(known)}") from None
