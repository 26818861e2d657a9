"""Shows objects in terminals, as renderables of rich. Only rich calls these functions, so it is installed then."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from prompt_manager.display.cards import Card, cards_of_messages, cards_of_prompt, diff_lines, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from prompt_manager._native import Finding, Template
    from prompt_manager.display.cards import ShownDiff, ShownPrompt

__all__ = ["diff_rich", "finding_rich", "messages_rich", "prompt_rich", "template_rich"]

_COLOURS = {
    "system": "magenta",
    "developer": "magenta",
    "user": "blue",
    "assistant": "green",
    "tool": "yellow",
    "function": "yellow",
    "error": "red",
    "warning": "yellow",
}


def prompt_rich(prompt: ShownPrompt) -> RenderableType:
    """A prompt: its metadata, and its templates as panels with the tags marked."""
    facts = " · ".join([prompt.version, prompt.format.value, prompt.status.value, *prompt.labels])
    parts = [Text.assemble((_visible(prompt.id), "bold"), "  ", (_visible(facts), "dim"))]
    if prompt.metadata.description:
        parts.append(Text(_visible(prompt.metadata.description)))
    return Group(*parts, *_panels(cards_of_prompt(prompt)))


def template_rich(template: Template) -> RenderableType:
    """A template with its tags marked."""
    return _text(Card("template", "", "", template.source, has_tags=True))


def messages_rich(messages: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Rendered messages as panels."""
    return Group(*_panels(cards_of_messages(messages, has_tags=False)))


def diff_rich(diff: ShownDiff) -> RenderableType:
    """A diff, with lines that were added and removed in colour."""
    styles = {"+": "green", "-": "red"}
    lines = diff_lines(diff.text)
    return Text("\n").join(Text(_visible(line), styles.get(marker, "")) for marker, line in lines)


def finding_rich(finding: Finding) -> RenderableType:
    """A finding, as its ``str()``, with the severity in colour."""
    lines = _visible(str(finding)).split("\n")
    first = Text.assemble((f"{finding.severity} ", f"bold {_COLOURS[finding.severity]}"), lines[0])
    return Text("\n").join([first, *(Text(line, "dim") for line in lines[1:])])


def _panels(cards: Iterable[Card]) -> Iterator[Panel]:
    for card in cards:
        colour = _COLOURS.get(card.role, "white")
        title = Text(_visible(f"{card.title} {card.note}".strip()), f"bold {colour}")
        yield Panel(_text(card), title=title, title_align="left", border_style=colour)


def _text(card: Card) -> Text:
    return Text.assemble(*((_visible(piece.text), "bold cyan" if piece.is_tag else "") for piece in pieces(card)))


def _visible(text: str) -> str:
    """The text with its control characters escaped, so that it cannot control the terminal."""
    return "".join(
        ascii(char)[1:-1] if unicodedata.category(char) == "Cc" and char not in "\n\t" else char for char in text
    )
