"""Functions that integrations share, for integrations of your own too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager import _native
from prompt_manager.exceptions import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from prompt_manager._native import Engine

__all__ = ["handlebars_to_fstring", "map_role", "validate_alternation"]


def map_role(role: str, provider: str) -> str:
    """The name that a provider has for a role.

    Args:
        role: The role, such as ``Role.DEVELOPER`` or ``"developer"``.
        provider: ``"openai"``, ``"anthropic"``, ``"litellm"``, ``"gemini"`` or ``"bedrock"``.

    Raises:
        ConversionError: the provider does not have this role.
        ValueError: there is no such role or provider.

    >>> map_role("tool", "openai"), map_role("tool", "anthropic")
    ('tool', 'user')
    """
    return _native.Converter(provider, None, strict=True).map_role(role)


def validate_alternation(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check that the roles of messages alternate as Anthropic's strict mode wants it, beginning with the user.

    Raises:
        ConversionError: they do not. The message has the position.

    >>> validate_alternation([{"role": "user"}, {"role": "assistant"}])
    """
    _native.validate_alternation([message["role"] for message in messages])


def handlebars_to_fstring(template: str, engine: Engine | None = None) -> str:
    """A template as an f-string, which LangChain's own templates are.

    Args:
        template: The template.
        engine: The engine that parses it; by default a new one.

    Raises:
        ConversionError: it contains more than text and plain variables.
        TemplateSyntaxError: it cannot be parsed.

    >>> handlebars_to_fstring('{"to": {{ name }} }')
    '{{"to": {name} }}'
    """
    text = _native.langchain_f_string(template, _native.Engine() if engine is None else engine)
    if text is None:
        raise ConversionError(
            "the template cannot become an f-string: it contains more than text and variables with simple names",
            hint="use `convert`, which returns a Handlebars template for such a prompt",
        )
    return text
