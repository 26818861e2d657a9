"""Prompts converted for OpenAI."""

from __future__ import annotations

import pickle

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt, everything_said_by
from prompt_manager import PromptManager
from prompt_manager.core.models import Prompt, PromptFormat, Role
from prompt_manager.core.template import TemplateEngine
from prompt_manager.exceptions import (
    ConversionError,
    IntegrationError,
    TemplateRenderError,
    TemplateSyntaxError,
)
from prompt_manager.integrations.openai import OpenAIIntegration


@pytest.fixture
def openai_integration(template_engine):
    return OpenAIIntegration(template_engine)


# The tests of the design document, unchanged.


@pytest.mark.unit
async def test_convert_text_prompt(openai_integration):
    """Test converting TEXT prompt to string."""
    prompt = create_text_prompt()
    result = await openai_integration.convert(prompt, {"name": "Alice"})

    assert isinstance(result, str)
    assert "Alice" in result


@pytest.mark.unit
async def test_convert_chat_prompt(openai_integration):
    """Test converting CHAT prompt to messages."""
    prompt = create_chat_prompt()
    result = await openai_integration.convert(prompt, {"topic": "AI"})

    assert isinstance(result, list)
    assert len(result) == 2
    assert result[0]["role"] == "system"
    assert result[1]["role"] == "user"
    assert "AI" in result[1]["content"]


@pytest.mark.unit
async def test_missing_template_raises_error(openai_integration):
    """Test error when template missing."""
    prompt = Prompt(id="test", format=PromptFormat.TEXT)

    with pytest.raises(IntegrationError, match="Template required"):
        await openai_integration.convert(prompt, {})


@pytest.mark.unit
def test_role_mapping(openai_integration):
    """Test role mapping from Prompt Manager to OpenAI."""
    assert openai_integration._map_role(Role.SYSTEM) == "system"
    assert openai_integration._map_role(Role.USER) == "user"
    assert openai_integration._map_role(Role.ASSISTANT) == "assistant"


@pytest.mark.unit
def test_validate_compatibility(openai_integration):
    """Test compatibility validation."""
    text_prompt = create_text_prompt()
    chat_prompt = create_chat_prompt()

    assert openai_integration.validate_compatibility(text_prompt)
    assert openai_integration.validate_compatibility(chat_prompt)


# Further tests.


@pytest.mark.unit
@pytest.mark.parametrize("format", ["text", "completion", "instruction"])
async def test_every_format_except_chat_converts_to_text(openai_integration, format):
    prompt = create_text_prompt(format=format)
    assert await openai_integration.convert(prompt, {"name": "é"}) == "Hello é!"
    assert openai_integration.convert_sync(prompt, {"name": "é"}) == "Hello é!"


@pytest.mark.unit
def test_every_role_maps_to_openai_s_role(openai_integration):
    for role in set(Role) - {Role.PLACEHOLDER}:
        assert openai_integration._map_role(role) == role.value
    with pytest.raises(ConversionError, match="Unsupported role for OpenAI: placeholder"):
        openai_integration._map_role(Role.PLACEHOLDER)


@pytest.mark.unit
def test_a_chat_without_its_template_is_refused(openai_integration):
    with pytest.raises(IntegrationError, match="Chat template required for CHAT format"):
        openai_integration.convert_sync(Prompt(id="test", format="chat"), {})


@pytest.mark.unit
@pytest.mark.parametrize("prompt", [create_text_prompt(id="p", template="{{topic}}"), create_chat_prompt(id="p")])
async def test_a_missing_variable_is_a_conversion_error(openai_integration, prompt):
    with pytest.raises(ConversionError) as caught:
        await openai_integration.convert(prompt, {"topc": SECRET})
    error = caught.value
    assert error.message == "Failed to convert prompt 'p' to OpenAI format: Missing variable 'topic'"
    assert isinstance(error.__cause__, TemplateRenderError)
    assert error.context["prompt_id"] == "p"
    assert "`topc`" in str(error)
    assert SECRET not in everything_said_by(error)
    assert SECRET not in everything_said_by(error.__cause__)


@pytest.mark.unit
def test_a_missing_field_is_an_error_with_line_and_column(openai_integration):
    with pytest.raises(ConversionError, match="Failed to convert prompt 'greeting' to OpenAI format") as caught:
        openai_integration.convert_sync(create_text_prompt(template="\nHi {{name.first}}"), {"name": {}})
    assert (caught.value.__cause__.line, caught.value.__cause__.column) == (2, 6)


@pytest.mark.unit
def test_a_template_that_does_not_parse_is_a_syntax_error(openai_integration):
    with pytest.raises(TemplateSyntaxError, match="never closed"):
        openai_integration.convert_sync(create_text_prompt(template="{{#if a}}"), {})


@pytest.mark.unit
@pytest.mark.parametrize("variables", [None, "text", 5, [("name", "x")]])
def test_names_of_variables_must_be_strings(openai_integration, variables):
    for prompt in (create_text_prompt(), create_chat_prompt()):
        with pytest.raises(TypeError, match="mapping"):
            openai_integration.convert_sync(prompt, variables)


@pytest.mark.unit
def test_a_conversion_checks_variables_and_adds_defaults(openai_integration, prompt_manager):
    variables = {"name": "string", "language": {"type": "string", "default": "English"}}
    prompt = create_text_prompt(template={"content": "{{name}} {{language}}", "variables": variables})
    prompt_manager.registry.register_sync(prompt)
    assert openai_integration.convert_sync(prompt, {"name": "x"}) == prompt_manager.render_sync(
        "greeting", {"name": "x"}
    )
    with pytest.raises(ConversionError, match="must be of type string"):
        openai_integration.convert_sync(prompt, {"name": 5})


@pytest.mark.unit
def test_a_prompt_from_a_manager_can_use_engine_partials():
    engine = TemplateEngine()
    engine.register_partial("tone", "Be kind.")
    manager = PromptManager(template_engine=engine)
    manager.registry.register_sync(chat_of({"role": "user", "content": "{{> tone}}"}))
    prompt = manager.get_prompt_sync("explain")
    assert OpenAIIntegration(manager.template_engine).convert_sync(prompt, {}) == [
        {"role": "user", "content": "Be kind."}
    ]
    other = OpenAIIntegration(TemplateEngine())
    assert other.convert_sync(prompt, {}) == [{"role": "user", "content": "Be kind."}]
    # Pickled it is plain data, and has the partials no longer.
    with pytest.raises(ConversionError, match="no partial"):
        other.convert_sync(pickle.loads(pickle.dumps(prompt)), {})


@pytest.mark.unit
def test_one_integration_converts_prompts_of_several_engines(openai_integration):
    prompt = create_text_prompt()
    lenient = OpenAIIntegration(TemplateEngine(allow_none=True))
    nothing = create_text_prompt(template={"content": "[{{name}}]", "variables": {"name": {"required": False}}})
    for _ in range(2):
        assert openai_integration.convert_sync(prompt, {"name": "x"}) == "Hello x!"
        assert lenient.convert_sync(nothing, {"name": None}) == "[]"
        with pytest.raises(ConversionError):
            openai_integration.convert_sync(nothing, {"name": None})


@pytest.mark.unit
def test_messages_of_a_placeholder_are_converted_like_others(openai_integration):
    prompt = chat_of({"role": "placeholder", "name": "history"}, {"role": "user", "content": "And?"})
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "{{x}}"}'}}
    history = [
        {"role": "user", "content": "{{x}}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
    ]
    form = openai_integration.convert_sync(prompt, {"history": history})
    assert form[0] == history[0]
    assert form[1]["tool_calls"][0]["function"]["arguments"] in ('{"a": "{{x}}"}', '{"a":"{{x}}"}')
    assert form[2:] == [history[2], {"role": "user", "content": "And?"}]
