"""Loads public names on first use."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load"]


def load(package: str, modules: Mapping[str, str], name: str) -> object:
    """Import a public name from the module that defines it, and store it in the package for the next access.

    Args:
        package: The full name of the package.
        modules: For each public name, the module that defines it, relative to the package.
        name: The name to import.

    Raises:
        AttributeError: the package has no such name.
    """
    module = modules.get(name)
    if module is None:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{package}.{module}"), name)
    setattr(sys.modules[package], name, value)
    return value
