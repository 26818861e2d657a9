"""Protocols for replacing a component of the package with your own.

``isinstance`` checks whether an object has the methods:

>>> from prompt_manager import TemplateEngine
>>> isinstance(TemplateEngine(), TemplateEngineProtocol)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
    from datetime import datetime

    from prompt_manager.core.models import Prompt, PromptExecution, PromptStatus, PromptVersion

__all__ = [
    "CacheProtocol",
    "EventStreamProtocol",
    "MetricsCollectorProtocol",
    "ObserverProtocol",
    "PluginProtocol",
    "StorageBackendProtocol",
    "TemplateEngineProtocol",
    "VersionStoreProtocol",
]


@runtime_checkable
class TemplateEngineProtocol(Protocol):
    """A template engine."""

    async def render(
        self,
        template: str,
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str] | None = None,
    ) -> str:
        """Render a template."""
        ...

    async def validate(self, template: str) -> bool:
        """Return whether the template can be parsed."""
        ...

    def extract_variables(self, template: str) -> list[str]:
        """Return the names of the variables that a template reads."""
        ...


@runtime_checkable
class StorageBackendProtocol(Protocol):
    """A storage for prompts, such as :class:`~prompt_manager.storage.FileSystemStorage`.

    A storage may have more methods. With ``set_label(prompt_id, label, version, *, author=None)`` and
    ``get_label_history(prompt_id, label=None)`` it keeps labels. With ``generation()`` it tells a manager whether there
    are changes to take over: the result differs after each change that any process makes, and ``None`` means that the
    storage cannot tell. Without it, each look of :meth:`PromptManager.from_storage` lists all prompts.
    """

    async def save(self, prompt: Prompt) -> None:
        """Save a prompt under its id and version."""
        ...

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """Load the given version of a prompt, by default the latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        ...

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the given version of a prompt, by default all versions.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        ...

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> list[Prompt]:
        """Return all versions of all prompts. Each has all the given tags and the given status."""
        ...

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Return whether the prompt exists, in the given version if there is one."""
        ...


@runtime_checkable
class VersionStoreProtocol(Protocol):
    """A store for the records of versions, such as :class:`~prompt_manager.VersionStore`.

    If the store also has ``delete_version(prompt_id, version=None)``, deleting a prompt deletes its records too.
    """

    async def save_version(self, version: PromptVersion) -> None:
        """Save the record of a version."""
        ...

    async def get_version(self, prompt_id: str, version: str) -> PromptVersion:
        """Return the record of a version.

        Raises:
            VersionNotFoundError: there is no such record.
        """
        ...

    async def list_versions(self, prompt_id: str) -> list[PromptVersion]:
        """Return the records of a prompt, highest version first.

        Raises:
            PromptNotFoundError: the prompt has no records.
        """
        ...

    async def get_latest(self, prompt_id: str) -> PromptVersion:
        """Return the record of the highest version.

        Raises:
            PromptNotFoundError: the prompt has no records.
        """
        ...

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[PromptVersion]:
        """Return the records created between two times, highest version first.

        Raises:
            PromptNotFoundError: the prompt has no records.
        """
        ...


@runtime_checkable
class ObserverProtocol(Protocol):
    """Receives events. An observer may leave out methods, and each may be a coroutine or a plain function.

    A registry also calls ``on_prompt_registered(prompt)``, ``on_prompt_updated(prompt)``,
    ``on_prompt_deleted(prompt)`` and ``on_label_moved(prompt_id, move)`` if the observer has them.
    """

    async def on_render_start(self, prompt_id: str, version: str, variables: Mapping[str, Any]) -> None:
        """Called before a render."""
        ...

    async def on_render_complete(self, prompt_id: str, version: str, execution: PromptExecution) -> None:
        """Called after a successful render."""
        ...

    async def on_render_error(self, prompt_id: str, version: str, error: Exception) -> None:
        """Called after a failed render."""
        ...

    async def on_version_created(self, version: PromptVersion) -> None:
        """Called after a manager has created a version."""
        ...


@runtime_checkable
class CacheProtocol(Protocol):
    """A cache for rendered texts, such as :class:`~prompt_manager.core.cache.MemoryCache`.

    Each method may be a coroutine or a plain function. Synchronous renders use only a cache of plain functions.
    """

    def get(self, key: str) -> str | Awaitable[str | None] | None:
        """Return the text under a key, or ``None``."""
        ...

    def set(self, key: str, value: str, *, ttl: float | None = None) -> Awaitable[None] | None:
        """Keep a text under a key, for ``ttl`` seconds if given."""
        ...

    def invalidate(self, pattern: str) -> int | Awaitable[int]:
        """Drop the texts whose keys match a pattern such as ``"prompt:greeting:*"``. Returns how many there were."""
        ...

    def clear(self) -> Awaitable[None] | None:
        """Drop every text."""
        ...


@runtime_checkable
class MetricsCollectorProtocol(Protocol):
    """Collects metrics. :class:`~prompt_manager.observability.MetricsCollector` does. Its methods may be plain too."""

    async def record_render(self, prompt_id: str, version: str, duration_ms: float, success: bool) -> None:  # noqa: FBT001 - callers pass it by name
        """Record a render. ``duration_ms`` is 0 if it failed."""
        ...

    async def record_cache_hit(self, prompt_id: str) -> None:
        """Record a result that came from the cache."""
        ...

    async def record_cache_miss(self, prompt_id: str) -> None:
        """Record a result that was not in the cache."""
        ...

    async def get_metrics(self, *, since: datetime | None = None) -> dict[str, Any]:
        """Return what was recorded."""
        ...


@runtime_checkable
class EventStreamProtocol(Protocol):
    """Takes events to other processes. :class:`~prompt_manager.observability.EventStreamObserver` publishes them.

    ``publish`` may be a plain function. The package never calls ``subscribe``, which is for the readers of the stream.
    """

    async def publish(self, event_type: str, payload: Mapping[str, Any]) -> None:
        """Publish an event."""
        ...

    def subscribe(self, event_type: str) -> AsyncIterator[Mapping[str, Any]]:
        """Return the events of a type, as they arrive."""
        ...


@runtime_checkable
class PluginProtocol(Protocol):
    """Renders prompts for a framework. The usual base class is :class:`~prompt_manager.plugins.BasePlugin`.

    ``name`` and ``version`` must not change while the plugin is registered.
    """

    @property
    def name(self) -> str:
        """The name of the plugin, as callers pass it to the manager."""
        ...

    @property
    def version(self) -> str:
        """The version of the plugin."""
        ...

    async def initialize(self, config: Mapping[str, Any]) -> None:
        """Prepare the plugin for use."""
        ...

    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """Return the prompt in the framework's format."""
        ...

    async def validate_compatibility(self, prompt: Prompt) -> bool:
        """Return whether the framework supports this prompt."""
        ...

    async def shutdown(self) -> None:
        """Release the plugin's resources."""
        ...
