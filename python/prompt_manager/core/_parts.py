"""Refuses an object that cannot do what the package calls it for, and says what to pass."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["require_methods", "require_object"]


def require_object(part: object, what: str) -> None:
    """Refuse a class, which is usually an object without its parentheses.

    >>> require_object(dict, "the cache")
    Traceback (most recent call last):
    TypeError: the cache must be an object, not the class dict: write `dict(...)`
    """
    if isinstance(part, type):
        raise TypeError(f"{what} must be an object, not the class {part.__name__}: write `{part.__name__}(...)`")


def require_methods(part: object, what: str, methods: Iterable[str], example: str) -> None:
    """Refuse what lacks one of these methods.

    >>> require_methods({}, "the cache", ["set"], "MemoryCache")
    Traceback (most recent call last):
    TypeError: the cache dict has no method `set`: it needs those of MemoryCache
    """
    require_object(part, what)
    for name in methods:
        if not callable(getattr(part, name, None)):
            raise TypeError(f"{what} {type(part).__name__} has no method `{name}`: it needs those of {example}")
