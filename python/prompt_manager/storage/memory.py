"""Keeping prompts in memory, for tests and for applications that build their prompts anew at each start."""

from __future__ import annotations

from prompt_manager._native import MemoryStore
from prompt_manager.core._sync import never_waits
from prompt_manager.storage._shared import Storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus

__all__ = ["InMemoryStorage"]


@never_waits
class InMemoryStorage(Storage):
    """A storage that ends with the process.

    A draft is replaced when it is saved again. Any other version keeps its content and does not become a draft again;
    its status, metadata and labels may change. Saving the same prompt again changes nothing.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self._core = MemoryStore()

    async def save(self, prompt: Prompt) -> None:
        """Keep a prompt in its version.

        Raises:
            PromptError: it has no template yet.
            VersionConflictError: the version exists, is no draft, and the prompt has other content or is a draft.
        """
        self.save_sync(prompt)

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """The prompt in this version, or in its latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
        """
        return self.load_sync(prompt_id, version)

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Remove this version, with the labels that point at it, or all.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        self.delete_sync(prompt_id, version)

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Every version of every prompt that has all these tags and this status, by id and version."""
        return self.list_sync(tags=tags, status=status)

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is kept, in this version if one is given."""
        return self.exists_sync(prompt_id, version)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or with None take it off; gives the move.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version, or no such label to take off.
        """
        return self.set_label_sync(prompt_id, label, version, author=author)

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """The moves of one label of a prompt, or of all; the oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return self.get_label_history_sync(prompt_id, label)
