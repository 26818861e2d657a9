"""Integrations that somebody else writes."""

from __future__ import annotations

import asyncio
from collections import UserDict

import pytest

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import IntegrationError, TemplateRenderError
from prompt_manager.integrations import AnthropicIntegration, BaseIntegration, OpenAIIntegration

pytestmark = pytest.mark.unit


class Shouting(BaseIntegration[str]):
    """Overrides only what it must."""

    async def convert(self, prompt, variables):
        messages = await self.render_messages(prompt, variables)
        return " / ".join(message["content"].upper() for message in messages)

    def validate_compatibility(self, prompt):
        return prompt.format == "chat"


class Waiting(Shouting):
    """One that really waits."""

    async def convert(self, prompt, variables):
        await asyncio.sleep(0)
        return await super().convert(prompt, variables)


EXPECTED = "YOU ARE A HELPFUL ASSISTANT. / TELL ME ABOUT AI."


@pytest.mark.parametrize("kind", [Shouting, Waiting])
class TestOwnIntegration:
    async def test_converts(self, kind, engine):
        assert await kind(engine).convert(create_chat_prompt(), {"topic": "AI"}) == EXPECTED

    def test_converts_without_await(self, kind, engine):
        assert kind(engine).convert_sync(create_chat_prompt(), {"topic": "AI"}) == EXPECTED

    def test_says_what_went_wrong_without_await_too(self, kind, engine):
        with pytest.raises(TemplateRenderError, match="'topic'"):
            kind(engine).convert_sync(create_chat_prompt(), {})

    async def test_in_a_running_loop_says_what_to_await(self, kind, engine):
        with pytest.raises(RuntimeError, match=rf"await {kind.__name__}\.convert\("):
            kind(engine).convert_sync(create_chat_prompt(), {"topic": "AI"})


@pytest.mark.parametrize("kind", [Shouting, OpenAIIntegration, AnthropicIntegration])
def test_every_integration_tells_its_engine_and_strictness(kind, engine):
    assert kind(engine).template_engine is engine
    assert kind(engine).strict_validation is True
    assert kind(engine, strict_validation=False).strict_validation is False
    with pytest.raises(AttributeError):
        kind(engine).strict_validation = False
    with pytest.raises(TypeError):
        kind(engine, False)  # noqa: FBT003 - refused as it should be


def test_the_base_cannot_be_made(engine):
    with pytest.raises(TypeError, match="abstract"):
        BaseIntegration(engine)


async def test_rendered_messages_have_the_form_of_prompt_files(engine):
    integration = OpenAIIntegration(engine)
    expected = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Tell me about AI."},
    ]
    assert await integration.render_messages(create_chat_prompt(), {"topic": "AI"}) == expected
    assert integration.render_messages_sync(create_chat_prompt(), UserDict(topic="AI")) == expected


class OwnEngine:
    async def render(self, template, variables, *, partials=None):
        raise NotImplementedError

    async def validate(self, template):
        raise NotImplementedError

    def extract_variables(self, template):
        raise NotImplementedError


@pytest.mark.parametrize("kind", [OpenAIIntegration, AnthropicIntegration])
def test_an_engine_of_one_s_own_is_refused_by_name(kind):
    with pytest.raises(IntegrationError, match="OwnEngine"):
        kind(OwnEngine()).convert_sync(create_chat_prompt(), {"topic": "AI"})


def test_an_engine_that_extends_ours_is_taken():
    class Own(TemplateEngine):
        pass

    assert OpenAIIntegration(Own()).convert_sync(create_text_prompt(), {"name": "x"}) == "Hello x!"
