"""The plugin ``openai``: converts to OpenAI's APIs, as plain dicts. OpenAI's package is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["OpenAIPlugin"]


@never_waits
class OpenAIPlugin(IntegrationPlugin):
    """The plugin ``openai``, which uses :class:`~prompt_manager.integrations.OpenAIIntegration`."""

    def __init__(self) -> None:
        super().__init__("openai")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.openai import OpenAIIntegration

        return OpenAIIntegration
