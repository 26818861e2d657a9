"""A storage in memory, for tests and for applications that create their prompts at each start."""

from __future__ import annotations

from prompt_manager._native import MemoryStore
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.core._sync import never_waits
from prompt_manager.storage._shared import as_move, as_prompt, as_prompts, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Sequence
    from typing import Any

    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus

__all__ = ["InMemoryStorage"]


@never_waits
class InMemoryStorage:
    """Stores prompts in memory. They are lost when the process ends.

    You can replace a draft with other content. Any other version keeps its content and does not become a draft again;
    only its status, metadata and labels can change. Saving the same prompt again changes nothing.
    """

    __slots__ = ("_core",)

    def __init__(self) -> None:
        self._core = MemoryStore()

    def __reduce__(self) -> tuple[Callable[..., InMemoryStorage], tuple[object, ...]]:
        """What pickle and deepcopy take: the prompts and the moves of their labels."""
        return _restore, (type(self), *self._core.state())

    async def save(self, prompt: Prompt) -> None:
        """Save a prompt under its id and version.

        Raises:
            PromptError: the prompt has no template yet.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
        """
        self.save_sync(prompt)

    def save_sync(self, prompt: Prompt) -> None:
        """Save a prompt under its id and version.

        Raises:
            PromptError: the prompt has no template yet.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
        """
        require_prompt(prompt)
        self._core.save_sync(prompt._plain())

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """Return the given version of a prompt, by default the latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
        """
        return self.load_sync(prompt_id, version)

    def load_sync(self, prompt_id: str, version: str | None = None) -> Prompt:
        """Return the given version of a prompt, by default the latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
        """
        return as_prompt(self._core.load_sync(prompt_id, version))

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the given version of a prompt and the labels that point at it, by default all versions.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        self.delete_sync(prompt_id, version)

    def delete_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the given version of a prompt and the labels that point at it, by default all versions.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        self._core.delete_sync(prompt_id, version)

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Return all versions of all prompts, sorted by id and version.

        Args:
            tags: Return only prompts that have all these tags.
            status: Return only prompts with this status.
        """
        return self.list_sync(tags=tags, status=status)

    def list_sync(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Return all versions of all prompts, sorted by id and version.

        Args:
            tags: Return only prompts that have all these tags.
            status: Return only prompts with this status.
        """
        return as_prompts(self._core.list_sync(*checked(tags, status)))

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Return whether the prompt, or the given version of it, exists."""
        return self.exists_sync(prompt_id, version)

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """Return whether the prompt, or the given version of it, exists."""
        return self._core.exists_sync(prompt_id, version)

    async def generation(self) -> int:
        """Return a number that is greater after each change.

        A process that holds the prompts in memory compares it with the last one, and reads again if it differs.
        """
        return self.generation_sync()

    def generation_sync(self) -> int:
        """Return a number that is greater after each change.

        A process that holds the prompts in memory compares it with the last one, and reads again if it differs.
        """
        return self._core.generation_sync()

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, and return the move that was recorded.

        A label in a prompt's own ``labels`` counts until you move it for the first time.

        Args:
            prompt_id: The id of the prompt.
            label: The label, such as ``"production"``.
            version: The version, or None to remove the label.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version, or no such label to remove.
        """
        return self.set_label_sync(prompt_id, label, version, author=author)

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, and return the move that was recorded.

        A label in a prompt's own ``labels`` counts until you move it for the first time.

        Args:
            prompt_id: The id of the prompt.
            label: The label, such as ``"production"``.
            version: The version, or None to remove the label.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version, or no such label to remove.
        """
        return as_move(self._core.set_label_sync(prompt_id, label, version, author))

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return self.get_label_history_sync(prompt_id, label)

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return [as_move(plain) for plain in self._core.label_history_sync(prompt_id, label)]


def _restore(
    kind: type[InMemoryStorage], prompts: list[dict[str, Any]], moves: dict[str, list[dict[str, Any]]]
) -> InMemoryStorage:
    """Fill a new storage with what a pickled one held."""
    storage = kind()
    storage._core.restore(prompts, moves)
    return storage
