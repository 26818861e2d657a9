"""Measures a conversion of three messages for OpenAI, compared with f-strings that build the same dicts.

LangChain's templates make message objects and not dicts, so our LangChain templates are compared with those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measure import interleaved
from report import Row, check_equal
from templates import CHAT, CHAT_VALUES

from prompt_manager import Prompt, TemplateEngine
from prompt_manager.exceptions import IntegrationNotAvailableError
from prompt_manager.integrations import LangChainIntegration, OpenAIIntegration

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Effort

__all__ = ["measure"]

TARGET = 1.5

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
    """Measure OpenAI and, if LangChain is installed, our LangChain template class."""
    messages = [{"role": role, "content": content} for role, content in zip(ROLES, CHAT.handlebars, strict=True)]
    prompt = Prompt(id="chat", format="chat", chat_template={"messages": messages})
    convert = OpenAIIntegration(TemplateEngine()).convert_sync

    def ours(values: dict[str, Any]) -> object:
        return convert(prompt, values)

    check_equal("conversion", ours(CHAT_VALUES), by_hand(CHAT_VALUES))
    title = "convert_sync, three messages"
    try:
        stock, template = of_langchain(messages)
    except IntegrationNotAvailableError as error:
        timings = interleaved({"ours": ours, "by hand": by_hand}, CHAT_VALUES, effort)
        return [Row.of("OpenAI", title, timings, TARGET, left_out={"langchain-core": str(error)})]
    timings = interleaved({"ours": ours, "by hand": by_hand, "langchain-core": stock}, CHAT_VALUES, effort)
    objects = interleaved({"ours": template, "langchain-core": stock}, CHAT_VALUES, effort)
    return [
        Row.of("OpenAI", title, timings, TARGET),
        Row.of("LangChain", "format_messages of our class, three messages", objects),
    ]


def of_langchain(messages: list[dict[str, str]]) -> tuple[Callable[[Any], object], Callable[[Any], object]]:
    """Return ``format_messages`` of LangChain's own template for these messages, and of ours."""
    integration = LangChainIntegration(TemplateEngine())
    flat = Prompt(id="chat", format="chat", chat_template={"messages": messages})
    # A variable with a default cannot be an f-string, so every message with one uses our class.
    names = ("company", "customer", "question")
    typed = {"messages": messages, "variables": {name: {"type": "string", "default": "-"} for name in names}}
    stock = integration.convert_sync(flat, {})
    ours = integration.convert_sync(flat.replace(chat_template=typed), {})
    assert type(stock) is not type(ours)

    def format_stock(values: dict[str, Any]) -> object:
        return stock.format_messages(**values)

    def format_ours(values: dict[str, Any]) -> object:
        return ours.format_messages(**values)

    check_equal("LangChain", format_ours(CHAT_VALUES), format_stock(CHAT_VALUES))
    said = [message.content for message in format_stock(CHAT_VALUES)]
    check_equal("LangChain", said, [message["content"] for message in by_hand(CHAT_VALUES)])
    return format_stock, format_ours
