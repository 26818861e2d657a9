"""Three messages for OpenAI, against a function that builds the same dicts from f-strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measure import interleaved
from report import Row, checked
from templates import CHAT, CHAT_VALUES

from prompt_manager import Prompt, TemplateEngine
from prompt_manager.integrations import OpenAIIntegration

if TYPE_CHECKING:
    from measure import Effort

__all__ = ["measure"]

TARGET = 2.5

ROLES = ("system", "user", "user")


def by_hand(v: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "role": "system",
            "content": f"You answer the customers of {v['company']}. Be brief, and answer in {v['language']}.",
        },
        {"role": "user", "content": f"The customer is {v['customer']}."},
        {"role": "user", "content": f"{v['question']}"},
    ]


def measure(effort: Effort) -> list[Row]:
    """One row: the conversion."""
    messages = [{"role": role, "content": content} for role, content in zip(ROLES, CHAT.handlebars, strict=True)]
    prompt = Prompt(id="chat", format="chat", chat_template={"messages": messages})
    convert = OpenAIIntegration(TemplateEngine()).convert_sync

    def ours(values: dict[str, Any]) -> object:
        return convert(prompt, values)

    checked("conversion", ours(CHAT_VALUES), by_hand(CHAT_VALUES))
    timings = interleaved({"ours": ours, "by hand": by_hand}, CHAT_VALUES, effort)
    return [Row.of("OpenAI", "convert_sync, three messages", timings, TARGET)]
