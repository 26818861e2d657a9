"""Right uses of a typed module. Type checkers check this file; it is never run."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_type

from pydantic import BaseModel

from prompt_manager import PromptManager
from prompt_manager.validation import ParsedOutput
from typed_prompts import Prompts

if TYPE_CHECKING:
    import anthropic
    import openai

    from prompt_manager.integrations.types import OpenAIMessage
    from typed_prompts import GreetingVariables, StepOutput, SupportTriageVariables, VerdictOutput


@dataclass
class Customer:
    name: str


class Person(BaseModel):
    name: str


def any_manager(manager: PromptManager) -> PromptManager:
    return manager


def texts(prompts: Prompts) -> list[str]:
    values: GreetingVariables = {"name": "Ada"}
    any_manager(prompts).render_sync("made/at/run/time", {})
    return [
        prompts.render_sync("greeting", values),
        prompts.render_sync("greeting", {"name": "Ada", "role": None}, version="1.1.0"),
        prompts.render_sync("greeting", {"name": "Ada", "role": "engineer"}, label="staging"),
        prompts.render_sync("greeting", {"name": 5}, label="production", output_instructions=False),
        prompts.render_sync("greeting", {"name": Person}, version="1.0.0"),
        prompts.render_sync("names", {"class": "a", "first-name": "b", "list": (1, 2), "str": "c", "naïve": "d"}),
        prompts.render_sync("nothing"),
        prompts.render_sync("nothing", {}),
        prompts.render_sync("2fa", {"code": 1234, "reason": "sign-in"}),
    ]


async def chats(prompts: Prompts) -> list[dict[str, Any]]:
    values: SupportTriageVariables = {
        "ticket": "It broke",
        "customer": Customer("Ada"),
        "urgency": "high",
        "level": 2.5,
        "tags": {"new", "urgent"},
        "opened": datetime.date(2026, 1, 31),
        "key": uuid.uuid4(),
        "history": [{"role": "user", "content": "Hello"}],
    }
    await prompts.render_messages(
        "support/triage", {"ticket": "a", "customer": Person(name="Ada"), "opened": "2026-01-31"}
    )
    await prompts.render_messages(
        "support/triage", {"ticket": "a", "customer": {"name": "Ada"}, "tags": (n for n in "ab")}
    )
    return await prompts.render_messages("support/triage", values)


def answers(prompts: Prompts) -> None:
    verdict = prompts.parse_output("support/triage", "{}").data
    assert_type(verdict["team"], Literal["billing", "technology"])
    assert_type(verdict["due"], datetime.date)
    assert_type(verdict["note"], str | None)
    assert_type(verdict["steps"][0]["after"][0]["task"], str)
    assert_type(prompts.parse_output("2fa", "{}").data["ok"], bool)
    assert_type(prompts.parse_output("nothing", "{}"), ParsedOutput[Any])
    assert_type(prompts.parse_output("nothing", "{}", Person).data, Person)
    made: VerdictOutput = {"team": "billing", "due": datetime.date(2026, 1, 31), "steps": [], "note": None}
    step: StepOutput = {"task": "Call", "after": []}
    made["steps"].append(step)


def requests(prompts: Prompts, client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    values: SupportTriageVariables = {"ticket": "It broke", "customer": {}}
    client.chat.completions.create(**prompts.build_request_sync("support/triage", values, "openai", temperature=0))
    client.responses.create(**prompts.build_request_sync("support/triage", values, "openai-responses", model="m"))
    for event in claude.messages.create(
        **prompts.build_request_sync("support/triage", values, "anthropic", stream=True)
    ):
        print(event.type)
    messages: list[OpenAIMessage] = prompts.convert_sync("support/triage", values, "openai")
    client.chat.completions.create(model="m", messages=messages)
    assert_type(prompts.convert_sync("greeting", {"name": "Ada"}, "openai"), str)
    messages = prompts.convert_sync("greeting", {"name": "Ada"}, "openai", to_messages=True)
    prompts.convert_sync("greeting", {"name": "Ada"}, "anthropic", to_messages=True)


def made() -> Prompts:
    with Prompts.from_directory_sync("prompts") as prompts:
        return prompts
