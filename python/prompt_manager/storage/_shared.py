"""The common part of our storages: their synchronous methods, over a store in the core."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence
    from typing import Any

    from prompt_manager._native import FileStore, MemoryStore
    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus

__all__ = ["Storage", "as_move", "as_prompt", "as_prompts", "checked", "warn"]


def warn(warnings: Sequence[str]) -> None:
    """Tell the author of prompts what was found while they were read."""
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=4)


def as_prompt(loaded: tuple[dict[str, Any], builtins.list[str]]) -> Prompt:
    """The prompt that a store gave."""
    from prompt_manager.core.models import Prompt

    plain, warnings = loaded
    warn(warnings)
    return Prompt.model_validate(plain)


def as_prompts(listed: tuple[builtins.list[dict[str, Any]], builtins.list[str]]) -> builtins.list[Prompt]:
    """The prompts that a store gave."""
    from prompt_manager.core.models import Prompt

    plains, warnings = listed
    warn(warnings)
    return [Prompt.model_validate(plain) for plain in plains]


def as_move(plain: dict[str, Any]) -> LabelMove:
    """The move that a store gave."""
    from prompt_manager.core.models import LabelMove

    return LabelMove.model_validate(plain)


def checked(
    tags: Sequence[str] | None, status: PromptStatus | str | None
) -> tuple[builtins.list[str], PromptStatus | None]:
    """The filters of a list."""
    from prompt_manager.core.models import PromptStatus

    if isinstance(tags, str):
        raise TypeError("tags must be a list of tags, not one text")
    return list(tags or ()), None if status is None else PromptStatus(status)


class Storage:
    """The synchronous half of a storage."""

    __slots__ = ("_core",)

    _core: FileStore | MemoryStore

    def save_sync(self, prompt: Prompt) -> None:
        """:meth:`save`, for code that does not await."""
        self._core.save_sync(prompt._plain())

    def load_sync(self, prompt_id: str, version: str | None = None) -> Prompt:
        """:meth:`load`, for code that does not await."""
        return as_prompt(self._core.load_sync(prompt_id, version))

    def delete_sync(self, prompt_id: str, version: str | None = None) -> None:
        """:meth:`delete`, for code that does not await."""
        self._core.delete_sync(prompt_id, version)

    def list_sync(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """:meth:`list`, for code that does not await."""
        return as_prompts(self._core.list_sync(*checked(tags, status)))

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """:meth:`exists`, for code that does not await."""
        return self._core.exists_sync(prompt_id, version)

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """:meth:`set_label`, for code that does not await."""
        return as_move(self._core.set_label_sync(prompt_id, label, version, author))

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """:meth:`get_label_history`, for code that does not await."""
        return [as_move(plain) for plain in self._core.label_history_sync(prompt_id, label)]
