"""The base of :class:`SchemaLoader`: it holds the schemas in the core, and whatever takes a loader reads them here."""

from __future__ import annotations

from prompt_manager._native import Schemas

__all__ = ["SchemaHolder", "held_schemas"]


class SchemaHolder:
    """An object that holds schemas in the core."""

    def __init__(self) -> None:
        self._core = Schemas()


def held_schemas(loader: object) -> Schemas:
    """The core's schemas of a loader that a caller gave as ``schemas``.

    Raises:
        TypeError: It is not a ``SchemaLoader``.
    """
    if isinstance(loader, SchemaHolder):
        return loader._core
    kind = loader.__name__ if isinstance(loader, type) else type(loader).__name__
    raise TypeError(f"schemas must be a SchemaLoader, such as manager.schemas, not {kind}")
