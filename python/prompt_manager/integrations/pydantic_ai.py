"""Convert prompts for Agents of Pydantic AI. This needs ``pydantic-ai-slim``, which is loaded on the first use."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prompt_manager._native import Converter
from prompt_manager.exceptions import SchemaValidationError
from prompt_manager.integrations._framework import FrameworkIntegration, require, split_data_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, UserContent
    from pydantic_ai.settings import ModelSettings

    from prompt_manager._native import CompiledPrompt, Schemas
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations._framework_problems import MessagePosition, PlacedMessage, Problems

__all__ = ["AgentInputs", "PydanticAIIntegration", "to_agent_inputs"]


@dataclass(frozen=True)
class AgentInputs:
    """What an Agent of Pydantic AI gets from a prompt.

    ``inputs.agent()`` makes the Agent, and ``agent.run_sync(**inputs.run_arguments())`` runs it.
    """

    #: The system messages at the start.
    instructions: str | None
    #: The last message, if it is the user's.
    user_prompt: str | list[UserContent] | None
    #: The messages between both.
    message_history: list[ModelMessage]
    #: The settings of the prompt.
    model_settings: ModelSettings
    #: The type of the answer: text, or a mapping that follows the output schema.
    output_type: Any
    #: The model in the prompt's settings.
    model: str | None

    def agent(self, model: Any = None, **arguments: Any) -> Agent[Any, Any]:
        """Make an Agent with the instructions, settings and output type.

        Args:
            model: The model. By default the one in the prompt's settings, which Pydantic AI must know by its name.
            arguments: Further arguments of ``Agent``, such as ``tools``. They replace those of the prompt.
        """
        from pydantic_ai import Agent

        made = {
            "instructions": self.instructions,
            "model_settings": self.model_settings,
            "output_type": self.output_type,
        }
        return Agent(self.model if model is None else model, **{**made, **arguments})

    def run_arguments(self) -> dict[str, Any]:
        """The arguments of ``agent.run`` that hold the conversation."""
        return {"user_prompt": self.user_prompt, "message_history": self.message_history}


def to_agent_inputs(
    prompt: Prompt,
    variables: Mapping[str, Any],
    *,
    template_engine: TemplateEngineProtocol | None = None,
    strict_validation: bool = True,
) -> AgentInputs:
    """Render a prompt for an Agent of Pydantic AI.

    See :class:`PydanticAIIntegration` for the arguments and errors.
    """
    if template_engine is None:
        from prompt_manager.core.template import TemplateEngine

        template_engine = TemplateEngine()
    return PydanticAIIntegration(template_engine, strict_validation=strict_validation).convert_sync(prompt, variables)


class PydanticAIIntegration(FrameworkIntegration[AgentInputs]):
    """Converts prompts to :class:`AgentInputs`: instructions, history, settings and output type of an Agent.

    Tools are functions of the Agent, so those of the prompt are an error, or left out with a warning. Cache hints on
    messages other than the user's are left out with a warning.

    Raises:
        IntegrationNotAvailableError: ``pydantic-ai-slim`` is not installed.
    """

    _framework = "pydantic-ai"
    _name = "Pydantic AI"
    _left_out = ("title", "context", "citations")

    def _converted(self, core: CompiledPrompt, messages: Sequence[PlacedMessage], problems: Problems) -> AgentInputs:
        require("pydantic_ai", "Pydantic AI", "pydantic-ai-slim")
        history = _History(problems)
        for at, message in messages:
            history.add(message, at)
        if history.last is not None and history.last[1] == "assistant":
            problem = "the last message is from the assistant, and an Agent then answers with it and asks no model"
            problems.handle(history.last, problem, "end with a user message", "passed on")
        prompt = core.to_dict()
        if names := [_tool_name(tool) for tool in prompt.get("tools") or ()]:
            problem = f"Pydantic AI gets no tools of a prompt ({', '.join(names)})"
            hint = "pass strict_validation=False, and give the Agent functions with these names: `tools=[...]`"
            problems.refuse(problem, hint, "left out (give the Agent functions with these names: `tools=[...]`)")
        if prompt.get("tool_choice") not in (None, "auto"):
            problem = "Pydantic AI does not get the `tool_choice` of a prompt, whose tools are not sent"
            problems.refuse(problem, "remove `tool_choice`, and set it in the Agent's `model_settings`", "left out")
        settings = prompt.get("settings") or {}
        return AgentInputs(
            instructions="\n\n".join(history.instructions) or None,
            user_prompt=history.take_user_prompt(),
            message_history=history.messages,
            model_settings=_settings(settings, problems),
            output_type=self._output_type(core, problems),
            model=settings.get("model"),
        )

    def _appends_instructions(self, core: CompiledPrompt) -> bool:
        """Pydantic AI itself asks the model for an answer of the output type."""
        return super()._appends_instructions(core) and isinstance(self._structured(core), _UnusableSchema)

    def _output_type(self, core: CompiledPrompt, problems: Problems) -> Any:
        """The type of the answer: text, or a mapping that Pydantic AI asks the model for."""
        made = self._structured(core)
        if isinstance(made, _UnusableSchema):
            problems.refuse(made.problem, made.hint, "left out")
            return str
        return made

    def _structured(self, core: CompiledPrompt) -> Any:
        """The type of the answer, or why there is none for the output schema."""
        require("pydantic_ai", "Pydantic AI", "pydantic-ai-slim")
        from pydantic_ai import StructuredDict
        from pydantic_ai.exceptions import UserError

        converter = Converter("openai", self._native_engine, strict=False, schemas=self._schemas)
        schema = converter.answer_schema(core)
        if schema is None:
            return str
        if schema.get("type") != "object":
            problem = "the output schema is not an object, and Pydantic AI accepts no other"
            return _UnusableSchema(problem, "put it into an object under a key")
        try:
            mapping = StructuredDict(schema, name=str(schema.get("title") or "answer"))
        except UserError:
            problem = "the output schema contains itself, which Pydantic AI does not accept"
            return _UnusableSchema(problem, "write out the levels that you need")
        return _validated_by(core, mapping, self._schemas)


@dataclass(frozen=True)
class _UnusableSchema:
    """Why Pydantic AI cannot ask a model for an output schema, and what to do."""

    problem: str
    hint: str


def _validated_by(core: CompiledPrompt, mapping: Any, schemas: Schemas | None) -> Any:
    """The type of a mapping, which pydantic also validates by the prompt's output schema.

    Pydantic AI tells the model what does not fit, and asks again.
    """
    from pydantic_core import core_schema

    def validated(data: dict[str, Any]) -> Any:
        try:
            fitting = core.validate_output(data, schemas=schemas)
        except SchemaValidationError as error:
            raise ValueError(error.message) from error
        # A model of pydantic gives an instance; the answer stays the mapping that the schema describes.
        return fitting if isinstance(fitting, dict) else data

    class ValidatedAnswer(mapping):  # type: ignore[misc]
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
            inner = super().__get_pydantic_core_schema__(source, handler)
            return core_schema.no_info_after_validator_function(validated, inner)

    return ValidatedAnswer


def _tool_name(tool: Mapping[str, Any]) -> str:
    """The name of a function, or the type of a tool that a provider runs."""
    return str(tool.get("name") or tool.get("function", {}).get("name") or tool.get("type") or "a tool")


#: The settings of a prompt with the names of Pydantic AI.
_SETTINGS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "parallel_tool_calls": "parallel_tool_calls",
    "stop": "stop_sequences",
    "extra": "extra_body",
}
#: The efforts that Pydantic AI has under another name.
_EFFORTS = {"none": False, "max": "xhigh"}


def _settings(settings: Mapping[str, Any], problems: Problems) -> ModelSettings:
    made: dict[str, Any] = {}
    for key, value in settings.items():
        if value is None or value in ([], {}) or key == "model":
            continue
        if key in _SETTINGS:
            made[_SETTINGS[key]] = value
        elif key == "effort":
            made["thinking"] = _EFFORTS.get(value, value)
            if value == "max":
                problems.note("Pydantic AI has no effort `max`; sent as `xhigh`")
        else:
            problems.note(f"Pydantic AI does not accept `settings.{key}`; left out")
    return made  # type: ignore[return-value]


class _History:
    """The messages of a conversation as requests and responses."""

    def __init__(self, problems: Problems) -> None:
        self.instructions: list[str] = []
        self.messages: list[ModelMessage] = []
        #: The last message that was not dropped.
        self.last: MessagePosition | None = None
        self._problems = problems
        #: The names of the tools by the ids of their calls.
        self._calls: dict[str, str] = {}

    def add(self, message: Mapping[str, Any], at: MessagePosition) -> None:
        if self._add(message, at):
            self.last = at
        else:
            self._problems.drop_empty(at)

    def _add(self, message: Mapping[str, Any], at: MessagePosition) -> bool:
        """Add a message, unless nothing of it is left."""
        from pydantic_ai.messages import SystemPromptPart, ToolReturnPart, UserPromptPart

        role = message["role"]
        if message.get("name") and role != "function":
            self._problems.handle(at, "Pydantic AI does not accept `name`", "remove `name`", "left out")
        if role != "user" and _has_hint(message):
            self._problems.note_at(at, "Pydantic AI accepts cache hints only on messages of the user; left out")
        if role in {"system", "developer"}:
            text = _text(message, at, self._problems)
            if not text:
                return False
            if self.messages:
                self._request(SystemPromptPart(text))
            else:
                self.instructions.append(text)
        elif role == "user":
            content = _user_content(message, at, self._problems)
            if not content:
                return False
            self._request(UserPromptPart(content))
        elif role == "assistant":
            return self._respond(message, at)
        else:
            call_id = message.get("tool_call_id") or message["name"]
            name = self._calls.get(call_id, message.get("name") or "unknown")
            outcome: Literal["success", "failed"] = "failed" if message.get("is_error") else "success"
            text = _text(message, at, self._problems)
            self._request(ToolReturnPart(tool_name=name, content=text, tool_call_id=call_id, outcome=outcome))
        return True

    def take_user_prompt(self) -> str | list[UserContent] | None:
        """Remove and return the last message, if it is only the user's."""
        from pydantic_ai.messages import ModelRequest, UserPromptPart

        if not self.messages or not isinstance(self.messages[-1], ModelRequest):
            return None
        *others, last = self.messages[-1].parts
        if not isinstance(last, UserPromptPart):
            return None
        if others:
            self.messages[-1] = ModelRequest(parts=others)
        else:
            self.messages.pop()
        return last.content if isinstance(last.content, str) else list(last.content)

    def _request(self, part: Any) -> None:
        from pydantic_ai.messages import ModelRequest

        if self.messages and isinstance(self.messages[-1], ModelRequest):
            self.messages[-1] = ModelRequest(parts=[*self.messages[-1].parts, part])
        else:
            self.messages.append(ModelRequest(parts=[part]))

    def _respond(self, message: Mapping[str, Any], at: MessagePosition) -> bool:
        from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

        parts: list[Any] = []
        text = _text(message, at, self._problems)
        if refusal := message.get("refusal"):
            hint = "write the refusal as the content of the message"
            done = "left out" if text else "sent as the content"
            self._problems.handle(at, "Pydantic AI does not accept `refusal`", hint, done)
            text = text or refusal
        if text:
            parts.append(TextPart(text))
        calls = list(message.get("tool_calls") or ())
        if old := message.get("function_call"):
            calls.append({"id": old["name"], "function": old})
        for call in calls:
            function = call["function"]
            self._calls[call["id"]] = function["name"]
            arguments = function.get("arguments", {})
            parts.append(ToolCallPart(tool_name=function["name"], args=arguments, tool_call_id=call["id"]))
        if parts:
            self.messages.append(ModelResponse(parts=parts))
        return bool(parts)


def _text(message: Mapping[str, Any], at: MessagePosition, problems: Problems) -> str:
    """The text of a message that has no other content."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    texts = []
    for number, part in enumerate(content):
        if part["type"] == "text":
            texts.append(part["text"])
        else:
            problem = f"part {number} is no text, and Pydantic AI accepts only text in this message"
            problems.handle(at, problem, "move the part to a user message", "left out")
    return "\n".join(texts)


def _user_content(message: Mapping[str, Any], at: MessagePosition, problems: Problems) -> str | list[UserContent]:
    content = message.get("content") or ""
    if isinstance(content, str):
        points = _cache_points(message.get("cache"))
        return [content, *points] if points else content
    parts: list[UserContent] = []
    for number, part in enumerate(content):
        made = _user_part(part, number, at, problems)
        if made is not None:
            parts += [made, *_cache_points(part.get("cache"))]
    return [*parts, *_cache_points(message.get("cache"))] if parts else []


def _has_hint(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return any(_cache_points(each.get("cache")) for each in [message, *parts])


def _cache_points(hint: Any) -> list[UserContent]:
    """The cache point for the cache hint of a part or a message of the user, if it is not for OpenAI alone."""
    from pydantic_ai.messages import CachePoint

    if not hint or (isinstance(hint, dict) and set(hint) == {"openai"}):
        return []
    ttl = hint.get("ttl") if isinstance(hint, dict) else None
    return [CachePoint(ttl=ttl) if ttl in {"5m", "1h"} else CachePoint()]


def _user_part(part: Mapping[str, Any], number: int, at: MessagePosition, problems: Problems) -> UserContent | None:
    """The content of a part, or ``None`` if it is left out."""
    made: UserContent | None = _MAKERS[part["type"]](part) if part["type"] in _MAKERS else None
    if made is None:
        named = "a search result" if part["type"] == "search_result" else "the id of an uploaded file"
        problem = f"part {number} is {named}, which Pydantic AI does not accept"
        problems.handle(at, problem, "send its content as text", "left out")
    return made


def _image(part: Mapping[str, Any]) -> Any:
    return _binary(part["data"], part["media_type"]) if "data" in part else None


def _linked_image(part: Mapping[str, Any]) -> Any:
    from pydantic_ai.messages import ImageUrl

    image = part["image_url"]
    media_type, data = split_data_url(image["url"])
    options = {"detail": image["detail"]} if image.get("detail") else None
    return _binary(data, media_type, options) if data else ImageUrl(image["url"], vendor_metadata=options)


def _sound(part: Mapping[str, Any]) -> Any:
    sound = part["input_audio"]
    return _binary(sound["data"], f"audio/{sound['format']}")


def _file(part: Mapping[str, Any]) -> Any:
    from pydantic_ai.messages import BinaryContent, DocumentUrl

    if "url" in part:
        return DocumentUrl(part["url"])
    if "text" in part:
        return BinaryContent(part["text"].encode(), media_type="text/plain")
    media_type, data = split_data_url(part.get("file", {}).get("file_data", ""))
    return _binary(data, media_type) if data else None


def _binary(data: str, media_type: str, options: dict[str, Any] | None = None) -> Any:
    from pydantic_ai.messages import BinaryContent

    return BinaryContent(base64.b64decode(data), media_type=media_type, vendor_metadata=options)


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "text": lambda part: part["text"],
    "image": _image,
    "image_url": _linked_image,
    "input_audio": _sound,
    "file": _file,
}
