"""The plugin ``bedrock``: converts to Amazon Bedrock's Converse API, as plain data. boto3 is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["BedrockPlugin"]


@never_waits
class BedrockPlugin(IntegrationPlugin):
    """The plugin ``bedrock``, which uses :class:`~prompt_manager.integrations.BedrockIntegration`."""

    def __init__(self) -> None:
        super().__init__("bedrock")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.bedrock import BedrockIntegration

        return BedrockIntegration
