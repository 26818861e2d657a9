"""Keeping prompts in memory, for tests and for applications that build their prompts anew at each start."""

from __future__ import annotations

from prompt_manager._native import Registry
from prompt_manager.core._sync import never_waits, run
from prompt_manager.core.template import TemplateEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from prompt_manager.core.models import Prompt, PromptStatus

__all__ = ["InMemoryStorage"]


@never_waits
class InMemoryStorage:
    """A storage that ends with the process.

    A draft is replaced when it is saved again; any other version only with the same content.
    """

    __slots__ = ("_core", "_engine")

    def __init__(self) -> None:
        self._engine = TemplateEngine()
        self._core = Registry(self._engine)

    async def save(self, prompt: Prompt) -> None:
        """Keep a prompt in its version.

        Raises:
            VersionConflictError: the id and version exist with other content.
        """
        self._core.insert(prompt._compiled(self._engine))

    def save_sync(self, prompt: Prompt) -> None:
        """:meth:`save`, for code that does not await."""
        run(self.save(prompt), "save")

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """The prompt in this version, or in its latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        from prompt_manager.core.models import Prompt

        return Prompt._of(self._core.get(prompt_id, version=version))

    def load_sync(self, prompt_id: str, version: str | None = None) -> Prompt:
        """:meth:`load`, for code that does not await."""
        return run(self.load(prompt_id, version), "load")

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Remove this version, or all.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        self._core.remove(prompt_id, version)

    def delete_sync(self, prompt_id: str, version: str | None = None) -> None:
        """:meth:`delete`, for code that does not await."""
        run(self.delete(prompt_id, version), "delete")

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Every version of every prompt that has all these tags and this status, by id and version."""
        from prompt_manager.core.models import Prompt, PromptStatus

        wanted = None if status is None else PromptStatus(status)
        return [
            Prompt._of(core)
            for core in self._core.all()
            if set(tags or ()) <= set(core.tags) and wanted in (None, core.status)
        ]

    def list_sync(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """:meth:`list`, for code that does not await."""
        return run(self.list(tags=tags, status=status), "list")

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is kept, in this version if one is given."""
        return self._core.contains(prompt_id, version)

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """:meth:`exists`, for code that does not await."""
        return self._core.contains(prompt_id, version)
