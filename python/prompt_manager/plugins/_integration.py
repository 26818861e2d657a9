"""The base of the built-in plugins. Each converts prompts with an integration of the package."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from prompt_manager._native import nearest
from prompt_manager.plugins.base import BasePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager.core.models import Prompt
    from prompt_manager.integrations.base import BaseIntegration

__all__ = ["IntegrationPlugin"]


class IntegrationPlugin(BasePlugin):
    """A plugin that converts prompts with an integration.

    In the configuration, ``template_engine`` is the engine of the integration, by default a new one. Every other key is
    an option of the integration's constructor, such as ``schemas`` and ``strict_validation``. Any other key is ignored
    with a :class:`UserWarning`, because configurations for ``agentic-prompt-manager`` have such keys.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, version="1.0.0")
        self._made: BaseIntegration[Any] | None = None

    @staticmethod
    @abstractmethod
    def _integration_class() -> type[BaseIntegration[Any]]:
        """The class of the integration, imported by this call."""

    async def _initialize_impl(self, config: Mapping[str, Any]) -> None:
        """Make the integration."""
        options = dict(config)
        engine = options.pop("template_engine", None)
        if engine is None:
            from prompt_manager.core.template import TemplateEngine

            engine = TemplateEngine()
        made = self._integration_class()
        self._made = made(engine, **self._known_options(made, options))

    def _known_options(self, made: type[BaseIntegration[Any]], options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that the integration takes, with a warning for each other one."""
        from inspect import Parameter, signature
        from warnings import warn

        known = [each.name for each in signature(made).parameters.values() if each.kind is Parameter.KEYWORD_ONLY]
        for option in options:
            if option not in known:
                near = nearest(option, known)
                meant = f": did you mean '{near}'?" if near else f"; it takes: {', '.join(known)}"
                warn(f"plugin '{self.name}' has no option '{option}', and ignores it{meant}", stacklevel=2)
        return {name: value for name, value in options.items() if name in known}

    @property
    def _integration(self) -> BaseIntegration[Any]:
        self._ensure_initialized()
        assert self._made is not None  # noqa: S101 - what is initialized has made it
        return self._made

    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """The prompt as the integration converts it."""
        return await self._integration.convert(prompt, self._to_convert(prompt, variables))

    def render_for_framework_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """The prompt as the integration converts it."""
        return self._integration.convert_sync(prompt, self._to_convert(prompt, variables))

    def _to_convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - see the subclass
        """The variables for the integration."""
        return variables

    async def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether the integration can convert this prompt."""
        return self._integration.validate_compatibility(prompt)

    def validate_compatibility_sync(self, prompt: Prompt) -> bool:
        """Whether the integration can convert this prompt."""
        return self._integration.validate_compatibility(prompt)

    async def _shutdown_impl(self) -> None:
        self._made = None
