"""The manager: prompts by id, rendered and handed out."""

from __future__ import annotations

from prompt_manager.core.registry import PromptRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Any, Literal, Self

    from prompt_manager._native import Watch
    from prompt_manager.core.models import Prompt, PromptFormat, PromptStatus, PromptSummary
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.exceptions import PromptManagerError

__all__ = ["PromptManager"]


def _warn(warnings: list[str]) -> None:
    """Tell the author of prompt files what a load found."""
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=3)


class PromptManager:
    """An application's prompts.

    Args:
        registry: The prompts; an empty registry by default.
        template_engine: What compiles the prompts of the registry that is made by default.

    Every coroutine has a twin with the suffix ``_sync``, which takes and gives the same.

    >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
    >>> manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
    'Hello Ada! Your role is engineer.'
    """

    def __init__(
        self,
        registry: PromptRegistry | None = None,
        *,
        template_engine: TemplateEngine | None = None,
    ) -> None:
        if registry is None:
            registry = PromptRegistry(template_engine=template_engine)
        elif template_engine is not None and template_engine is not registry.template_engine:
            raise ValueError("the registry has a template engine of its own: give one or the other")
        self._registry = registry
        self._core = registry._core
        self._watch: Watch | None = None

    @classmethod
    async def from_directory(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        template_engine: TemplateEngine | None = None,
    ) -> Self:
        """Load every prompt file below a directory.

        Files end in ``.yaml`` or ``.yml``; what begins with a dot is passed over.

        Args:
            path: The directory of the prompts.
            schema_dir: The directory of the schemas that they name. Where it is given, a prompt that names a schema
                that is not there is an error.
            on_error: ``"raise"``: one bad file fails the load. ``"skip"``: the good ones load, the others are warned
                of.
            watch: Follow the directories, for development: what is saved is live within half a second, until
                :meth:`close`. A save that breaks something is logged (``prompt_manager``, level error) and in
                :attr:`reload_errors`, and the last good prompts stay; with ``on_error="skip"`` those of the broken
                file. A process that is forked has the prompts and does not follow.
            template_engine: What compiles the prompts.

        Raises:
            StorageReadError: files cannot be read or break a rule; ``errors`` has one exception for each place, with
                file, line and column.
        """
        manager = cls(template_engine=template_engine)
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(manager.registry, on_error=on_error)
            manager._watch = await loader.watch_directory(path, schema_dir=schema_dir)
        else:
            _warn(await manager._core.load_directory(path, schema_dir=schema_dir, on_error=on_error))
        return manager

    @classmethod
    def from_directory_sync(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        template_engine: TemplateEngine | None = None,
    ) -> Self:
        """:meth:`from_directory`, for code that does not await."""
        manager = cls(template_engine=template_engine)
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(manager.registry, on_error=on_error)
            manager._watch = loader.watch_directory_sync(path, schema_dir=schema_dir)
        else:
            _warn(manager._core.load_directory_sync(path, schema_dir=schema_dir, on_error=on_error))
        return manager

    @property
    def is_watching(self) -> bool:
        """Whether what is saved in the directory becomes live."""
        return self._watch is not None and self._watch.is_running

    @property
    def reload_errors(self) -> tuple[PromptManagerError, ...]:
        """What is wrong in the directory that is followed, one exception for each place; the last good prompts stay."""
        return () if self._watch is None else tuple(self._watch.errors)

    async def close(self) -> None:
        """Follow the directory no more; the manager renders on. It may be called again, and where none is followed."""
        if self._watch is not None:
            await self._watch.close()

    def close_sync(self) -> None:
        """:meth:`close`, for code that does not await."""
        if self._watch is not None:
            self._watch.close_sync()

    async def __aenter__(self) -> Self:
        """The manager itself, which the end of the block closes."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __enter__(self) -> Self:
        """The manager itself, which the end of the block closes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close_sync()

    @property
    def template_engine(self) -> TemplateEngine:
        """What compiles the prompts, and what integrations are given."""
        return self._registry.template_engine

    @property
    def registry(self) -> PromptRegistry:
        """The prompts."""
        return self._registry

    async def render(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> str:
        """Render a prompt to text.

        A chat becomes a transcript for people to read (``role: content``); what a provider is sent comes from
        :meth:`render_messages` or an integration.

        Args:
            prompt_id: The prompt.
            variables: The values of its variables. More than it uses may be given.
            version: The version; the latest by default.
            label: A label that points at the version.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            TemplateRenderError: a variable is missing or of another type, or the template cannot be rendered.
        """
        return self.render_sync(prompt_id, variables, version=version, label=label)

    def render_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> str:
        """:meth:`render`, for code that does not await."""
        given = {} if variables is None else variables
        if version is None and label is None:
            # The usual call hands on no keywords, for they cost too.
            return self._core.render(prompt_id, given)
        return self._core.render(prompt_id, given, version=version, label=label)

    async def render_messages(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> list[dict[str, Any]]:
        """Render a chat prompt to messages, in the form of prompt files.

        Each message is ``{"role": ..., "content": ...}`` with what else it has. No provider's rules are checked;
        for those there are the integrations.

        Raises:
            PromptError: the prompt is no chat.
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            TemplateRenderError: a variable is missing or of another type, or a template cannot be rendered.
        """
        return self.render_messages_sync(prompt_id, variables, version=version, label=label)

    def render_messages_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> list[dict[str, Any]]:
        """:meth:`render_messages`, for code that does not await."""
        return self._core.render_messages(
            prompt_id, {} if variables is None else variables, version=version, label=label
        )

    async def get_prompt(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """The whole of a prompt, in its latest version, in this one, or in the one that a label points at.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: it has no such version or label.
        """
        return self._registry.get_sync(prompt_id, version, label=label)

    def get_prompt_sync(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """:meth:`get_prompt`, for code that does not await."""
        return self._registry.get_sync(prompt_id, version, label=label)

    async def list_prompts(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[PromptSummary]:
        """Summaries of the latest versions that fit all that is given, by id; see :meth:`PromptRegistry.list`."""
        return self.list_prompts_sync(
            status=status,
            tags=tags,
            category=category,
            format=format,
            label=label,
            limit=limit,
            offset=offset,
        )

    def list_prompts_sync(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[PromptSummary]:
        """:meth:`list_prompts`, for code that does not await."""
        return self._registry.list_sync(
            status=status,
            tags=tags,
            category=category,
            format=format,
            label=label,
            limit=limit,
            offset=offset,
        )
