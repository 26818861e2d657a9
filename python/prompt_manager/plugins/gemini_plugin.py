"""The plugin ``gemini``: converts to Google's Gemini API, as plain data. The ``google-genai`` package is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["GeminiPlugin"]


@never_waits
class GeminiPlugin(IntegrationPlugin):
    """The plugin ``gemini``, which uses :class:`~prompt_manager.integrations.GeminiIntegration`."""

    def __init__(self) -> None:
        super().__init__("gemini")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.gemini import GeminiIntegration

        return GeminiIntegration
