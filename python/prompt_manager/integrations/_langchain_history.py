"""The place for a conversation in a LangChain template, in any format. The import loads ``langchain_core``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any
from warnings import warn

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)
from langchain_core.prompts import MessagesPlaceholder
from pydantic import ValidationError

from prompt_manager._native import Engine, compile_chat
from prompt_manager.integrations._langchain_source import NAMESPACE
from prompt_manager.integrations.base import PromptConversionWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MESSAGE_CLASSES", "HistoryPlaceholder", "read_history"]

#: The classes of messages by the name that conversions give them.
MESSAGE_CLASSES: dict[str, type[BaseMessage]] = {
    "system": SystemMessage,
    "human": HumanMessage,
    "ai": AIMessage,
    "tool": ToolMessage,
    "function": FunctionMessage,
}

#: The classes by the ``type`` in a dump.
_BY_TYPE: dict[str, type[BaseMessage]] = {
    **MESSAGE_CLASSES,
    "chat": ChatMessage,
    "AIMessageChunk": AIMessageChunk,
    "ChatMessageChunk": ChatMessageChunk,
    "FunctionMessageChunk": FunctionMessageChunk,
    "HumanMessageChunk": HumanMessageChunk,
    "SystemMessageChunk": SystemMessageChunk,
    "ToolMessageChunk": ToolMessageChunk,
}

_BY_NAME = {each.__name__: each for each in _BY_TYPE.values()}


class HistoryPlaceholder(MessagesPlaceholder):
    """The place for a conversation, which can have any format that a prompt's placeholder accepts.

    LangChain's own messages and their dumps become the same messages again. Of other formats, what only one provider
    understands is left out with a warning; with ``strict``, it is an error.
    """

    strict: bool = True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """The module under which ``dumps`` writes the class."""
        return NAMESPACE

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages that the variable holds.

        Raises:
            TemplateRenderError: the value is no list of messages.
            ConversionError: the conversion would lose something, and the placeholder is strict.
        """
        name = self.variable_name
        value: Any = kwargs.get(name) if self.optional else kwargs[name]
        if value is None and self.optional:
            value = []
        return super().format_messages(**{**kwargs, name: read_history(name, value, strict=self.strict)})


def read_history(name: str, value: Sequence[Any], *, strict: bool) -> list[BaseMessage]:
    """Return a conversation as LangChain's messages; ``name`` is that of its variable, for errors."""
    if not isinstance(value, list | tuple):
        return list(_converted(name, value, strict=strict))
    messages: list[BaseMessage] = []
    own = ((_own(item), item) for item in value)
    for is_own, run in groupby(own, key=lambda pair: pair[0] is not None):
        if is_own:
            messages += [message for message, _ in run if message is not None]
        else:
            messages += _converted(name, [item for _, item in run], strict=strict)
    return messages


def _own(item: object) -> BaseMessage | None:
    """The message itself, or that of a dump of LangChain's; ``None`` for another format."""
    if isinstance(item, BaseMessage):
        return item
    if isinstance(item, str):
        return HumanMessage(item)
    if not isinstance(item, Mapping):
        return None
    fields: Any = item
    found: type[BaseMessage] | None = None
    if item.get("lc") == 1 and isinstance(item.get("id"), list) and isinstance(item.get("kwargs"), Mapping):
        fields, found = item["kwargs"], _BY_NAME.get(item["id"][-1])
    elif isinstance(item.get("data"), Mapping):
        fields, found = item["data"], _class_of(item.get("type"))
    elif "content" in item and ("role" not in item or item.get("type") == "chat"):
        found = _class_of(item.get("type"))
    if found is None:
        return None
    try:
        return found.model_validate({key: each for key, each in fields.items() if each is not None})
    except ValidationError:
        # The reader of histories has the error for it.
        return None


def _class_of(kind: object) -> type[BaseMessage] | None:
    return _BY_TYPE.get(kind) if isinstance(kind, str) else None


def _converted(name: str, items: object, *, strict: bool) -> Iterator[BaseMessage]:
    """Messages of any other format."""
    chat = compile_chat([{"role": "placeholder", "name": name}], Engine())
    made, steps = chat.render_for_langchain({name: items}, strict)
    for step in steps:
        warn(step, PromptConversionWarning, stacklevel=4)
    for each in made:
        yield MESSAGE_CLASSES[each["class"]](**each["arguments"])
