"""Serve prompts over the Model Context Protocol, as plain data. This does not need the ``mcp`` package.

:func:`to_mcp_prompt` gives an entry of ``prompts/list``, and :func:`to_mcp_result` the answer to ``prompts/get``.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prompt_manager._text_values import typed_value
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations._framework import FrameworkIntegration, split_data_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations._framework_problems import MessagePosition, PlacedMessage, Problems

__all__ = ["MCPIntegration", "to_mcp_prompt", "to_mcp_result"]


def to_mcp_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return the entry of a prompt in ``prompts/list``, for ``mcp.types.Prompt.model_validate``.

    >>> from prompt_manager import Prompt
    >>> to_mcp_prompt(Prompt(id="hi", format="text", template="Hi, {{name}}", metadata={"description": "Greets"}))
    {'name': 'hi', 'description': 'Greets', 'arguments': [{'name': 'name', 'required': True}]}
    """
    require_prompt(prompt)
    core = prompt._inspected()
    entry: dict[str, Any] = {"name": core.id}
    if core.description:
        entry["description"] = core.description
    arguments = [
        {
            "name": variable["name"],
            **({"description": variable["description"]} if variable["description"] else {}),
            "required": variable["required"],
        }
        for variable in core.variables()
    ]
    return {**entry, **({"arguments": arguments} if arguments else {})}


def to_mcp_result(
    prompt: Prompt,
    arguments: Mapping[str, str] | None = None,
    *,
    template_engine: TemplateEngineProtocol | None = None,
    strict_validation: bool = True,
) -> dict[str, Any]:
    """Return the answer to ``prompts/get``, for ``mcp.types.GetPromptResult.model_validate``.

    MCP's messages are the user's and the assistant's, with one content block each, so a message of several parts
    becomes several messages.

    Args:
        prompt: The prompt.
        arguments: The values of its variables as texts, which become values of the declared types: ``"3"`` an integer,
            ``"true"`` a boolean, and JSON a list or a mapping. An empty text leaves out an optional argument of
            another type than text.
        template_engine: The engine that renders the templates, such as ``manager.template_engine``.
        strict_validation: Raise an error for what MCP cannot express. If false, a system message becomes one of the
            user, and other content is left out, with a
            :class:`~prompt_manager.integrations.PromptConversionWarning`.

    Raises:
        ConversionError: a variable is missing or has the wrong type, or MCP cannot express a message.

    >>> from prompt_manager import Prompt
    >>> prompt = Prompt(id="hi", format="text", template="Hi, {{name}}", metadata={"description": "Greets"})
    >>> to_mcp_result(prompt, {"name": "Ada"})["messages"]
    [{'role': 'user', 'content': {'type': 'text', 'text': 'Hi, Ada'}}]
    """
    if template_engine is None:
        from prompt_manager.core.template import TemplateEngine

        template_engine = TemplateEngine()
    require_prompt(prompt)
    values = _values(prompt._inspected(), {} if arguments is None else arguments)
    return MCPIntegration(template_engine, strict_validation=strict_validation).convert_sync(prompt, values)


class MCPIntegration(FrameworkIntegration[dict[str, Any]]):
    """Converts prompts to ``{"description": ..., "messages": [...]}``, the answer of an MCP server to ``prompts/get``.

    Its variables have their own types; :func:`to_mcp_result` takes texts, as MCP's clients send them.
    """

    _framework = "mcp"
    _name = "MCP"
    _has_calls = False

    def _converted(self, core: CompiledPrompt, messages: Sequence[PlacedMessage], problems: Problems) -> dict[str, Any]:
        made = [each for at, message in messages for each in _messages(message, at, problems)]
        description = {"description": core.description} if core.description else {}
        return {**description, "messages": made}


def _values(core: CompiledPrompt, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The values of the arguments, in the types that the prompt declares.

    Raises:
        ConversionError: a text is no value of the type.
    """
    if not isinstance(arguments, Mapping):
        raise ConversionError(
            f"the arguments of prompt '{core.id}' must be a mapping of texts, not {type(arguments).__name__}",
            prompt_id=core.id,
            framework="mcp",
            hint='give a text for each name, such as {"limit": "3"}',
        )
    variables = {variable["name"]: variable for variable in core.variables()}
    given = {name: text for name, text in arguments.items() if not _is_left_empty(variables.get(name), text)}
    return {name: _value(core, variables.get(name), name, text) for name, text in given.items()}


def _is_left_empty(variable: Mapping[str, Any] | None, text: object) -> bool:
    """Whether a client left an optional argument empty that is no text."""
    return text == "" and variable is not None and not variable["required"] and variable["type"] not in _TEXTS


def _value(core: CompiledPrompt, variable: Mapping[str, Any] | None, name: str, text: str) -> Any:
    if variable is None or not isinstance(text, str):
        return text
    try:
        return typed_value(text, variable)
    except ValueError:
        kind, known = variable["type"], variable["values"]
        raise ConversionError(
            f"argument '{name}' of prompt '{core.id}' is {'none of its values' if known else f'no {kind}'}",
            prompt_id=core.id,
            framework="mcp",
            hint=f"write one of {', '.join(map(_shown, known))}"
            if known
            else f"write it as {_example(core, name, kind)}",
        ) from None


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _example(core: CompiledPrompt, name: str, kind: str) -> str:
    entries = (core.to_dict().get("chat_template") or {}).get("messages") or ()
    if any(entry.get("role") == "placeholder" and entry.get("name") == name for entry in entries):
        return 'a list of messages in JSON, such as [{"role": "user", "content": "Hi"}]'
    return _EXAMPLES[kind]


#: The types that an empty text is a value of.
_TEXTS = frozenset({"string", "any", "enum"})
_EXAMPLES = {
    "integer": "a number such as 3",
    "float": "a number such as 0.5",
    "boolean": "true or false",
    "list": 'JSON such as ["a", "b"]',
    "dict": 'JSON such as {"a": 1}',
}


def _messages(message: Mapping[str, Any], at: MessagePosition, problems: Problems) -> list[dict[str, Any]]:
    """MCP's messages for one message."""
    role = at[1]
    if role in {"tool", "function"}:
        problems.handle(at, "MCP has no messages of tools", "write the result as a user message", "left out")
        return []
    if role in {"system", "developer"}:
        hint = "write it as a user message, or pass strict_validation=False to send it as one"
        problems.handle(at, "MCP has no system messages", hint, "sent as a user message")
    for key in ("name", "tool_calls", "function_call", "refusal"):
        if message.get(key):
            problems.handle(at, f"MCP does not accept `{key}`", f"remove `{key}`", "left out")
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    made = [_block(part, number, at, problems) for number, part in enumerate(parts)]
    blocks = [block for block in made if block is not None]
    if not blocks:
        problems.drop_empty(at)
    speaker = "assistant" if role == "assistant" else "user"
    return [{"role": speaker, "content": block} for block in blocks]


def _block(part: Mapping[str, Any], number: int, at: MessagePosition, problems: Problems) -> dict[str, Any] | None:
    """The content block of a part, or ``None`` if it is left out."""
    block = _MAKERS[part["type"]](part) if part["type"] in _MAKERS else None
    if block is None:
        named = "a search result" if part["type"] == "search_result" else "the id of an uploaded file"
        problem = f"part {number} is {named}, which MCP does not accept"
        problems.handle(at, problem, "send its content as text", "left out")
    return block


def _image(part: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"type": "image", "data": part["data"], "mimeType": part["media_type"]} if "data" in part else None


def _linked_image(part: Mapping[str, Any]) -> dict[str, Any]:
    url = part["image_url"]["url"]
    media_type, data = split_data_url(url)
    return {"type": "image", "data": data, "mimeType": media_type} if data else _link(url, "image")


def _sound(part: Mapping[str, Any]) -> dict[str, Any]:
    sound = part["input_audio"]
    return {"type": "audio", "data": sound["data"], "mimeType": f"audio/{sound['format']}"}


def _file(part: Mapping[str, Any]) -> dict[str, Any] | None:
    if "url" in part:
        title = {"title": part["title"]} if part.get("title") else {}
        return {**_link(part["url"], "file"), **title}
    if "text" in part:
        resource = {"uri": f"file:///{part.get('title', 'document.txt')}", "mimeType": "text/plain"}
        return {"type": "resource", "resource": {**resource, "text": part["text"]}}
    file = part.get("file", {})
    media_type, data = split_data_url(file.get("file_data", ""))
    name = part.get("title") or file.get("filename") or "document"
    resource = {"uri": f"file:///{name}", "mimeType": media_type, "blob": data}
    return {"type": "resource", "resource": resource} if data else None


def _link(url: str, what: str) -> dict[str, Any]:
    """An image or file at an address."""
    path = url.partition("?")[0]
    guessed = mimetypes.guess_type(path)[0]
    link = {"type": "resource_link", "uri": url, "name": path.rpartition("/")[2] or what}
    return {**link, **({"mimeType": guessed} if guessed else {})}


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    "text": lambda part: {"type": "text", "text": part["text"]},
    "image": _image,
    "image_url": _linked_image,
    "input_audio": _sound,
    "file": _file,
}
