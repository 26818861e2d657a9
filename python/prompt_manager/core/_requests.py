"""Converts the prompts of a registry for providers, which are given by name. Imported at the first such call."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prompt_manager._encodable import check_encodable
from prompt_manager._native import nearest
from prompt_manager._providers import PROVIDERS
from prompt_manager.integrations._call_arguments import CALLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt, Registry
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.integrations._provider import ProviderIntegration

__all__ = ["ProviderRequests", "check_no_option", "split_options"]


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
            cls = _integration_class(provider)
            made = self._integrations[key] = cls(self._engine, **PROVIDERS[provider].options, **options)
        return made


def split_options(provider: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keyword arguments into the options of the provider's integration and the arguments of its call.

    Raises:
        TypeError: an option has another type than its default.
    """
    kinds = _option_kinds(provider) if isinstance(provider, str) else {}
    options: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        # Anthropic's `extra_body` is an option if it is a truth value, and an argument if it is a mapping.
        if name not in kinds or (name in CALLS[provider] and not isinstance(value, bool)):
            arguments[name] = value
            continue
        if not isinstance(value, kinds[name]):
            wanted = "true or false" if kinds[name] is bool else "a str"
            raise TypeError(f"`{name}` must be {wanted}, not {type(value).__name__}")
        options[name] = value
    return options, arguments


def check_no_option(provider: str, given: Mapping[str, Any], method: str) -> None:
    """Refuse the options of an integration where a manager does not take them, with the call that does.

    Raises:
        TypeError: there is one.
    """
    for name in split_options(provider, given)[0]:
        cls = _integration_class(provider).__name__
        raise TypeError(
            f"unexpected keyword argument '{name}'; it is an option of the integration: "
            f"{cls}(manager.template_engine, {name}=...).{method}(prompt, variables)"
        )


@cache
def _option_kinds(provider: str) -> Mapping[str, type]:
    """The types of the options of an integration that a manager does not set itself.

    A manager names the API of OpenAI by the provider.
    """
    from prompt_manager.integrations._call_arguments import options_of

    own = ("schemas", "api")
    return {
        name: type(default)
        for name, default in options_of(_integration_class(provider)).items()
        if name not in own and (isinstance(default, (bool, str)))
    }


def _integration_class(provider: str) -> Any:
    found = PROVIDERS.get(provider)
    if found is None:
        check_encodable(provider, "the name of the provider", ValueError)
        raise ValueError(_unknown(provider))
    return getattr(import_module(f"prompt_manager.integrations.{found.module}"), found.name)


_KNOWN = f"The providers are {', '.join(PROVIDERS)}"

#: What people call the providers, and servers that take the requests of one.
_OTHER_NAMES = {
    "aws": "bedrock",
    "claude": "anthropic",
    "gemini-api": "gemini",
    "google": "gemini",
    "gpt": "openai",
    "responses": "openai-responses",
    "vertex": "gemini",
    "vertexai": "gemini",
    **dict.fromkeys(
        (
            "azure",
            "azure-openai",
            "deepseek",
            "fireworks",
            "groq",
            "lmstudio",
            "mistral",
            "ollama",
            "openrouter",
            "together",
            "vllm",
            "xai",
        ),
        "openai",
    ),
}


def _unknown(provider: str) -> str:
    if provider.lower() == "langchain":
        return f"'langchain' is not a provider: use LangChainIntegration(manager.template_engine). {_KNOWN}"
    near = _OTHER_NAMES.get(provider.lower().replace("_", "-")) or nearest(provider, [*PROVIDERS])
    hint = f"; did you mean '{near}'?" if near else "."
    return f"no provider is named '{provider}'{hint} {_KNOWN}"
