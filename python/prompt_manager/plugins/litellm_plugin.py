"""The plugin ``litellm``: converts for LiteLLM, to plain dicts. LiteLLM's package is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["LiteLLMPlugin"]


@never_waits
class LiteLLMPlugin(IntegrationPlugin):
    """The plugin ``litellm``, which uses :class:`~prompt_manager.integrations.LiteLLMIntegration`."""

    def __init__(self) -> None:
        super().__init__("litellm")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.litellm import LiteLLMIntegration

        return LiteLLMIntegration
