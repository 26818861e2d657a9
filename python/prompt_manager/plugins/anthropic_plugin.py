"""The plugin ``anthropic``: converts to Anthropic's Messages API, as plain dicts. Anthropic's package is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["AnthropicPlugin"]


@never_waits
class AnthropicPlugin(IntegrationPlugin):
    """The plugin ``anthropic``, which uses :class:`~prompt_manager.integrations.AnthropicIntegration`."""

    def __init__(self) -> None:
        super().__init__("anthropic")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.anthropic import AnthropicIntegration

        return AnthropicIntegration
