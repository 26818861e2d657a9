"""Converts the prompts of a registry for providers, which are given by name. Imported at the first such call."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prompt_manager._encodable import check_encodable
from prompt_manager._native import nearest
from prompt_manager._providers import PROVIDERS

if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt, Registry
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.integrations._provider import ProviderIntegration

__all__ = ["ProviderRequests"]


class ProviderRequests:
    """The integrations of a manager: one for each provider and set of options.

    Args:
        core: The registry of the manager.
        engine: The template engine of the registry.
    """

    __slots__ = ("_core", "_engine", "_integrations")

    def __init__(self, core: Registry, engine: TemplateEngine) -> None:
        self._core = core
        self._engine = engine
        self._integrations: dict[tuple[Any, ...], ProviderIntegration[Any, Any, Any]] = {}

    def found(
        self, provider: str, prompt_id: str, version: str | None, label: str | None, **options: Any
    ) -> tuple[ProviderIntegration[Any, Any, Any], CompiledPrompt]:
        """Return the integration of a provider, and the prompt for it."""
        return self.integration(provider, **options), self._core.get(prompt_id, version=version, label=label)

    def integration(self, provider: str, **options: Any) -> ProviderIntegration[Any, Any, Any]:
        """The integration of a provider with these options."""
        if not isinstance(provider, str):
            raise TypeError(f"provider must be a str, not {type(provider).__name__}. {_KNOWN}")
        key = (provider, *options.items())
        made = self._integrations.get(key)
        if made is None:
            found = PROVIDERS.get(provider)
            if found is None:
                check_encodable(provider, "the name of the provider", ValueError)
                raise ValueError(_unknown(provider))
            cls = getattr(import_module(f"prompt_manager.integrations.{found.module}"), found.name)
            made = self._integrations[key] = cls(self._engine, **found.options, **options)
        return made


_KNOWN = f"The providers are {', '.join(PROVIDERS)}"


def _unknown(provider: str) -> str:
    if provider.lower() == "langchain":
        return f"'langchain' is not a provider: use LangChainIntegration(manager.template_engine). {_KNOWN}"
    near = nearest(provider, [*PROVIDERS])
    hint = f"; did you mean '{near}'?" if near else "."
    return f"no provider is named '{provider}'{hint} {_KNOWN}"
