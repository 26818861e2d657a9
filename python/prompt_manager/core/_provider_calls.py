"""The calls of a manager that make requests for providers, typed by the provider's name."""

from __future__ import annotations

from prompt_manager._keywords import check_keywords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, overload

    from prompt_manager._native import Registry
    from prompt_manager.core._refresh import SourceRefresh
    from prompt_manager.core._requests import ProviderRequests
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.integrations.types import (
        AnthropicMessagesRequest,
        AnthropicMessagesStream,
        AnthropicRequest,
        BedrockConversation,
        BedrockRequest,
        GeminiContents,
        GeminiRequest,
        LiteLLMMessage,
        LiteLLMRequest,
        OpenAIChatRequest,
        OpenAIChatStream,
        OpenAIMessage,
        OpenAIResponse,
        OpenAIResponsesRequest,
        OpenAIResponsesStream,
        Provider,
    )

__all__ = ["ProviderCalls"]

#: The keyword arguments of ``convert``.
CONVERT_OPTIONS = ("version", "label", "output_instructions", "strict", "to_messages")


class ProviderCalls:
    """``build_request`` and ``convert`` of a :class:`~prompt_manager.PromptManager`.

    The overloads name what each provider's call takes. The last one of each also serves a provider or ``stream`` that
    is only known at run time.
    """

    if TYPE_CHECKING:
        _core: Registry
        _refresh: SourceRefresh | None
        _requests: ProviderRequests | None

        @property
        def template_engine(self) -> TemplateEngine: ...

    if TYPE_CHECKING:

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIChatRequest: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIChatStream: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIResponsesRequest: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIResponsesStream: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> AnthropicMessagesRequest: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> AnthropicMessagesStream: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> GeminiRequest: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["bedrock"],
            *,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> BedrockRequest: ...

        @overload
        async def build_request(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Provider,
            *,
            stream: bool | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> LiteLLMRequest: ...

    async def build_request(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: str,
        *,
        version: str | None = None,
        label: str | None = None,
        model: str | None = None,
        output_instructions: bool | None = None,
        structured_output: bool = True,
        strict: bool = True,
        extra: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return the keyword arguments of a provider's call: messages, tools, settings, and the output format.

        Nothing is sent: ``client.chat.completions.create(**request)`` does that for ``"openai"``,
        ``client.responses.create`` for ``"openai-responses"``, ``client.messages.create`` for ``"anthropic"``,
        ``litellm.completion`` for ``"litellm"``, ``client.models.generate_content`` for ``"gemini"`` and
        ``client.converse`` for ``"bedrock"``. A prompt that is not a chat becomes one user message. A setting that
        the call has no argument for is left out, with a
        :class:`~prompt_manager.integrations.PromptConversionWarning`.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"``, ``"litellm"``, ``"gemini"`` or
                ``"bedrock"``.
            version: The version to send; the latest by default.
            label: The label of the version to send.
            model: The model. By default the one in the prompt's settings.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer. By
                default only if the provider does not enforce the schema, as for LiteLLM, which may drop it.
            structured_output: If the prompt has an output schema, ask the provider to enforce it.
            strict: Raise an error for anything that the provider would reject or that the conversion would lose. If
                false, convert to the nearest valid result, with a warning for each change.
            extra: Arguments for a model or gateway that has more than the provider's package. They are not checked.
            arguments: Further arguments of the call, such as ``stream=True``, and options of the provider's
                integration, such as ``sampling=True``. Arguments override those of the prompt; ``None`` removes one.
                The mappings ``extra_body``, ``metadata``, ``output_config``, ``reasoning`` and ``text`` are merged, and
                their members win. ``tools`` are added to those of the prompt; an empty list replaces them.

        Raises:
            ValueError: no provider has this name.
            TypeError: the call has no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: no model is given, a variable is missing or has the wrong type, or the messages break a
                rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> request = manager.build_request_sync("customer_support", values, "openai", model="gpt-5", store=False)
        >>> request["model"], request["messages"][1]["content"], request["store"]
        ('gpt-5', 'How do I reset my password?', False)
        """
        options: dict[str, Any] = {}
        if arguments:
            from prompt_manager.core._requests import split_options

            options, arguments = split_options(provider, arguments)
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        integration, handle = self._provider_requests().found(
            provider,
            prompt_id,
            version,
            label,
            **{
                "output_instructions": output_instructions,
                "structured_output": structured_output,
                "strict_validation": strict,
                **options,
            },
        )
        call = integration._call(model, arguments, extra, of_manager=True)
        return await integration._build_handle(handle, {} if variables is None else variables, call, label)

    if TYPE_CHECKING:

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIChatRequest: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIChatStream: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIResponsesRequest: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> OpenAIResponsesStream: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            stream: Literal[False] | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> AnthropicMessagesRequest: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            stream: Literal[True],
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> AnthropicMessagesStream: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> GeminiRequest: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["bedrock"],
            *,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> BedrockRequest: ...

        @overload
        def build_request_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Provider,
            *,
            stream: bool | None = None,
            version: str | None = None,
            label: str | None = None,
            model: str | None = None,
            output_instructions: bool | None = None,
            structured_output: bool = True,
            strict: bool = True,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> LiteLLMRequest: ...

    def build_request_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: str,
        *,
        version: str | None = None,
        label: str | None = None,
        model: str | None = None,
        output_instructions: bool | None = None,
        structured_output: bool = True,
        strict: bool = True,
        extra: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return the keyword arguments of a provider's call: messages, tools, settings, and the output format.

        Nothing is sent: ``client.chat.completions.create(**request)`` does that for ``"openai"``,
        ``client.responses.create`` for ``"openai-responses"``, ``client.messages.create`` for ``"anthropic"``,
        ``litellm.completion`` for ``"litellm"``, ``client.models.generate_content`` for ``"gemini"`` and
        ``client.converse`` for ``"bedrock"``. A prompt that is not a chat becomes one user message. A setting that
        the call has no argument for is left out, with a
        :class:`~prompt_manager.integrations.PromptConversionWarning`.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"``, ``"litellm"``, ``"gemini"`` or
                ``"bedrock"``.
            version: The version to send; the latest by default.
            label: The label of the version to send.
            model: The model. By default the one in the prompt's settings.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer. By
                default only if the provider does not enforce the schema, as for LiteLLM, which may drop it.
            structured_output: If the prompt has an output schema, ask the provider to enforce it.
            strict: Raise an error for anything that the provider would reject or that the conversion would lose. If
                false, convert to the nearest valid result, with a warning for each change.
            extra: Arguments for a model or gateway that has more than the provider's package. They are not checked.
            arguments: Further arguments of the call, such as ``stream=True``, and options of the provider's
                integration, such as ``sampling=True``. Arguments override those of the prompt; ``None`` removes one.
                The mappings ``extra_body``, ``metadata``, ``output_config``, ``reasoning`` and ``text`` are merged, and
                their members win. ``tools`` are added to those of the prompt; an empty list replaces them.

        Raises:
            ValueError: no provider has this name.
            TypeError: the call has no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: no model is given, a variable is missing or has the wrong type, or the messages break a
                rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> request = manager.build_request_sync("customer_support", values, "openai", model="gpt-5", store=False)
        >>> request["model"], request["messages"][1]["content"], request["store"]
        ('gpt-5', 'How do I reset my password?', False)
        """
        options: dict[str, Any] = {}
        if arguments:
            from prompt_manager.core._requests import split_options

            options, arguments = split_options(provider, arguments)
        integration, handle = self._provider_requests().found(
            provider,
            prompt_id,
            version,
            label,
            **{
                "output_instructions": output_instructions,
                "structured_output": structured_output,
                "strict_validation": strict,
                **options,
            },
        )
        call = integration._call(model, arguments, extra, of_manager=True)
        return integration._build_handle_sync(handle, {} if variables is None else variables, call, label)

    async def build_batch_line(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: Literal["openai", "openai-responses", "anthropic", "gemini"],
        *,
        custom_id: str,
        model: str | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Return a line for a file that the provider runs as a batch, as a dict to be written as JSON.

        Each line is a request of :meth:`build_request`, whose arguments this takes too. OpenAI's have the body and the
        address of a call, Anthropic's are for ``client.messages.batches.create(requests=[...])``, and Gemini's are
        keyed requests. What the provider's package would add to the body from ``extra_body`` is in the line.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"`` or ``"gemini"``.
            custom_id: The text that tells the answers of the batch apart.
            model: The model. By default the one in the prompt's settings. Gemini has one for the whole batch, so its
                lines have none.
            arguments: The other arguments of :meth:`build_request`.

        Raises:
            ValueError: the provider has no such files or refuses ``custom_id``, or the arguments ask for a stream.
            TypeError: there is no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            ConversionError: a variable is missing or has the wrong type, or the messages break a rule of the provider.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> line = manager.build_batch_line_sync("customer_support", values, "openai", custom_id="1", model="gpt-5")
        >>> line["custom_id"], line["url"], line["body"]["model"]
        ('1', '/v1/chat/completions', 'gpt-5')
        """
        from prompt_manager.integrations._batch_lines import batch_line, check_batch, check_batch_arguments

        check_batch(provider, custom_id)
        check_batch_arguments(arguments)
        request = await self.build_request(prompt_id, variables, provider, model=model, **arguments)
        return batch_line(provider, request, custom_id)

    def build_batch_line_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: Literal["openai", "openai-responses", "anthropic", "gemini"],
        *,
        custom_id: str,
        model: str | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Return a line for a file that the provider runs as a batch, as a dict to be written as JSON.

        Each line is a request of :meth:`build_request`, whose arguments this takes too. OpenAI's have the body and the
        address of a call, Anthropic's are for ``client.messages.batches.create(requests=[...])``, and Gemini's are
        keyed requests. What the provider's package would add to the body from ``extra_body`` is in the line.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"`` or ``"gemini"``.
            custom_id: The text that tells the answers of the batch apart.
            model: The model. By default the one in the prompt's settings. Gemini has one for the whole batch, so its
                lines have none.
            arguments: The other arguments of :meth:`build_request`.

        Raises:
            ValueError: the provider has no such files or refuses ``custom_id``, or the arguments ask for a stream.
            TypeError: there is no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            ConversionError: a variable is missing or has the wrong type, or the messages break a rule of the provider.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> line = manager.build_batch_line_sync("customer_support", values, "openai", custom_id="1", model="gpt-5")
        >>> line["custom_id"], line["url"], line["body"]["model"]
        ('1', '/v1/chat/completions', 'gpt-5')
        """
        from prompt_manager.integrations._batch_lines import batch_line, check_batch, check_batch_arguments

        check_batch(provider, custom_id)
        check_batch_arguments(arguments)
        request = self.build_request_sync(prompt_id, variables, provider, model=model, **arguments)
        return batch_line(provider, request, custom_id)

    if TYPE_CHECKING:

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> AnthropicRequest: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["bedrock"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> BedrockConversation: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> GeminiContents: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> GeminiContents | str: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[OpenAIMessage]: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[OpenAIMessage] | str: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> OpenAIResponse: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> OpenAIResponse | str: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["litellm"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[LiteLLMMessage]: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["litellm"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[LiteLLMMessage] | str: ...

        @overload
        async def convert(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Provider,
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> Any: ...

    async def convert(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: str,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
        strict: bool = True,
        to_messages: bool = False,
        **unknown: Any,
    ) -> Any:
        """Render a prompt and convert it to a provider's format, without model, tools and settings.

        ``"openai"`` and ``"litellm"`` give the list for ``messages``, ``"openai-responses"`` a dict with
        ``instructions`` and ``input``, ``"anthropic"`` and ``"bedrock"`` one with ``system`` and ``messages``, and
        ``"gemini"`` one with ``contents`` and ``config``. A prompt that is not a
        chat gives its text. :meth:`build_request` gives the whole call.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"``, ``"litellm"``, ``"gemini"`` or
                ``"bedrock"``.
            version: The version to convert; the latest by default.
            label: The label of the version to convert.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.
            strict: Raise an error for anything that the provider would reject or that the conversion would lose. If
                false, convert to the nearest valid result, with a
                :class:`~prompt_manager.integrations.PromptConversionWarning` for each change.
            to_messages: Convert a prompt that is not a chat to one user message. Anthropic and Bedrock require it.
            unknown: Refused, with the name that was meant.

        Raises:
            ValueError: no provider has this name.
            TypeError: there is no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: a variable is missing or has the wrong type, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> manager.convert_sync("customer_support", values, "anthropic")["messages"]
        [{'role': 'user', 'content': 'How do I reset my password?'}]
        """
        if unknown:
            from prompt_manager.core._requests import check_no_option

            check_no_option(provider, unknown, "convert")
            check_keywords(unknown, CONVERT_OPTIONS)
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        integration, handle = self._provider_requests().found(
            provider,
            prompt_id,
            version,
            label,
            output_instructions=output_instructions,
            strict_validation=strict,
            to_messages=to_messages,
        )
        return await integration._convert_handle(handle, {} if variables is None else variables, label)

    if TYPE_CHECKING:

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["anthropic"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> AnthropicRequest: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["bedrock"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> BedrockConversation: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> GeminiContents: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["gemini"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> GeminiContents | str: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[OpenAIMessage]: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[OpenAIMessage] | str: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> OpenAIResponse: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["openai-responses"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> OpenAIResponse | str: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["litellm"],
            *,
            to_messages: Literal[True],
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[LiteLLMMessage]: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Literal["litellm"],
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> list[LiteLLMMessage] | str: ...

        @overload
        def convert_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None,
            provider: Provider,
            *,
            to_messages: bool = False,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            strict: bool = True,
        ) -> Any: ...

    def convert_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        provider: str,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
        strict: bool = True,
        to_messages: bool = False,
        **unknown: Any,
    ) -> Any:
        """Render a prompt and convert it to a provider's format, without model, tools and settings.

        ``"openai"`` and ``"litellm"`` give the list for ``messages``, ``"openai-responses"`` a dict with
        ``instructions`` and ``input``, ``"anthropic"`` and ``"bedrock"`` one with ``system`` and ``messages``, and
        ``"gemini"`` one with ``contents`` and ``config``. A prompt that is not a
        chat gives its text. :meth:`build_request` gives the whole call.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            provider: ``"openai"``, ``"openai-responses"``, ``"anthropic"``, ``"litellm"``, ``"gemini"`` or
                ``"bedrock"``.
            version: The version to convert; the latest by default.
            label: The label of the version to convert.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.
            strict: Raise an error for anything that the provider would reject or that the conversion would lose. If
                false, convert to the nearest valid result, with a
                :class:`~prompt_manager.integrations.PromptConversionWarning` for each change.
            to_messages: Convert a prompt that is not a chat to one user message. Anthropic and Bedrock require it.
            unknown: Refused, with the name that was meant.

        Raises:
            ValueError: no provider has this name.
            TypeError: there is no such argument, and the message has the nearest name.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: a variable is missing or has the wrong type, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> manager.convert_sync("customer_support", values, "anthropic")["messages"]
        [{'role': 'user', 'content': 'How do I reset my password?'}]
        """
        if unknown:
            from prompt_manager.core._requests import check_no_option

            check_no_option(provider, unknown, "convert")
            check_keywords(unknown, CONVERT_OPTIONS)
        integration, handle = self._provider_requests().found(
            provider,
            prompt_id,
            version,
            label,
            output_instructions=output_instructions,
            strict_validation=strict,
            to_messages=to_messages,
        )
        return integration._convert_handle_sync(handle, {} if variables is None else variables, label)

    def _provider_requests(self) -> ProviderRequests:
        if self._requests is None:
            from prompt_manager.core._requests import ProviderRequests

            self._requests = ProviderRequests(self._core, self.template_engine)
        return self._requests
