"""Converted prompts have the types of the providers' packages. Type checkers check this file; it is never run.

Each line that is marked as an error must be one, because an unnecessary marker is an error too.
"""

from __future__ import annotations

from typing import Any

import anthropic
import openai
from anthropic.types import Message, MessageParam
from google import genai
from openai.types.chat import ChatCompletionMessageParam

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.integrations import (
    AnthropicIntegration,
    BaseIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.integrations.types import AnthropicMessage, BedrockRequest, OpenAIMessage, Provider


def chat(client: openai.OpenAI, prompt: Prompt) -> str | None:
    form = OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    if isinstance(form, list):
        return client.chat.completions.create(model="m", messages=form).choices[0].message.content
    if isinstance(form, str):
        return client.completions.create(model="m", prompt=form).choices[0].text
    return client.responses.create(model="m", **form).output_text


async def awaited(client: openai.AsyncOpenAI, prompt: Prompt) -> None:
    form = await OpenAIIntegration(TemplateEngine()).convert(prompt, {})
    if isinstance(form, list):
        await client.chat.completions.create(model="m", messages=form)


def requests(client: openai.OpenAI, claude: anthropic.Anthropic, prompt: Prompt) -> None:
    engine = TemplateEngine()
    client.chat.completions.create(**OpenAIIntegration(engine).build_request_sync(prompt, {}, model="m"))
    client.responses.create(**OpenAIIntegration(engine, api="responses").build_request_sync(prompt, {}))
    hinted = OpenAIIntegration(engine, api="responses", cache_breakpoints=True)
    client.responses.create(**hinted.build_request_sync(prompt, {}))
    claude.messages.create(**AnthropicIntegration(engine).build_request_sync(prompt, {}, max_tokens=5))


def streamed_requests(client: openai.OpenAI, claude: anthropic.Anthropic, prompt: Prompt, *, waits: bool) -> None:
    engine = TemplateEngine()
    chat = OpenAIIntegration(engine).build_request_sync(prompt, {}, model="m", stream=True, temperature=0.5)
    for chunk in client.chat.completions.create(**chat):
        print(chunk.choices[0].delta.content)
    responses = OpenAIIntegration(engine, api="responses").build_request_sync(prompt, {}, stream=True)
    for event in client.responses.create(**responses):
        print(event.type)
    turns = AnthropicIntegration(engine).build_request_sync(prompt, {}, max_tokens=5, stream=True)
    for part in claude.messages.create(**turns):
        print(part.type)
    either = AnthropicIntegration(engine).build_request_sync(prompt, {}, max_tokens=5, stream=waits)
    print(either["model"])
    liberal: dict[str, Any] = LiteLLMIntegration(engine).build_request_sync(prompt, {}, model="m", stream=True)
    print(liberal)


async def awaited_requests(client: openai.AsyncOpenAI, prompt: Prompt, integration: OpenAIIntegration) -> str | None:
    chat = await OpenAIIntegration(TemplateEngine(), api="chat").build_request(prompt, {}, model="m")
    chat["store"] = False
    # An annotation without parameters leaves the API open.
    anything: dict[str, Any] = await integration.build_request(prompt, {})
    print(anything)
    return (await client.chat.completions.create(**chat)).choices[0].message.content


def messages(claude: anthropic.Anthropic, prompt: Prompt) -> Message:
    form = AnthropicIntegration(TemplateEngine(), allow_prefill=True).convert_sync(prompt, {})
    answer: Message = claude.messages.create(**form, model="m", max_tokens=5)
    return answer


def contents(client: genai.Client, prompt: Prompt, manager: PromptManager) -> list[str | None]:
    integration = GeminiIntegration(TemplateEngine(), allow_prefill=True)
    request = integration.build_request_sync(prompt, {}, model="m", config={"temperature": 0.5})
    for chunk in client.models.generate_content_stream(**request):
        print(chunk.text)
    of_manager = manager.build_request_sync("support", {}, "gemini", model="m")
    return [client.models.generate_content(**made).text for made in (request, of_manager)]


async def conversation(prompt: Prompt, manager: PromptManager) -> list[BedrockRequest]:
    integration = BedrockIntegration(TemplateEngine(), inline_system=True, schema_tool=True)
    form: dict[str, Any] = integration.convert_sync(prompt, {})
    request: BedrockRequest = await integration.build_request(prompt, {}, model="m", inferenceConfig={"topP": 0.5})
    return [form, request, manager.build_request_sync("support", {}, "bedrock", model="m")]


def same_types(ours: OpenAIMessage, theirs: ChatCompletionMessageParam) -> None:
    one: list[ChatCompletionMessageParam] = [ours]
    other: list[OpenAIMessage] = [theirs]
    one.extend(other)


def same_turns(ours: AnthropicMessage, theirs: MessageParam) -> None:
    one: list[MessageParam] = [ours]
    other: list[AnthropicMessage] = [theirs]
    one.extend(other)


def of_manager(client: openai.OpenAI, claude: anthropic.Anthropic, manager: PromptManager) -> list[str | None]:
    values = {"question": "Why?"}
    chat = manager.build_request_sync("support", values, "openai", model="m", temperature=0.5, label="production")
    chat["store"] = False
    responses = manager.build_request_sync("support", values, "openai-responses", version="1.0.0")
    messages = manager.build_request_sync("support", values, "anthropic", max_tokens=5, stream=False)
    form = manager.convert_sync("support", values, "openai", to_messages=True)
    system = manager.convert_sync("support", values, "anthropic")
    first = claude.messages.create(**messages).content[0]
    return [
        client.chat.completions.create(**chat).choices[0].message.content,
        client.chat.completions.create(model="m", messages=form).choices[0].message.content,
        client.responses.create(**responses).output_text,
        client.responses.create(model="m", **manager.convert_sync("a", {}, "openai-responses", to_messages=True)).id,
        first.text if first.type == "text" else None,
        claude.messages.create(**system, model="m", max_tokens=5).id,
    ]


def streams(client: openai.OpenAI, claude: anthropic.Anthropic, manager: PromptManager) -> None:
    for chunk in client.chat.completions.create(**manager.build_request_sync("a", {}, "openai", stream=True)):
        print(chunk.choices[0].delta.content)
    for event in client.responses.create(**manager.build_request_sync("a", {}, "openai-responses", stream=True)):
        print(event.type)
    for part in claude.messages.create(**manager.build_request_sync("a", {}, "anthropic", stream=True)):
        print(part.type)


async def awaited_of_manager(client: openai.AsyncOpenAI, manager: PromptManager, provider: Provider) -> str | None:
    request = await manager.build_request("support", {}, "openai")
    any_request: dict[str, Any] = await manager.build_request("support", {}, provider)
    form: list[dict[str, Any]] = await manager.convert("support", {}, "litellm", to_messages=True)
    print(any_request["model"], form, await manager.convert("support", {}, provider))
    return (await client.chat.completions.create(**request)).choices[0].message.content


class Own(BaseIntegration[list[int]]):
    async def convert(self, prompt: Prompt, variables: Any) -> list[int]:
        return [len(await self.render_messages(prompt, variables))]

    def validate_compatibility(self, prompt: Prompt) -> bool:
        return prompt.format == "chat"


def own(prompt: Prompt) -> int:
    return sum(Own(TemplateEngine()).convert_sync(prompt, {}))


def wrong(client: openai.OpenAI, prompt: Prompt, manager: PromptManager) -> None:
    engine = TemplateEngine()
    OpenAIIntegration()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    OpenAIIntegration(engine, False)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    OpenAIIntegration(engine, api="batch")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    OpenAIIntegration(engine, merge_turns=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    AnthropicIntegration(engine, api="chat")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    GeminiIntegration(engine, merge_turns=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    BedrockIntegration(engine, api="chat")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LiteLLMIntegration("engine")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    integration = OpenAIIntegration(manager.template_engine)
    integration.convert_sync("greeting", {})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    integration.convert_sync(prompt, ["name"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    integration.convert_sync(prompt, {}).append(5)  # type: ignore[union-attr, arg-type]  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    integration.build_request_sync(prompt, {}, model=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    request: list[int] = integration.build_request_sync(prompt, {})  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    chat = integration.build_request_sync(prompt, {})
    print(chat["mesages"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    client.responses.create(**chat)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    form = integration.convert_sync(prompt, {})
    client.chat.completions.create(model="m", messages=form)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    count: int = Own(engine).convert_sync(prompt, {})  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def wrong_of_manager(client: openai.OpenAI, manager: PromptManager, name: str) -> None:
    manager.build_request_sync(5, {}, "openai")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    manager.build_request_sync("a", {}, "opnai")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    manager.build_request_sync("a", {}, name)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    manager.build_request_sync("a", {}, "openai", label=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    manager.convert_sync("a", {}, "claude")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    manager.convert_sync("a", {}, "openai", lable="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    request = manager.build_request_sync("a", {}, "openai")
    print(request["mesages"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    client.responses.create(**request)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
