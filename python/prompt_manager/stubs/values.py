"""The types of values that a render takes for a variable of type ``list`` or ``dict``. Typed modules import them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Protocol, TypeAlias

__all__ = ["DictValue", "ListValue"]


class _Items(Protocol):
    """A list, a tuple or an array. A string does not match, because its ``in`` accepts only strings."""

    def __contains__(self, value: object, /) -> bool: ...

    def __getitem__(self, index: int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _PydanticModel(Protocol):
    __pydantic_fields__: ClassVar[dict[str, Any]]


class _AttrsClass(Protocol):
    __attrs_attrs__: ClassVar[Any]


class _Struct(Protocol):
    __struct_fields__: ClassVar[tuple[str, ...]]


#: What a loop of a template iterates over: items in order, a set, or an iterator. A text is an error.
ListValue: TypeAlias = _Items | AbstractSet[Any] | ValuesView[Any] | Iterator[Any]

#: A mapping, or an instance of a dataclass, a pydantic model, an attrs class or a msgspec struct.
DictValue: TypeAlias = Mapping[str, Any] | _Dataclass | _PydanticModel | _AttrsClass | _Struct
