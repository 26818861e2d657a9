"""The registry: prompts by id and version, compiled and ready to render."""

from __future__ import annotations

from prompt_manager._native import Registry
from prompt_manager.core._sync import Turns, run
from prompt_manager.core.template import TemplateEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt, PromptFormat, PromptStatus, PromptSummary
    from prompt_manager.core.protocols import StorageBackendProtocol

__all__ = ["PromptRegistry"]


class PromptRegistry:
    """Prompts by id and version. What is registered lives in the core and cannot be changed through a reference.

    Args:
        storage: Where prompts are kept; nowhere but in memory by default. What it refuses is not registered.
        template_engine: What compiles the prompts.
    """

    def __init__(
        self,
        storage: StorageBackendProtocol | None = None,
        *,
        template_engine: TemplateEngine | None = None,
    ) -> None:
        self._storage = storage
        self._engine = template_engine or TemplateEngine()
        self._core = Registry(self._engine)
        self._turns = Turns()

    @property
    def template_engine(self) -> TemplateEngine:
        """What compiles the prompts."""
        return self._engine

    @property
    def storage(self) -> StorageBackendProtocol | None:
        """Where prompts are kept, if anywhere."""
        return self._storage

    async def register(self, prompt: Prompt) -> None:
        """Add a prompt, keeping it in the storage first.

        A draft is replaced; another version that is there with the same content is left as it is.

        Raises:
            TemplateSyntaxError: a template cannot be parsed.
            VersionConflictError: the id and version exist with other content.
        """
        core = prompt._compiled(self._engine)
        if self._storage is None:
            self._core.insert(core)
            return
        async with self._turns.take((prompt.id, prompt.version), self._storage):
            # Its place is taken first, so that what cannot be registered is not saved; and given back if the storage
            # refuses it.
            before = self._core.replace(core)
            try:
                await self._storage.save(prompt)
            except BaseException:
                self._core.restore(core, before)
                raise

    def register_sync(self, prompt: Prompt) -> None:
        """:meth:`register`, for code that does not await."""
        run(self.register(prompt), "register", self._storage)

    async def get(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """The prompt in its latest version, in this one, or in the one that a label points at.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: it has no such version or label.
        """
        return self.get_sync(prompt_id, version, label=label)

    def get_sync(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """:meth:`get`, for code that does not await."""
        from prompt_manager.core.models import Prompt

        return Prompt._of(self._core.get(prompt_id, version=version, label=label))

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Remove this version of a prompt, or all, from the storage too.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version.
        """
        if version is None:
            self._core.versions(prompt_id)
        else:
            self._core.get(prompt_id, version=version)
        if self._storage is not None:
            await self._storage.delete(prompt_id, version)
        self._core.remove(prompt_id, version)

    def delete_sync(self, prompt_id: str, version: str | None = None) -> None:
        """:meth:`delete`, for code that does not await."""
        run(self.delete(prompt_id, version), "delete", self._storage)

    async def list(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> builtins.list[PromptSummary]:
        """Summaries of the latest versions that fit all that is given, by id.

        Args:
            status: The status.
            tags: Tags, of which a prompt must have all.
            category: The category.
            format: The format.
            label: A label that points at the version.
            limit: At most so many.
            offset: How many to pass over first.
        """
        return self.list_sync(
            status=status,
            tags=tags,
            category=category,
            format=format,
            label=label,
            limit=limit,
            offset=offset,
        )

    def list_sync(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> builtins.list[PromptSummary]:
        """:meth:`list`, for code that does not await."""
        from prompt_manager.core.models import PromptFormat, PromptStatus, PromptSummary

        def fits(core: CompiledPrompt) -> bool:
            return (
                (status is None or core.status == PromptStatus(status))
                and (tags is None or set(tags) <= set(core.tags))
                and (category is None or core.category == category)
                and (format is None or core.format == PromptFormat(format))
                and (label is None or label in core.labels)
            )

        if isinstance(tags, str):
            raise TypeError("tags must be a list of tags, not one text")
        if offset < 0 or (limit is not None and limit < 0):
            raise ValueError("limit and offset must not be negative")
        found = [core for core in self._core.latest() if fits(core)]
        end = None if limit is None else offset + limit
        return [PromptSummary.model_validate(core, from_attributes=True) for core in found[offset:end]]

    async def get_versions(self, prompt_id: str) -> builtins.list[str]:
        """The versions of a prompt, the lowest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return self._core.versions(prompt_id)

    def get_versions_sync(self, prompt_id: str) -> builtins.list[str]:
        """:meth:`get_versions`, for code that does not await."""
        return self._core.versions(prompt_id)

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is registered, in this version if one is given."""
        return self._core.contains(prompt_id, version)

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """:meth:`exists`, for code that does not await."""
        return self._core.contains(prompt_id, version)

    async def count(self) -> int:
        """How many prompts are registered, each counted once."""
        return len(self._core)

    def count_sync(self) -> int:
        """:meth:`count`, for code that does not await."""
        return len(self._core)

    async def load_from_storage(self) -> int:
        """Register every prompt that the storage keeps; gives how many were read.

        Raises:
            VersionConflictError: a version is registered with other content.
        """
        if self._storage is None:
            return 0
        prompts = await self._storage.list()
        for prompt in prompts:
            self._core.insert(prompt._compiled(self._engine))
        return len(prompts)

    def load_from_storage_sync(self) -> int:
        """:meth:`load_from_storage`, for code that does not await."""
        return run(self.load_from_storage(), "load_from_storage", self._storage)
