"""Frameworks by name: plugins, and the registry that finds those of installed packages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.plugins.base import BasePlugin
    from prompt_manager.plugins.registry import PluginInfo, PluginRegistry

__all__ = ["BasePlugin", "PluginInfo", "PluginRegistry"]

_MODULES = {"BasePlugin": "base", "PluginInfo": "registry", "PluginRegistry": "registry"}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
