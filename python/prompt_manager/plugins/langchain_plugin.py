"""The plugin ``langchain``: LangChain's prompt templates. It needs the extra ``langchain``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import never_waits
from prompt_manager.exceptions import IntegrationNotAvailableError
from prompt_manager.plugins._integration import IntegrationPlugin

if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["LangChainPlugin"]


@never_waits
class LangChainPlugin(IntegrationPlugin):
    """The plugin ``langchain``, which uses :class:`~prompt_manager.integrations.LangChainIntegration`.

    A manager needs the values of all variables, and they are bound in the template. For a template that gets some
    values at each use, use the integration.
    """

    def __init__(self) -> None:
        super().__init__("langchain")

    def check_available(self) -> None:
        """Check that LangChain is installed.

        Raises:
            IntegrationNotAvailableError: LangChain is not installed.
        """
        if find_spec("langchain_core") is None:
            raise IntegrationNotAvailableError("LangChain", "langchain")

    @staticmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        from prompt_manager.integrations.langchain import LangChainIntegration

        return LangChainIntegration

    def _to_convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The variables that the caller gave: a template of LangChain's resolves its bound variables at each use."""
        core: CompiledPrompt | None = getattr(prompt, "_core", None)
        given = None if core is None else core.given_variables(variables)
        return given if isinstance(given, Mapping) else variables
