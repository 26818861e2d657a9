"""Where the prompts of a directory are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager

__all__ = ["PromptPlace", "place_of", "places"]


class PromptPlace(NamedTuple):
    """A version of a prompt, and the place of its id in a file."""

    id: str
    version: str
    file: str
    line: int
    column: int

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(self.file)

    @property
    def shown(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


def places(directory: str, schemas: str | None, manager: PromptManager | None = None) -> list[PromptPlace]:
    """The places of all versions of all prompts that can be read. The manager has their helpers and partials.

    Raises:
        StorageReadError: the directory cannot be read.
    """
    from prompt_manager._native import Registry, prompt_places
    from prompt_manager.core.template import TemplateEngine

    registry = Registry(TemplateEngine()) if manager is None else manager.registry._core
    return [PromptPlace(*place) for place in prompt_places(registry, directory, schema_dir=schemas)]


def place_of(manager: PromptManager, prompt: CompiledPrompt, schemas: str | None) -> PromptPlace | None:
    """Where a prompt of a manager is written. ``None`` if it comes from no file of a directory."""
    directory = manager._directory
    if directory is None:
        return None
    found = places(directory, schemas, manager)
    return next((place for place in found if (place.id, place.version) == (prompt.id, prompt.version)), None)
