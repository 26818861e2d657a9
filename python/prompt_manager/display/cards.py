"""The content of a display, without its markup: cards with a role, a title, and texts in which tags are marked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Card", "Piece", "ShownDiff", "ShownPrompt", "cards_of_messages", "cards_of_prompt", "diff_lines", "pieces"]

#: A tag of a template. Only templates are searched for tags, not rendered texts.
_TAG = re.compile(r"(\{\{\{.*?\}\}\}|\{\{!--.*?--\}\}|\{\{.*?\}\})", re.DOTALL)

#: The keys of a message that are shown in its title or as its content.
_SHOWN = frozenset({"role", "name", "content", "optional"})


class ShownPrompt(Protocol):
    """What is shown of a :class:`~prompt_manager.Prompt`."""

    @property
    def id(self) -> str:
        """The id."""

    @property
    def version(self) -> str:
        """The version."""

    @property
    def format(self) -> Any:
        """The format, an enum."""

    @property
    def status(self) -> Any:
        """The status, an enum."""

    @property
    def labels(self) -> Sequence[str]:
        """The labels of the version."""

    @property
    def metadata(self) -> Any:
        """The metadata, with a description."""

    @property
    def template(self) -> Any:
        """The template of a text, with its partials."""

    @property
    def chat_template(self) -> Any:
        """The messages of a chat, with its partials."""

    def _inspected(self) -> Any: ...


class ShownDiff(Protocol):
    """What is shown of a diff of two versions."""

    @property
    def text(self) -> str:
        """The diff as a text."""


class Piece(NamedTuple):
    """A part of a text, and whether it is a tag of a template."""

    text: str
    is_tag: bool


class Card(NamedTuple):
    """A message, a template or a partial."""

    #: The role that gives the colour.
    role: str
    title: str
    #: A remark beside the title, such as the name of the speaker.
    note: str
    text: str
    has_tags: bool


def diff_lines(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a diff, each with ``"+"``, ``"-"`` or nothing. In a hunk, a marker counts only in its column."""
    indent: int | None = None
    for line in text.split("\n"):
        blank = len(line) - len(line.lstrip(" "))
        if line.lstrip(" ").startswith("@@ "):
            indent = blank
        elif indent is not None and blank < indent:
            indent = None
        column = blank if indent is None else indent
        marker = line[column : column + 1]
        yield (marker if marker in {"+", "-"} else ""), line


def pieces(card: Card) -> Iterator[Piece]:
    """The text of a card in pieces."""
    if not card.has_tags:
        yield Piece(card.text, is_tag=False)
        return
    for number, text in enumerate(_TAG.split(card.text)):
        if text:
            yield Piece(text, is_tag=number % 2 == 1)


def cards_of_prompt(prompt: ShownPrompt) -> Iterator[Card]:
    """The template or the messages of a prompt, and its partials."""
    partials: Mapping[str, Any] = {}
    if prompt.chat_template is not None:
        messages = [message.model_dump(mode="json", exclude_none=True) for message in prompt.chat_template.messages]
        yield from cards_of_messages(messages, has_tags=True)
        partials = prompt.chat_template.partials
    elif prompt.template is not None:
        yield Card("template", "template", "", prompt.template.content, has_tags=True)
        partials = prompt.template.partials
    for name, text in partials.items():
        yield Card("partial", f"partial {name}", "", text, has_tags=True)


def cards_of_messages(messages: Sequence[Mapping[str, Any]], *, has_tags: bool) -> Iterator[Card]:
    """The messages of a chat: those of a prompt, which have tags, or rendered ones."""
    for message in messages:
        role = str(message.get("role", ""))
        notes = [str(message["name"])] if message.get("name") else []
        notes += ["optional"] * bool(message.get("optional"))
        yield Card(role, role, ", ".join(notes), _text(message), has_tags)


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    parts = content if isinstance(content, (list, tuple)) else [content]
    lines = [_part(part) for part in parts if part not in (None, "")]
    lines += [
        f"{key}: {_json(value)}" for key, value in message.items() if key not in _SHOWN and value not in (None, [], ())
    ]
    return "\n".join(lines)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.keys() == {"type", "text"} and isinstance(part["text"], str):
        return part["text"]
    return _json(part)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
