"""Convert prompts to LlamaIndex's ``ChatMessage`` lists. This needs ``llama-index-core``, loaded on the first use."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from prompt_manager.integrations._framework import FrameworkIntegration, require, split_data_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llama_index.core.base.llms.types import ChatMessage

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations._framework_problems import MessagePosition, PlacedMessage, Problems

__all__ = ["LlamaIndexIntegration", "to_llama_index_messages"]


def to_llama_index_messages(
    prompt: Prompt,
    variables: Mapping[str, Any],
    *,
    template_engine: TemplateEngineProtocol | None = None,
    strict_validation: bool = True,
) -> list[ChatMessage]:
    """Render a prompt to LlamaIndex's messages, for ``llm.chat(messages)``.

    See :class:`LlamaIndexIntegration` for the arguments and errors.
    """
    if template_engine is None:
        from prompt_manager.core.template import TemplateEngine

        template_engine = TemplateEngine()
    return LlamaIndexIntegration(template_engine, strict_validation=strict_validation).convert_sync(prompt, variables)


class LlamaIndexIntegration(FrameworkIntegration["list[ChatMessage]"]):
    """Converts prompts to lists of ``ChatMessage``.

    Texts, images, sounds and files are blocks. Calls of tools and the ids of their results are in
    ``additional_kwargs``, in OpenAI's format, where LlamaIndex's models read them.

    Raises:
        IntegrationNotAvailableError: ``llama-index-core`` is not installed.
    """

    _framework = "llama-index"
    _name = "LlamaIndex"

    def _converted(
        self, core: CompiledPrompt, messages: Sequence[PlacedMessage], problems: Problems
    ) -> list[ChatMessage]:
        del core
        require("llama_index.core", "LlamaIndex", "llama-index-core")
        made = [_message(message, at, problems) for at, message in messages]
        return [message for message in made if message is not None]


#: The keys of a message that LlamaIndex's models find in ``additional_kwargs``.
_KWARGS = ("name", "tool_call_id", "tool_calls", "function_call")


def _message(message: Mapping[str, Any], at: MessagePosition, problems: Problems) -> ChatMessage | None:
    """The message, or ``None`` if nothing of it is left."""
    from llama_index.core.base.llms.types import ChatMessage, MessageRole

    for key in ("is_error", "refusal"):
        if message.get(key):
            problems.handle(at, f"LlamaIndex does not accept `{key}`", f"remove `{key}`", "left out")
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    made = [_block(part, number, at, problems) for number, part in enumerate(parts)]
    blocks = [block for block in made if block is not None]
    is_result = at[1] in {"tool", "function"}
    if not (blocks or is_result or message.get("tool_calls") or message.get("function_call")):
        problems.drop_empty(at)
        return None
    return ChatMessage(
        role=MessageRole(message["role"]),
        blocks=blocks,
        additional_kwargs={key: message[key] for key in _KWARGS if message.get(key)},
    )


def _block(part: Mapping[str, Any], number: int, at: MessagePosition, problems: Problems) -> Any:
    """The block of a part, or ``None`` if it is left out."""
    block = _MAKERS[part["type"]](part) if part["type"] in _MAKERS else None
    if block is None:
        named = "a search result" if part["type"] == "search_result" else "the id of an uploaded file"
        problem = f"part {number} is {named}, which LlamaIndex does not accept"
        problems.handle(at, problem, "send its content as text", "left out")
    return block


def _text(part: Mapping[str, Any]) -> Any:
    from llama_index.core.base.llms.types import TextBlock

    return TextBlock(text=part["text"])


def _image(part: Mapping[str, Any]) -> Any:
    from llama_index.core.base.llms.types import ImageBlock

    return ImageBlock(image=part["data"].encode(), image_mimetype=part["media_type"]) if "data" in part else None


def _linked_image(part: Mapping[str, Any]) -> Any:
    from llama_index.core.base.llms.types import ImageBlock

    image = part["image_url"]
    media_type, data = split_data_url(image["url"])
    if data:
        return ImageBlock(image=data.encode(), image_mimetype=media_type, detail=image.get("detail"))
    return ImageBlock(url=image["url"], detail=image.get("detail"))


def _sound(part: Mapping[str, Any]) -> Any:
    from llama_index.core.base.llms.types import AudioBlock

    sound = part["input_audio"]
    return AudioBlock(audio=sound["data"].encode(), format=sound["format"])


def _file(part: Mapping[str, Any]) -> Any:
    from llama_index.core.base.llms.types import DocumentBlock

    file = part.get("file", {})
    title = part.get("title") or file.get("filename")
    if "url" in part:
        return DocumentBlock(url=part["url"], title=title)
    if "text" in part:
        data = base64.b64encode(part["text"].encode())
        return DocumentBlock(data=data, title=title, document_mimetype="text/plain")
    media_type, encoded = split_data_url(file.get("file_data", ""))
    return DocumentBlock(data=encoded.encode(), title=title, document_mimetype=media_type) if encoded else None


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "text": _text,
    "image": _image,
    "image_url": _linked_image,
    "input_audio": _sound,
    "file": _file,
}
