"""Refuses keyword arguments that do not exist, and suggests the name that the caller probably meant."""

from __future__ import annotations

from prompt_manager._native import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["check_keywords"]


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
