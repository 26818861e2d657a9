"""Storages for prompts, and the loader for prompt files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.storage.file import FileSystemStorage
    from prompt_manager.storage.memory import InMemoryStorage
    from prompt_manager.storage.yaml_loader import YAMLLoader

__all__ = ["FileSystemStorage", "InMemoryStorage", "YAMLLoader"]

_MODULES = {"FileSystemStorage": "file", "InMemoryStorage": "memory", "YAMLLoader": "yaml_loader"}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
