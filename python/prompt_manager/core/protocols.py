"""What a part of your own must offer to take the place of one of ours. Each can be checked at run time.

>>> from prompt_manager import TemplateEngine
>>> isinstance(TemplateEngine(), TemplateEngineProtocol)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core.models import Prompt, PromptStatus

__all__ = ["StorageBackendProtocol", "TemplateEngineProtocol"]


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
