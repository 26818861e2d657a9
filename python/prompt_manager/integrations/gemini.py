"""Convert prompts for Google's Gemini API, to plain data. This does not need the ``google-genai`` package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import GeminiContents, GeminiRequest

if TYPE_CHECKING:
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["GeminiIntegration"]


class GeminiIntegration(ProviderIntegration[GeminiContents | str, GeminiRequest, GeminiRequest]):
    """Converts prompts for ``client.models.generate_content(model=..., **converted)`` of the ``google-genai`` package.

    A chat prompt becomes ``{"contents": [...], "config": {"system_instruction": ...}}``, without the key ``config`` if
    it has no system message. Any other prompt becomes its text, for ``contents``; :meth:`build_request` makes it one
    user message. The same arguments are for ``generate_content_stream`` and for ``client.aio``. Images, sounds and
    thought signatures are base64 text, which the package decodes.

    :meth:`build_request` puts tools, settings and the output format into ``config``, which it merges with a ``config``
    of the caller, as a dict or as a ``GenerateContentConfig``.

    Args:
        template_engine: The engine that renders the templates.
        strict_validation: Raise an error for anything that the API would reject or that the conversion would lose.
        allow_prefill: Allow the conversation to end with an assistant message.
        to_messages: Convert a prompt that is not a chat to a single user message.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
            By default, a request whose schema the API enforces has none.
        structured_output: Make requests ask the API for an answer that follows the output schema.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi, {{name}}"}]
    >>> prompt = Prompt(id="hi", messages=messages, settings={"temperature": 0.5})
    >>> request = GeminiIntegration(TemplateEngine()).build_request_sync(prompt, {"name": "Ada"}, model="gemini-3-pro")
    >>> request["contents"]
    [{'parts': [{'text': 'Hi, Ada'}], 'role': 'user'}]
    >>> request["config"]
    {'system_instruction': 'Be kind.', 'temperature': 0.5}
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        allow_prefill: bool = False,
        to_messages: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool | None = None,
        structured_output: bool = True,
    ) -> None:
        super().__init__(
            "gemini",
            template_engine,
            strict_validation=strict_validation,
            allow_prefill=allow_prefill,
            to_messages=to_messages,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )
