"""What is no prompt is refused with the right thing to pass."""

from __future__ import annotations

import asyncio

import pytest

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.storage import FileSystemStorage, InMemoryStorage

MANAGER = PromptManager()
INTEGRATIONS = [kind(TemplateEngine()) for kind in (OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration)]
LANGCHAIN = LangChainIntegration(TemplateEngine())
CALLS = [
    MANAGER.create_prompt_sync,
    lambda prompt: asyncio.run(MANAGER.create_prompt(prompt)),
    MANAGER.update_prompt_sync,
    MANAGER.registry.register_sync,
    MANAGER.registry.update_sync,
    InMemoryStorage().save_sync,
    FileSystemStorage("unused").save_sync,
    LANGCHAIN.explain_compatibility,
    lambda prompt: LANGCHAIN.bind(None, prompt),
    *(integration.explain_compatibility for integration in INTEGRATIONS),
    *(
        lambda prompt, integration=integration: integration.convert_sync(prompt, {})
        for integration in [*INTEGRATIONS, LANGCHAIN]
    ),
    *(
        lambda prompt, integration=integration: asyncio.run(integration.convert(prompt, {}))
        for integration in [*INTEGRATIONS, LANGCHAIN]
    ),
    *(
        lambda prompt, integration=integration: integration.build_request_sync(prompt, {}, model="m")
        for integration in INTEGRATIONS
    ),
    *(
        lambda prompt, integration=integration: integration.render_messages_sync(prompt, {})
        for integration in INTEGRATIONS
    ),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("greeting", r"expected a Prompt, not str: get the prompt of an id .*manager\.get_prompt\(id\)"),
        ({"id": "greeting"}, r"expected a Prompt, not dict: write `Prompt\(\*\*fields\)`"),
        (None, "expected a Prompt, not NoneType"),
    ],
)
def test_the_error_says_what_to_pass(call, given, message):
    with pytest.raises(TypeError, match=message):
        call(given)


def test_a_time_is_a_datetime():
    MANAGER.create_prompt_sync(Prompt(id="timed", template="x"))
    with pytest.raises(TypeError, match="since must be a datetime, not str"):
        MANAGER.get_history_sync("timed", since="2026-01-01")
