"""Rendering with an engine of the application's own: a subclass that overrides ``render``, or a mock."""

from __future__ import annotations

from prompt_manager._native import opaque_prompt
from prompt_manager.exceptions import PromptManagerError, TemplateRenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from prompt_manager._native import CompiledPrompt, Template
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Message
    from prompt_manager.core.protocols import TemplateEngineProtocol

    #: The input of a custom engine: the variables for its templates, the texts to render, and the partials.
    Prepared = tuple[Mapping[str, Any], list[str], dict[str, str]]

__all__ = ["render_messages", "render_prompt", "render_texts"]


async def render_texts(engine: TemplateEngineProtocol, mode: CallMode, prompt_id: str, prepared: Prepared) -> list[str]:
    """Render the texts of a prompt with a custom engine, one after the other.

    Raises:
        TemplateRenderError: the engine raised an exception, which is the cause; its type is ``context["engine"]``. An
            exception of this package is raised as it is.
        TypeError: the engine returned something else than a string.
    """
    context, texts, partials = prepared
    rendered: list[str] = []
    for text in texts:
        try:
            result = await mode(engine, "render", text, context, partials=partials or None)
        except PromptManagerError:
            raise
        except Exception as error:
            # The engine is code of the application, which may raise anything.
            name = type(engine).__name__
            raise TemplateRenderError(
                f"{name} could not render text {len(rendered)} of {len(texts)}", prompt_id=prompt_id, engine=name
            ) from error
        if not isinstance(result, str):
            raise TypeError(f"{type(engine).__name__}.render must return a str, not {type(result).__name__}")
        rendered.append(result)
    return rendered


async def render_prompt(
    engine: TemplateEngineProtocol,
    mode: CallMode,
    method: str,
    compiled: CompiledPrompt,
    variables: Mapping[str, Any],
    *,
    output_instructions: bool = True,
) -> Any:
    """Do what ``render`` or ``render_messages`` of the prompt does, with a custom engine for its texts."""
    opaque = compiled.opaque()
    prepared = opaque.prepare(variables)
    texts = await render_texts(engine, mode, opaque.id, prepared)
    assemble = opaque.assemble if method == "render" else opaque.assemble_messages
    return assemble(prepared[0], texts, output_instructions)


async def render_messages(
    engine: TemplateEngineProtocol,
    mode: CallMode,
    messages: Sequence[Mapping[str, Any] | Message],
    variables: Mapping[str, Any],
    partials: Mapping[str, str | Template],
) -> list[dict[str, Any]]:
    """Render messages that belong to no prompt, with a custom engine for their texts."""
    plain = [
        dict(message) if hasattr(message, "keys") else message.model_dump(mode="json", exclude_none=True)
        for message in messages
    ]
    texts = {name: text if isinstance(text, str) else text.source for name, text in partials.items()}
    chat = {"messages": plain, "partials": texts} if texts else {"messages": plain}
    prompt = opaque_prompt({"id": "messages", "format": "chat", "chat_template": chat})
    rendered: list[dict[str, Any]] = await render_prompt(engine, mode, "render_messages", prompt, variables)
    return rendered
