"""The plugin ``langchain``: LangChain's prompt templates. It needs the extra ``langchain``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.exceptions import IntegrationNotAvailableError
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["LangChainPlugin"]


@never_waits
class LangChainPlugin(IntegrationPlugin):
    """Prompts by the name ``langchain``, through :class:`~prompt_manager.integrations.LangChainIntegration`.

    A manager wants the values of all variables, and they are bound in the template. For a template that is given some
    at each use, use the integration.
    """

    # A template completes what is bound in it, each time that it is used.
    _completes = True

    def __init__(self) -> None:
        super().__init__("langchain")

    def check_available(self) -> None:
        """Raise where LangChain is not installed.

        Raises:
            IntegrationNotAvailableError: it is not.
        """
        if find_spec("langchain_core") is None:
            raise IntegrationNotAvailableError("LangChain", "langchain")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.langchain import LangChainIntegration

        return LangChainIntegration
