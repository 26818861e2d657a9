"""Custom integrations and template engines."""

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
    """An integration that overrides only the abstract methods."""

    async def convert(self, prompt, variables):
        messages = await self.render_messages(prompt, variables)
        return " / ".join(message["content"].upper() for message in messages)

    def validate_compatibility(self, prompt):
        return prompt.format == "chat"


class Waiting(Shouting):
    """An integration that waits."""

    async def convert(self, prompt, variables):
        await asyncio.sleep(0)
        return await super().convert(prompt, variables)


EXPECTED = "YOU ARE A HELPFUL ASSISTANT. / TELL ME ABOUT AI."


@pytest.mark.parametrize("kind", [Shouting, Waiting])
class TestOwnIntegration:
    async def test_converts(self, kind, engine):
        assert await kind(engine).convert(create_chat_prompt(), {"topic": "AI"}) == EXPECTED

    def test_converts_synchronously(self, kind, engine):
        assert kind(engine).convert_sync(create_chat_prompt(), {"topic": "AI"}) == EXPECTED

    def test_errors_are_the_same_synchronously(self, kind, engine):
        with pytest.raises(TemplateRenderError, match="'topic'"):
            kind(engine).convert_sync(create_chat_prompt(), {})

    async def test_convert_sync_in_a_running_loop_is_an_error(self, kind, engine):
        with pytest.raises(RuntimeError, match=rf"await {kind.__name__}\.convert\("):
            kind(engine).convert_sync(create_chat_prompt(), {"topic": "AI"})


@pytest.mark.parametrize("kind", [Shouting, OpenAIIntegration, AnthropicIntegration])
def test_engine_and_strictness_are_read_only_attributes(kind, engine):
    assert kind(engine).template_engine is engine
    assert kind(engine).strict_validation is True
    assert kind(engine, strict_validation=False).strict_validation is False
    with pytest.raises(AttributeError):
        kind(engine).strict_validation = False
    with pytest.raises(TypeError):
        kind(engine, False)  # noqa: FBT003 - must be rejected


def test_the_base_class_is_abstract(engine):
    with pytest.raises(TypeError, match="abstract"):
        BaseIntegration(engine)


async def test_rendered_messages_have_the_format_of_prompt_files(engine):
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
def test_an_error_of_a_custom_engine_names_the_engine(kind):
    with pytest.raises(IntegrationError, match="OwnEngine"):
        kind(OwnEngine()).convert_sync(create_chat_prompt(), {"topic": "AI"})


def test_a_subclass_of_the_template_engine_works():
    class Own(TemplateEngine):
        pass

    assert OpenAIIntegration(Own()).convert_sync(create_text_prompt(), {"name": "x"}) == "Hello x!"
