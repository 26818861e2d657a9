"""What a part of your own must offer to take the place of one of ours. Each can be checked at run time.

>>> from prompt_manager import TemplateEngine
>>> isinstance(TemplateEngine(), TemplateEngineProtocol)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from prompt_manager.core.models import Prompt, PromptExecution, PromptStatus, PromptVersion

__all__ = [
    "ObserverProtocol",
    "PluginProtocol",
    "StorageBackendProtocol",
    "TemplateEngineProtocol",
    "VersionStoreProtocol",
]


@runtime_checkable
class TemplateEngineProtocol(Protocol):
    """Renders templates."""

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
        """Whether the template can be parsed."""
        ...

    def extract_variables(self, template: str) -> list[str]:
        """The names of the variables that a template reads."""
        ...


@runtime_checkable
class StorageBackendProtocol(Protocol):
    """Keeps prompts."""

    async def save(self, prompt: Prompt) -> None:
        """Keep a prompt in its version."""
        ...

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """A prompt in this version, or in its latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
        """
        ...

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Remove this version, or all.

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
        """Every version of every prompt that has all these tags and this status."""
        ...

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is kept, in this version if one is given."""
        ...


@runtime_checkable
class VersionStoreProtocol(Protocol):
    """Keeps the history of versions.

    A store that offers ``delete_version(prompt_id, version=None)`` too forgets what is deleted.
    """

    async def save_version(self, version: PromptVersion) -> None:
        """Keep the record of a version."""
        ...

    async def get_version(self, prompt_id: str, version: str) -> PromptVersion:
        """The record of a version.

        Raises:
            VersionNotFoundError: there is none.
        """
        ...

    async def list_versions(self, prompt_id: str) -> list[PromptVersion]:
        """The records of a prompt, the highest version first.

        Raises:
            PromptNotFoundError: there is none.
        """
        ...

    async def get_latest(self, prompt_id: str) -> PromptVersion:
        """The record of the highest version.

        Raises:
            PromptNotFoundError: there is none.
        """
        ...

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[PromptVersion]:
        """The records that were made between two times, the highest version first.

        Raises:
            PromptNotFoundError: there is none.
        """
        ...


@runtime_checkable
class ObserverProtocol(Protocol):
    """Is told of events. An observer may lack methods, and have them as plain functions.

    A registry also tells of ``on_prompt_registered(prompt)``, ``on_prompt_updated(prompt)``,
    ``on_prompt_deleted(prompt)`` and ``on_label_moved(prompt_id, move)``, where an observer has such methods.
    """

    async def on_render_start(self, prompt_id: str, version: str, variables: Mapping[str, Any]) -> None:
        """A render begins."""
        ...

    async def on_render_complete(self, prompt_id: str, version: str, execution: PromptExecution) -> None:
        """A render has ended well."""
        ...

    async def on_render_error(self, prompt_id: str, version: str, error: Exception) -> None:
        """A render has failed."""
        ...

    async def on_version_created(self, version: PromptVersion) -> None:
        """A manager has created a version."""
        ...


@runtime_checkable
class PluginProtocol(Protocol):
    """Renders prompts for a framework; :class:`~prompt_manager.plugins.BasePlugin` is the usual base.

    Name and version must not change.
    """

    @property
    def name(self) -> str:
        """The name that it is asked for by."""
        ...

    @property
    def version(self) -> str:
        """The version of the plugin."""
        ...

    async def initialize(self, config: Mapping[str, Any]) -> None:
        """Make the plugin ready."""
        ...

    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """The prompt in the framework's form."""
        ...

    async def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether the framework has a form for this prompt."""
        ...

    async def shutdown(self) -> None:
        """Let go of what it holds."""
        ...
