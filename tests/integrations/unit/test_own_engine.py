"""Custom template engines: the engine renders the texts, and the core builds the messages."""

from __future__ import annotations

import asyncio

import jinja2
import pytest

from helpers import SECRET, chat_of, create_text_prompt
from prompt_manager.core.models import Prompt
from prompt_manager.core.protocols import TemplateEngineProtocol
from prompt_manager.exceptions import (
    ConversionError,
    IncompatibleFormatError,
    IntegrationError,
    PromptError,
    SchemaValidationError,
)
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration


class Jinja:
    """A custom template engine for Jinja templates."""

    def __init__(self, **options):
        self._options = options

    def _environment(self, partials):
        loader = jinja2.DictLoader(dict(partials or {}))
        return jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # noqa: S701

    async def render(self, template, variables, *, partials=None):
        await asyncio.sleep(0)
        return self._environment(partials).from_string(template).render(variables)

    async def validate(self, template):
        self._environment(None).parse(template)
        return True

    def extract_variables(self, template):
        return sorted(jinja2.meta.find_undeclared_variables(self._environment(None).parse(template)))


class JinjaWithSync(Jinja):
    def render_sync(self, template, variables, *, partials=None):
        return self._environment(partials).from_string(template).render(variables)


MESSAGES = (
    {"role": "system", "content": "{% include 'tone' %} You answer for {{ company|upper }}."},
    {"role": "placeholder", "name": "history", "optional": True},
    {"role": "user", "content": "{% for each in questions %}{{ loop.index }}. {{ each }}\n{% endfor %}"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "{{ id }}", "function": {"name": "f", "arguments": {"q": "{{ questions[0] }}"}}}],
    },
    {"role": "tool", "tool_call_id": "{{ id }}", "content": "{{ company }}"},
)
VARIABLES = {"company": "Acme", "questions": ["Why?", 'It says "{{ x }}"'], "id": "c1"}


def chat():
    return Prompt(id="ask", format="chat", chat_template={"messages": list(MESSAGES), "partials": {"tone": "Be kind."}})


EXPECTED = [
    {"role": "system", "content": "Be kind. You answer for ACME."},
    {"role": "user", "content": '1. Why?\n2. It says "{{ x }}"\n'},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q":"Why?"}'}}],
    },
    {"role": "tool", "content": "Acme", "tool_call_id": "c1"},
]


def test_the_custom_engine_implements_the_protocol():
    assert isinstance(Jinja(), TemplateEngineProtocol)


@pytest.mark.parametrize("engine", [Jinja(), JinjaWithSync()])
async def test_a_custom_engine_renders_all_texts_of_a_chat(engine):
    integration = OpenAIIntegration(engine)
    assert integration.template_engine is engine
    assert await integration.convert(chat(), VARIABLES) == EXPECTED
    assert await LiteLLMIntegration(engine).convert(chat(), VARIABLES) == EXPECTED
    request = await integration.build_request(chat(), VARIABLES, model="m")
    assert request == {"model": "m", "messages": EXPECTED}
    form = await AnthropicIntegration(engine).convert(chat(), VARIABLES)
    assert form["system"] == EXPECTED[0]["content"]
    assert form["messages"][1]["content"][0]["input"] == {"q": "Why?"}
    assert (await integration.render_messages(chat(), VARIABLES))[0] == EXPECTED[0]


def test_sync_methods_run_a_custom_engine_without_a_loop():
    for engine in (Jinja(), JinjaWithSync()):
        integration = OpenAIIntegration(engine)
        assert integration.convert_sync(chat(), VARIABLES) == EXPECTED
        assert integration.build_request_sync(chat(), VARIABLES, model="m")["messages"] == EXPECTED
        assert integration.render_messages_sync(chat(), VARIABLES)[0] == EXPECTED[0]


async def test_sync_methods_in_a_loop_need_a_render_sync():
    with pytest.raises(RuntimeError, match=r"await OpenAIIntegration\.convert"):
        OpenAIIntegration(Jinja()).convert_sync(chat(), VARIABLES)
    assert OpenAIIntegration(JinjaWithSync()).convert_sync(chat(), VARIABLES) == EXPECTED


async def test_a_custom_engine_renders_text_prompts():
    prompt = create_text_prompt(template="Hello {{ name|title }}!\n")
    assert await OpenAIIntegration(Jinja()).convert(prompt, {"name": "ada"}) == "Hello Ada!\n"
    assert await OpenAIIntegration(Jinja(), api="responses").convert(prompt, {"name": "ada"}) == "Hello Ada!\n"
    with pytest.raises(IncompatibleFormatError):
        await AnthropicIntegration(Jinja()).convert(prompt, {"name": "ada"})
    with pytest.raises(PromptError, match="no messages"):
        await OpenAIIntegration(Jinja()).render_messages(prompt, {"name": "ada"})


async def test_placeholders_take_messages_as_data():
    history = [{"role": "user", "content": "{{ x }} {% y %}"}, {"role": "assistant", "content": "A"}]
    form = await OpenAIIntegration(Jinja()).convert(chat(), {**VARIABLES, "history": history})
    assert form[1:3] == history


async def test_declared_variables_are_checked_and_get_defaults():
    variables = {"name": {"type": "string"}, "greeting": {"type": "string", "default": "Hello"}}
    prompt = create_text_prompt(template={"content": "{{ greeting }} {{ name }}!", "variables": variables})
    integration = OpenAIIntegration(Jinja())
    assert await integration.convert(prompt, {"name": "Ada"}) == "Hello Ada!"
    with pytest.raises(ConversionError, match="Missing variable 'name'"):
        await integration.convert(prompt, {})
    with pytest.raises(ConversionError, match="must be of type string"):
        await integration.convert(prompt, {"name": 5})


async def test_input_schema_results_are_rendered():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "integer", "default": 41}}}
    prompt = create_text_prompt(template="{{ n + m }}", input_schema=schema)
    assert await OpenAIIntegration(Jinja()).convert(prompt, {"n": 1}) == "42"
    with pytest.raises(SchemaValidationError, match="n: must be an integer"):
        await OpenAIIntegration(Jinja()).convert(prompt, {"n": "1"})


async def test_output_instructions_are_appended():
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}}
    prompt = create_text_prompt(template="Hi {{ name }}", output_schema=schema)
    text = await OpenAIIntegration(Jinja()).convert(prompt, {"name": "Ada"})
    assert text.startswith("Hi Ada\n\n")
    assert '"mood"' in text
    assert await OpenAIIntegration(Jinja(), output_instructions=False).convert(prompt, {"name": "Ada"}) == "Hi Ada"


async def test_provider_rules_apply_to_a_custom_engine():
    prompt = chat_of({"role": "user", "content": "{{ x }}"}, {"role": "user", "content": "U"})
    with pytest.raises(ConversionError, match=r"message 1 \(user\): Messages must alternate"):
        await AnthropicIntegration(Jinja()).convert(prompt, {"x": "U"})


async def test_an_engine_s_error_is_the_cause_and_shows_no_value():
    prompt = chat_of({"role": "user", "content": "U"}, {"role": "user", "content": "{{ missing }}"})
    with pytest.raises(ConversionError, match=r"Failed to convert prompt 'explain': Jinja could not render") as caught:
        await OpenAIIntegration(Jinja()).convert(prompt, {"x": SECRET})
    assert isinstance(caught.value.__cause__, jinja2.UndefinedError)
    assert SECRET not in f"{caught.value} {caught.value.context}"


async def test_an_engine_that_returns_no_text_is_an_error():
    class Numbers(Jinja):
        async def render(self, *_, **__):
            return 5

    with pytest.raises(TypeError, match=r"Numbers\.render must return a str, not int"):
        await OpenAIIntegration(Numbers()).convert(chat_of({"role": "user", "content": "U"}), {})


def test_an_object_without_render_is_rejected():
    with pytest.raises(TypeError, match="template_engine must be a TemplateEngine"):
        OpenAIIntegration("jinja")


async def test_a_draft_without_a_template_cannot_be_converted():
    with pytest.raises(IntegrationError, match="Template required"):
        await OpenAIIntegration(Jinja()).convert(Prompt(id="x", format="text"), {})


def test_compatibility_does_not_parse_custom_templates():
    assert OpenAIIntegration(Jinja()).validate_compatibility(chat())
    assert not AnthropicIntegration(Jinja()).validate_compatibility(
        create_text_prompt(template="{% if x %}{% endif %}")
    )
