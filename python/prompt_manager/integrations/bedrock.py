"""Convert prompts for Amazon Bedrock's Converse API, to plain data. This does not need the ``boto3`` package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import BedrockConversation, BedrockRequest

if TYPE_CHECKING:
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["BedrockIntegration"]


class BedrockIntegration(ProviderIntegration[BedrockConversation, BedrockRequest, BedrockRequest]):
    """Converts prompts for ``client.converse(modelId=..., **converted)`` of boto3's client ``bedrock-runtime``.

    A chat prompt becomes ``{"system": [...], "messages": [...]}``, without the key ``system`` if it has no system
    message. Any other prompt raises :class:`~prompt_manager.exceptions.IncompatibleFormatError`, unless ``to_messages``
    is true; :meth:`build_request` makes it one user message. The same arguments are for ``converse_stream``. Images,
    sounds and documents are bytes, as boto3 takes them.

    Args:
        template_engine: The engine that renders the templates.
        strict_validation: Raise an error for anything that the API would reject or that the conversion would lose.
        allow_prefill: Allow the conversation to end with an assistant message, which the model then continues.
        allow_assistant_first: Allow the conversation to begin with an assistant message.
        inline_system: Send system messages after the first turn in their place, which newer models accept.
        schema_tool: Send the output schema as a tool that the model must call, for models without structured output.
        to_messages: Convert a prompt that is not a chat to a single user message.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
            By default, a request whose schema the API enforces has none.
        structured_output: Make requests ask the API for an answer that follows the output schema.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi, {{name}}"}]
    >>> prompt = Prompt(id="hi", messages=messages, settings={"max_tokens": 100})
    >>> request = BedrockIntegration(TemplateEngine()).build_request_sync(prompt, {"name": "Ada"}, model="nova-lite")
    >>> request["messages"]
    [{'role': 'user', 'content': [{'text': 'Hi, Ada'}]}]
    >>> request["modelId"], request["system"], request["inferenceConfig"]
    ('nova-lite', [{'text': 'Be kind.'}], {'maxTokens': 100})
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        allow_prefill: bool = False,
        allow_assistant_first: bool = False,
        inline_system: bool = False,
        schema_tool: bool = False,
        to_messages: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool | None = None,
        structured_output: bool = True,
    ) -> None:
        super().__init__(
            "bedrock",
            template_engine,
            strict_validation=strict_validation,
            allow_prefill=allow_prefill,
            allow_assistant_first=allow_assistant_first,
            inline_system=inline_system,
            schema_tool=schema_tool,
            to_messages=to_messages,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )
