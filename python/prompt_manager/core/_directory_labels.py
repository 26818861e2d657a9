"""The labels of a directory's prompts, as its ``labels.yaml`` has them, with the methods of a storage."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from prompt_manager._native import Registry
    from prompt_manager.core.models import LabelMove

__all__ = ["DirectoryLabels"]


class DirectoryLabels:
    """Moves labels in ``labels.yaml``. The core's registry takes each move over."""

    __slots__ = ("_core", "path")

    def __init__(self, core: Registry, path: str | os.PathLike[str]) -> None:
        from os.path import abspath

        self._core = core
        # A program may change its working directory. Importing pathlib for this would take longer than a load.
        self.path = abspath(path)  # noqa: PTH100

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or take it off with ``version=None``."""
        return _move(await self._core.set_label_in(self.path, prompt_id, label, version, author))

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or take it off with ``version=None``."""
        return _move(self._core.set_label_in_sync(self.path, prompt_id, label, version, author))

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first."""
        moves = map(_move, await self._core.moves_in(self.path, prompt_id))
        return [move for move in moves if label in {None, move.label}]

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first."""
        moves = map(_move, self._core.moves_in_sync(self.path, prompt_id))
        return [move for move in moves if label in {None, move.label}]


def _move(plain: dict[str, Any]) -> LabelMove:
    from prompt_manager.core.models import LabelMove

    return LabelMove.model_validate(plain)
