"""Read-only views: the dicts, lists and sets that a prompt holds.

A prompt that a manager hands out is shared by everybody who asks for it, so nothing that it holds may change. The views
are dicts, lists and sets: equal to plain ones, iterable, picklable, and written by ``json.dumps`` and ``model_dump``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from prompt_manager._native import PLAIN_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["EMPTY_DICT", "FrozenDict", "FrozenList", "FrozenSet", "freeze", "frozen_set", "thaw"]


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(self: object, *_: object, **__: object) -> NoReturn:
        kind = next(base.__name__ for base in (dict, list, set) if isinstance(self, base))
        raise TypeError(
            f"{name}: a prompt cannot be changed, and this {kind} belongs to one; make a changed prompt with "
            "prompt.replace(...), or change a copy: .copy()"
        )

    refuse.__name__ = name
    return refuse


def _read_only(view: type) -> type:
    """Make every method that changes an instance raise. ``__init__`` is one of them, because it can be called again."""
    shared = ("__init__", "__setattr__", "__delattr__", "clear", "pop")
    own = {
        dict: ("__setitem__", "__delitem__", "__ior__", "update", "popitem", "setdefault"),
        list: (
            *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
            *("append", "extend", "insert", "remove", "sort", "reverse"),
        ),
        set: (
            *("__ior__", "__iand__", "__ixor__", "__isub__", "add", "discard", "remove", "update"),
            *("difference_update", "intersection_update", "symmetric_difference_update"),
        ),
    }
    for name in (*shared, *own[view.__base__]):  # type: ignore[index]
        setattr(view, name, _refuse(name))
    return view


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed; made by :func:`freeze`."""

    __slots__ = ()

    def copy(self) -> dict[str, Any]:
        """A plain dict that may be changed, with plain values."""
        plain: dict[str, Any] = thaw(self)
        return plain

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict:
        return self

    def __reduce_ex__(self, _: object) -> tuple[Callable[[Any], Any], tuple[dict[str, Any]]]:
        return freeze, (dict(self),)


class FrozenList(list[Any]):
    """A list that cannot be changed; made by :func:`freeze`."""

    __slots__ = ()

    def copy(self) -> list[Any]:
        """A plain list that may be changed, with plain items."""
        plain: list[Any] = thaw(self)
        return plain

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: object) -> FrozenList:
        return self

    def __reduce_ex__(self, _: object) -> tuple[Callable[[Any], Any], tuple[list[Any]]]:
        return freeze, (list(self),)


class FrozenSet(set[Any]):
    """A set that cannot be changed; made by :func:`frozen_set`. For the set of fields, pydantic needs a ``set``."""

    __slots__ = ()

    def copy(self) -> set[Any]:
        """A plain set that may be changed."""
        return set(self)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))

    def __copy__(self) -> FrozenSet:
        return self

    def __deepcopy__(self, memo: object) -> FrozenSet:
        return self

    def __reduce_ex__(self, _: object) -> tuple[Callable[[Any], Any], tuple[list[Any]]]:
        # In order, because the order of a set differs between processes.
        return frozen_set, (sorted(self, key=str),)


for _view in (FrozenDict, FrozenList, FrozenSet):
    _read_only(_view)


def _frozen_dict(items: Iterable[tuple[Any, Any]]) -> FrozenDict:
    view = dict.__new__(FrozenDict)
    dict.update(view, items)
    return view


def _frozen_list(items: Iterable[Any]) -> FrozenList:
    view = list.__new__(FrozenList)
    list.extend(view, items)
    return view


def frozen_set(items: Iterable[Any]) -> FrozenSet:
    """Return a read-only copy of a set."""
    view = set.__new__(FrozenSet)
    set.update(view, items)
    return view


def freeze(value: Any, convert: Callable[[Any], Any] | None = None) -> Any:
    """Return a read-only copy: dicts and lists become views, sets become ``frozenset``, at every level.

    Any other value is kept, or converted with ``convert``.

    Raises:
        ValueError: the value is nested too deep, contains itself, or is too large. Items of a list that it
            holds twice count twice.

    >>> freeze({"a": [1, {"b": 2}]})["a"].append(3)
    Traceback (most recent call last):
        ...
    TypeError: append: a prompt cannot be changed, and this list belongs to one; make a changed prompt with \
prompt.replace(...), or change a copy: .copy()
    """
    return _Freezer(convert).freeze(value, 0)


#: The maximum number of members and items that one value of a prompt holds at all levels.
_MEMBERS = 1_000_000


class _Freezer:
    """Freezes one value, within limits."""

    def __init__(self, convert: Callable[[Any], Any] | None) -> None:
        self._convert = convert
        self._left = _MEMBERS

    def freeze(self, value: Any, depth: int) -> Any:
        if type(value) in _IMMUTABLE:
            return value
        if isinstance(value, Mapping):
            return _frozen_dict(zip(value, self._each(value.values(), depth), strict=True))
        if isinstance(value, list):
            return _frozen_list(self._each(value, depth))
        if type(value) is tuple:
            return tuple(self._each(value, depth))
        if isinstance(value, set | frozenset):
            return frozenset(self._each(value, depth))
        return value if self._convert is None else self._convert(value)

    def _each(self, values: Iterable[Any], depth: int) -> Iterator[Any]:
        if depth >= PLAIN_DEPTH:
            raise ValueError(
                f"the value is nested more than {PLAIN_DEPTH} levels deep, or contains itself; give a flatter value"
            )
        for value in values:
            self._left -= 1
            if self._left < 0:
                raise ValueError(
                    f"the value has more than {_MEMBERS:,} members at all levels; keep large data in a variable"
                )
            yield self.freeze(value, depth + 1)


_IMMUTABLE = frozenset({str, int, float, bool, type(None), FrozenDict, FrozenList, FrozenSet})


def thaw(value: Any) -> Any:
    """Return a copy that can be changed, with plain dicts and lists at every level."""
    if isinstance(value, dict):
        return {key: thaw(each) for key, each in value.items()}
    if isinstance(value, list):
        return [thaw(each) for each in value]
    return value


#: The view of an empty dict.
EMPTY_DICT: FrozenDict = freeze({})
