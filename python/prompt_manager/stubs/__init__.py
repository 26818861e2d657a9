"""Typed modules for directories of prompts, which ``prompt-manager stubs`` writes.

The modules import the types of :mod:`prompt_manager.stubs.values`, only for type checkers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.stubs.module import MARKER, typed_module
    from prompt_manager.stubs.values import DictValue, ListValue

__all__ = ["MARKER", "DictValue", "ListValue", "typed_module"]

_MODULES = {"DictValue": "values", "ListValue": "values", "MARKER": "module", "typed_module": "module"}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
