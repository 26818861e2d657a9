"""Prompts converted to LangChain templates: their classes, checks, output and serialization."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import re
import sys
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib import import_module

import jinja2
import jinja2.meta
import pytest
from langchain_core.load import dumpd, dumps, loads
from langchain_core.messages import (
    AIMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    PromptTemplate,
    SystemMessagePromptTemplate,
)
from pydantic import BaseModel

from helpers import (
    DATA,
    SECRET,
    chat_of,
    create_chat_prompt,
    create_text_prompt,
    everything_said_by,
    run_python,
)
from prompt_manager import PromptManager, TemplateEngine
from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.core.models import Prompt, PromptFormat
from prompt_manager.exceptions import (
    ConversionError,
    IntegrationError,
    IntegrationNotAvailableError,
    PromptWarning,
    SchemaError,
    SchemaValidationError,
    TemplateRenderError,
    TemplateSyntaxError,
)
from prompt_manager.integrations import LangChainIntegration, OpenAIIntegration, PromptConversionWarning, langchain
from prompt_manager.integrations.langchain import (
    ALLOWED_OBJECTS,
    VALID_NAMESPACES,
    FStringPromptTemplate,
    HandlebarsChatPromptTemplate,
    HandlebarsMessagePromptTemplate,
    HandlebarsPromptTemplate,
    HistoryPlaceholder,
)
from prompt_manager.validation import SchemaLoader

# LangChain warns that the API of `loads` may change.
pytestmark = pytest.mark.filterwarnings("ignore:The function `loads` is in beta")

F_STRINGS = json.loads((DATA / "langchain" / "f_strings.json").read_text(encoding="utf-8"))

SYSTEM = {"role": "system", "content": "You answer for {{company}}."}
IF = "{{#if polite}}Please: {{/if}}{{question}}"


@pytest.fixture
def langchain_integration(template_engine):
    return LangChainIntegration(template_engine)


def read_back(template):
    return loads(dumps(template), allowed_objects=ALLOWED_OBJECTS, valid_namespaces=VALID_NAMESPACES)


# Modelled on the tests in the design document.


@pytest.mark.unit
async def test_convert_text_prompt(langchain_integration):
    result = await langchain_integration.convert(create_text_prompt(), {})
    assert isinstance(result, PromptTemplate)
    assert result.template == "Hello {name}!"
    assert result.input_variables == ["name"]
    assert result.format(name="Alice") == "Hello Alice!"


@pytest.mark.unit
async def test_convert_chat_prompt(langchain_integration):
    result = await langchain_integration.convert(create_chat_prompt(), {})
    assert type(result) is ChatPromptTemplate
    assert result.format_messages(topic="AI") == [
        SystemMessage("You are a helpful assistant."),
        HumanMessage("Tell me about AI."),
    ]


@pytest.mark.unit
@pytest.mark.parametrize(("format", "what"), [("text", "Template"), ("chat", "Chat template")])
async def test_missing_template_raises_error(langchain_integration, format, what):
    with pytest.raises(IntegrationError, match=f"{what} required"):
        await langchain_integration.convert(Prompt(id="test", format=format), {})


@pytest.mark.unit
def test_handlebars_to_fstring(langchain_integration):
    assert langchain_integration._handlebars_to_fstring("Hello {{name}}, {{age}}!") == "Hello {name}, {age}!"


@pytest.mark.unit
def test_validate_compatibility(langchain_integration):
    assert langchain_integration.validate_compatibility(create_text_prompt())
    assert langchain_integration.validate_compatibility(create_chat_prompt())
    completion = create_text_prompt(format=PromptFormat.COMPLETION)
    assert not langchain_integration.validate_compatibility(completion)


# The optional dependency.


@pytest.mark.unit
def test_without_langchain_core_the_error_says_what_to_install(monkeypatch, template_engine):
    monkeypatch.setattr(langchain, "LANGCHAIN_AVAILABLE", False)
    with pytest.raises(IntegrationNotAvailableError, match=r"LangChain integration not available\. Install with: "):
        LangChainIntegration(template_engine)
    with pytest.raises(IntegrationNotAvailableError, match=rf"pip install {DISTRIBUTION}\[langchain\]"):
        _ = langchain.HandlebarsPromptTemplate


@pytest.mark.unit
def test_import_and_constructor_do_not_load_langchain():
    code = """
import sys
from prompt_manager import TemplateEngine
from prompt_manager.integrations.langchain import LANGCHAIN_AVAILABLE, LangChainIntegration
LangChainIntegration(TemplateEngine())
assert LANGCHAIN_AVAILABLE
print([name for name in sys.modules if name.startswith(("langchain", "langsmith"))])
"""
    assert run_python(code) == "[]\n"


@pytest.mark.unit
def test_an_unknown_name_of_the_module_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'ChainPrompt'"):
        _ = langchain.ChainPrompt


# Templates with only text and variables.


@pytest.mark.unit
@pytest.mark.parametrize("case", F_STRINGS, ids=lambda case: case["name"])
def test_a_template_with_only_variables_becomes_an_f_string(case, langchain_integration):
    engine = langchain_integration.template_engine
    if "upper" not in case["template"] and "who" in case["template"]:
        engine.register_partial("who", "you")
    try:
        engine.compile(case["template"])
    except TemplateSyntaxError:
        pytest.fail(f"{case['template']!r} is no template")
    prompt = create_text_prompt(template=case["template"])
    template = langchain_integration.convert_sync(prompt, {})
    if case["f_string"] is None:
        assert isinstance(template, HandlebarsPromptTemplate)
        with pytest.raises(ConversionError, match="cannot become an f-string"):
            langchain_integration._handlebars_to_fstring(case["template"])
        return
    assert type(template) is FStringPromptTemplate
    assert template.template == case["f_string"] == langchain_integration._handlebars_to_fstring(case["template"])
    values = {name: f"<{{{name}}}>" for name in template.input_variables}
    assert template.format(**values) == engine.render_sync(case["template"], values)


@pytest.mark.unit
@pytest.mark.parametrize(
    "variables",
    [
        {"name": {"type": "integer"}},
        {"name": {"default": "you"}},
        {"name": {"type": "string", "default": "you"}},
        {"name": {"type": "string"}, "mood": {"type": "string"}},
    ],
)
def test_a_variable_with_checks_prevents_an_f_string(variables, langchain_integration):
    prompt = create_text_prompt(template={"content": "Hello {{name}}!", "variables": variables})
    assert isinstance(langchain_integration.convert_sync(prompt, {}), HandlebarsPromptTemplate)


@pytest.mark.unit
@pytest.mark.parametrize("variables", [["name"], {"name": {"type": "string"}}, {"name": {}}])
def test_a_declared_string_allows_an_f_string(variables, langchain_integration):
    prompt = create_text_prompt(template={"content": "Hello {{name}}!", "variables": variables})
    assert isinstance(langchain_integration.convert_sync(prompt, {}), PromptTemplate)


@pytest.mark.unit
@pytest.mark.parametrize("key", ["input_schema", "output_schema"])
def test_an_input_schema_prevents_an_f_string(key, langchain_integration):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    prompt = create_text_prompt(**{key: schema})
    assert isinstance(langchain_integration.convert_sync(prompt, {}), HandlebarsPromptTemplate)


@pytest.mark.unit
def test_a_helper_of_the_engine_prevents_an_f_string():
    engine = TemplateEngine()
    engine.register_helper("name", lambda: "Ada")
    template = LangChainIntegration(engine).convert_sync(create_text_prompt(), {})
    assert isinstance(template, HandlebarsPromptTemplate)
    assert template.format(name="Bo") == engine.render_sync("Hello {{name}}!", {"name": "Bo"}) == "Hello Ada!"


@pytest.mark.unit
@pytest.mark.parametrize("format", ["completion", "instruction"])
def test_other_formats_become_string_templates(format, langchain_integration):
    template = langchain_integration.convert_sync(create_text_prompt(format=format), {})
    assert template.format(name="Ada") == "Hello Ada!"


# What f-strings print.


class Tone(StrEnum):
    WARM = "warm"


VALUES = [True, ["a", "b"], Tone.WARM, 1e16, Decimal("1.50"), date(2026, 1, 2), range(3)]


@pytest.mark.unit
@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("chat", [False, True])
def test_an_f_string_prints_a_value_as_a_render_does(chat, value, langchain_integration):
    engine = langchain_integration.template_engine
    source = "It is {{x}}."
    prompt = chat_of({"role": "user", "content": source}) if chat else create_text_prompt(template=source)
    template = langchain_integration.convert_sync(prompt, {})
    assert type(template.messages[0].prompt if chat else template) is FStringPromptTemplate
    expected = engine.render_sync(source, {"x": value})
    made = template.invoke({"x": value})
    assert (made.to_messages()[0].content if chat else made.text) == expected
    bound = template.partial(x=lambda: value).invoke({})
    assert (bound.to_messages()[0].content if chat else bound.text) == expected
    awaited = asyncio.run(template.ainvoke({"x": value}))
    assert awaited == made


@pytest.mark.unit
@pytest.mark.parametrize("value", ["", " \n", "half \ud83d", None, b"x", {"a": 1}], ids=repr)
def test_what_no_provider_takes_is_refused_in_an_f_string_too(value, langchain_integration):
    prompt = chat_of({"role": "user", "content": "{{x}}"})
    template = langchain_integration.convert_sync(prompt, {})
    with pytest.raises(ConversionError) as expected:
        OpenAIIntegration(langchain_integration.template_engine).convert_sync(prompt, {"x": value})
    with pytest.raises(ConversionError) as caught:
        template.invoke({"x": value})
    # The place within a message differs.
    reasons = [re.sub(r"OpenAI|LangChain|`\S+`", "", error.value.message) for error in (expected, caught)]
    assert reasons[0] == reasons[1]


@pytest.mark.unit
@pytest.mark.filterwarnings("ignore:The method `BasePromptTemplate.save` was deprecated")
def test_an_f_string_can_be_saved_and_read_by_langchain(langchain_integration, tmp_path):
    template = langchain_integration.convert_sync(create_text_prompt(), {})
    template.save(tmp_path / "prompt.json")
    saved = json.loads((tmp_path / "prompt.json").read_text(encoding="utf-8"))
    assert (saved["_type"], saved["template"], saved["input_variables"]) == ("prompt", "Hello {name}!", ["name"])


@pytest.mark.unit
@pytest.mark.parametrize("mode", ["warn", "error", "ignore"])
@pytest.mark.parametrize("chat", [False, True])
def test_undeclared_variables_are_handled_as_the_manager_says(chat, mode):
    manager = PromptManager(unknown_variables=mode)
    text = {"content": "Hi {{name}}", "variables": {"name": "string", "tone": {"required": False}}}
    messages = [{"role": "user", "content": "Hi {{name}}"}]
    both = {"messages": messages, "variables": text["variables"]}
    prompt = Prompt(id="hi", **({"chat_template": both} if chat else {"template": text}))
    manager.registry.register_sync(prompt)
    prompt = manager.get_prompt_sync("hi")
    template = LangChainIntegration(manager.template_engine).convert_sync(prompt, {})
    given = {"name": "Ada", "tonne": "x"}
    if mode == "error":
        with pytest.raises(ConversionError, match="Unknown variable 'tonne'"):
            template.invoke(given)
    elif mode == "warn":
        with pytest.warns(PromptWarning, match="is it meant to be `tone`"):
            template.invoke(given)
    else:
        template.invoke(given)
    template.invoke({"name": "Ada"})


# Messages.


@pytest.mark.unit
def test_simple_messages_become_langchain_s_own_templates(langchain_integration):
    prompt = chat_of(
        {"role": "system", "content": "{{a}}"},
        {"role": "developer", "content": "{{b}}"},
        {"role": "user", "content": "{{c}} {}"},
        {"role": "assistant", "content": "{{d}}"},
        {"role": "placeholder", "name": "history", "optional": True},
        {"role": "placeholder", "name": "more"},
    )
    template = langchain_integration.convert_sync(prompt, {})
    assert type(template) is ChatPromptTemplate
    assert {type(message.prompt) for message in template.messages[:4]} == {FStringPromptTemplate}
    assert [type(message) for message in template.messages] == [
        SystemMessagePromptTemplate,
        SystemMessagePromptTemplate,
        HumanMessagePromptTemplate,
        AIMessagePromptTemplate,
        HistoryPlaceholder,
        HistoryPlaceholder,
    ]
    assert template.messages[-2:] == [HistoryPlaceholder("history", optional=True), HistoryPlaceholder("more")]
    assert template.input_variables == ["a", "b", "c", "d", "more"]
    messages = template.format_messages(a="1", b="2", c="{3}", d="4", more=[("human", "5")])
    assert messages == [
        SystemMessage("1"),
        SystemMessage("2", additional_kwargs={"__openai_role__": "developer"}),
        HumanMessage("{3} {}"),
        AIMessage("4"),
        HumanMessage("5"),
    ]


@pytest.mark.unit
def test_only_complex_messages_become_handlebars_templates(langchain_integration):
    prompt = chat_of(SYSTEM, {"role": "user", "content": IF}, {"role": "user", "content": "Bye", "name": "Ada"})
    template = langchain_integration.convert_sync(prompt, {})
    assert isinstance(template, HandlebarsChatPromptTemplate)
    kinds = [SystemMessagePromptTemplate, HandlebarsMessagePromptTemplate, HandlebarsMessagePromptTemplate]
    assert [type(message) for message in template.messages] == kinds
    assert template.input_variables == ["company", "question"]
    assert template.optional_variables == ["polite"]
    assert template.format_messages(company="Acme", question="Why?", polite=True) == [
        SystemMessage("You answer for Acme."),
        HumanMessage("Please: Why?"),
        HumanMessage("Bye", name="Ada"),
    ]


@pytest.mark.unit
def test_every_role_and_field_of_a_message_is_converted(langchain_integration):
    call = {"id": "{{id}}", "type": "function", "function": {"name": "look_up", "arguments": {"order": "{{order}}"}}}
    prompt = chat_of(
        {"role": "system", "content": "{{#if a}}S{{/if}}", "name": "boss"},
        {"role": "developer", "content": "{{#if a}}D{{/if}}"},
        {"role": "user", "content": "Where is {{order}}?", "name": "{{who}}"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "content": "{{#each found}}{{this}};{{/each}}", "tool_call_id": "{{id}}"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": {"x": "{{order}}"}}},
        {"role": "function", "name": "f", "content": "{{order}} left"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And {{order}}?"},
                {"type": "image_url", "image_url": {"url": "{{url}}", "detail": "low"}},
            ],
        },
    )
    template = langchain_integration.convert_sync(prompt, {})
    values = {"a": True, "id": "c1", "order": '"7" {x}', "who": "Ada", "found": [1, 2], "url": "https://example.com/a"}
    assert template.format_messages(**values) == [
        SystemMessage("S", name="boss"),
        SystemMessage("D", additional_kwargs={"__openai_role__": "developer"}),
        HumanMessage('Where is "7" {x}?', name="Ada"),
        AIMessage("I look.", tool_calls=[{"name": "look_up", "args": {"order": '"7" {x}'}, "id": "c1"}]),
        ToolMessage("1;2;", tool_call_id="c1"),
        AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"x":"\\"7\\" {x}"}'}}),
        FunctionMessage('"7" {x} left', name="f"),
        HumanMessage(
            [
                {"type": "text", "text": 'And "7" {x}?'},
                {"type": "image_url", "image_url": {"url": "https://example.com/a", "detail": "low"}},
            ]
        ),
    ]


@pytest.mark.unit
def test_unsupported_content_is_an_error_or_a_warning(template_engine):
    call = {"id": "c1", "type": "function", "function": {"name": "{{tool}}", "arguments": {}}}
    prompt = chat_of({"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]})
    strict = LangChainIntegration(template_engine).convert_sync(prompt, {})
    with pytest.raises(ConversionError) as caught:
        strict.format_messages(tool=f"{SECRET} !")
    assert caught.value.message == (
        "Failed to convert prompt 'explain' to LangChain format: message 1 (assistant): "
        "the name of tool call 0 has characters other than letters, digits, `_` and `-`"
    )
    assert SECRET not in everything_said_by(caught.value)
    with pytest.raises(ConversionError, match=r"message 1 \(assistant\): tool call 0 has no name"):
        strict[1:].format_messages(tool="")
    lenient = LangChainIntegration(template_engine, strict_validation=False).convert_sync(prompt, {})
    with pytest.warns(PromptConversionWarning, match=r"message 1 \(assistant\): the name of tool call 0") as warned:
        messages = lenient.format_messages(tool="look up")
    assert messages[1].tool_calls[0]["name"] == "look up"
    assert [warning.filename for warning in warned] == [__file__]


# Checks of variables.


@pytest.mark.unit
def test_a_missing_variable_is_named_in_the_error(langchain_integration):
    template = langchain_integration.convert_sync(chat_of(SYSTEM, {"role": "user", "content": IF}), {})
    with pytest.raises(ConversionError) as caught:
        template.format_messages(question="Why?")
    assert caught.value.message == (
        "Failed to convert prompt 'explain' to LangChain format: Missing variable 'company'"
    )
    assert isinstance(caught.value.__cause__, TemplateRenderError)
    # In a chain, LangChain itself checks the variables first.
    with pytest.raises(KeyError, match="company"):
        template.invoke({"question": "Why?"})


@pytest.mark.unit
def test_declared_types_and_defaults_are_applied(langchain_integration):
    variables = {"count": {"type": "integer"}, "tone": {"type": "string", "default": "brief"}}
    chat = {"messages": [{"role": "user", "content": "{{count}} {{tone}}"}], "variables": variables}
    template = langchain_integration.convert_sync(create_chat_prompt(chat_template=chat), {})
    assert (template.input_variables, template.optional_variables) == (["count"], ["tone"])
    assert template.format_messages(count=3) == [HumanMessage("3 brief")]
    assert template.invoke({"count": 3, "tone": "long"}).to_messages() == [HumanMessage("3 long")]
    with pytest.raises(ConversionError, match="variable 'count' must be of type integer, not string"):
        template.format_messages(count=SECRET)


@pytest.mark.unit
def test_a_declared_but_unused_variable_is_required(langchain_integration):
    chat = {"messages": [{"role": "user", "content": "{{topic}}"}], "variables": ["topic", "user_id"]}
    prompt = create_chat_prompt(chat_template=chat)
    template = langchain_integration.convert_sync(prompt, {})
    assert [type(message) for message in template.messages] == [HumanMessagePromptTemplate]
    with pytest.raises(ConversionError, match="Missing variable 'user_id'"):
        template.format_messages(topic="AI")
    assert template.format_messages(topic="AI", user_id=1) == [HumanMessage("AI")]


@pytest.mark.unit
def test_none_is_rejected_as_in_a_render(langchain_integration):
    template = langchain_integration.convert_sync(create_text_prompt(template="{{#if a}}{{/if}}{{name}}"), {})
    with pytest.raises(ConversionError, match="name"):
        template.format(name=None)


INPUT = """
schemas:
  - name: order
    fields:
      - {name: count, type: integer}
      - {name: tone, type: string, default: brief}
      - {name: items, type: list, item_type: dict, item_schema: item, required: false}
  - name: item
    fields: [{name: sku, type: string}]
"""


@pytest.fixture
def schemas(tmp_path):
    path = tmp_path / "schemas.yaml"
    path.write_text(INPUT, encoding="utf-8")
    loader = SchemaLoader()
    loader.load_file_sync(path)
    return loader


def order_prompt(**changes):
    messages = [SYSTEM, {"role": "user", "content": "{{count}} {{tone}}{{#each items}} {{sku}}{{/each}}"}]
    return chat_of(*messages, input_schema="order", **changes)


@pytest.mark.unit
def test_an_input_schema_validates_and_converts_the_input(template_engine, schemas):
    prompt = chat_of({"role": "user", "content": "{{count}} {{tone}}"}, input_schema="order")
    template = LangChainIntegration(template_engine, schemas=schemas).convert_sync(prompt, {})
    assert (template.input_variables, template.optional_variables) == (["count"], ["items", "tone"])
    assert template.format_messages(count="3") == [HumanMessage("3 brief")]
    with pytest.raises(SchemaValidationError) as caught:
        template.format_messages(count="x", items=[{}], unknown=1)
    assert {error["path"] for error in caught.value.errors} == {"count", "items[0].sku", "unknown"}


@pytest.mark.unit
def test_a_missing_schema_is_an_error_when_converting(langchain_integration):
    with pytest.raises(SchemaError, match="order"):
        langchain_integration.convert_sync(order_prompt(), {})


@pytest.mark.unit
def test_a_single_message_validates_the_whole_input(template_engine, schemas):
    prompt = chat_of(
        {"role": "user", "content": "{{count}}"}, {"role": "user", "content": "{{tone}}"}, input_schema="order"
    )
    template = LangChainIntegration(template_engine, schemas=schemas).convert_sync(prompt, {})
    other = template[1:] + "{question}"
    assert other.input_variables == ["count", "question"]
    assert other.format_messages(count=1, question="Why?") == [HumanMessage("brief"), HumanMessage("Why?")]
    with pytest.raises(SchemaValidationError):
        other.format_messages(count="x", question="Why?")


@pytest.mark.unit
def test_a_history_passes_a_schema_without_extra_fields(template_engine, schemas):
    prompt = chat_of(
        {"role": "placeholder", "name": "history", "optional": True},
        {"role": "user", "content": "{{count}}"},
        input_schema="order",
    )
    template = LangChainIntegration(template_engine, schemas=schemas).convert_sync(prompt, {})
    assert template.format_messages(count=1) == [HumanMessage("1")]
    assert template.format_messages(count=1, history=[("ai", "Hm")]) == [AIMessage("Hm"), HumanMessage("1")]
    with pytest.raises(SchemaValidationError):
        template.format_messages(count=1, unknown=[])


@pytest.mark.unit
@pytest.mark.parametrize("name", ["stop", "self"])
def test_a_name_that_langchain_reserves_is_an_error_with_a_hint(name, langchain_integration):
    prompts = [
        create_text_prompt(template=f"{{{{{name}}}}}"),
        chat_of({"role": "placeholder", "name": name}),
        chat_of({"role": "user", "content": f"{{{{#if {name}}}}}x{{{{/if}}}}"}),
    ]
    for prompt in prompts:
        with pytest.raises(ConversionError, match=f"LangChain reserves the name `{name}`") as caught:
            langchain_integration.convert_sync(prompt, {})
        assert caught.value.context["hint"] == "rename the variable"
        assert not langchain_integration.validate_compatibility(prompt)
        assert f"`{name}`" in langchain_integration.explain_compatibility(prompt)[0]
    with pytest.raises(ConversionError, match=f"`{name}`"):
        langchain_integration.convert_sync(create_text_prompt(), {"name": "Ada", name: 1})


@pytest.mark.unit
@pytest.mark.parametrize("of_history", [True, False])
def test_a_message_whose_parts_were_all_dropped_is_dropped(of_history):
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{path}}"}}]}
    last = {"role": "user", "content": "Q"}
    values = {"path": "cat.png"}
    prompt = chat_of(image, last)
    if of_history:
        prompt = chat_of({"role": "placeholder", "name": "history"}, last)
        values = {"history": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}]}
    with pytest.raises(ConversionError, match="the address of the image in part 0"):
        LangChainIntegration(TemplateEngine()).convert_sync(prompt, {}).invoke(values)
    template = LangChainIntegration(TemplateEngine(), strict_validation=False).convert_sync(prompt, {})
    with pytest.warns(PromptConversionWarning) as caught:
        [message] = template.invoke(values).to_messages()
    assert message.content == "Q"
    assert "message 0 (user): the content is empty; dropped" in str(caught[-1].message)


@pytest.mark.unit
def test_reasons_for_incompatibility_are_explained(langchain_integration):
    explain = langchain_integration.explain_compatibility
    assert explain(create_text_prompt()) == explain(create_chat_prompt()) == []
    assert "uses COMPLETION format" in explain(create_text_prompt(format="completion"))[0]
    assert explain(Prompt(id="draft", format="chat")) == ["Chat template required for CHAT format"]
    assert "never closed" in explain(create_text_prompt(template="{{#if a}}"))[0]


# Output instructions.

ANSWER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.unit
@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM, {"role": "user", "content": "Hi"}],
        [SYSTEM, {"role": "system", "content": "{ {{company}} }"}, {"role": "user", "content": "Hi"}],
        [{"role": "user", "content": "{{company}}"}, SYSTEM],
        [
            {"role": "developer", "content": [{"type": "text", "text": "{{company}}"}]},
            {"role": "user", "content": "Hi"},
        ],
    ],
    ids=["one system message", "two", "none that leads", "parts"],
)
def test_instructions_are_in_the_same_place_as_in_a_render(messages, langchain_integration):
    prompt = chat_of(*messages, output_schema=ANSWER)
    template = langchain_integration.convert_sync(prompt, {})
    expected = langchain_integration.render_messages_sync(prompt, {"company": "{Acme}"})
    whole = template.format_messages(company="{Acme}")
    assert [message.content for message in whole] == [message["content"] for message in expected]
    assert sum('"city"' in str(message.content) for message in whole) == 1
    # A slice and a pickled copy keep them, without the schema.
    assert template[0:].format_messages(company="{Acme}") == whole
    assert pickle.loads(pickle.dumps(template)).format_messages(company="{Acme}") == whole
    plain = LangChainIntegration(TemplateEngine(), output_instructions=False).convert_sync(prompt, {})
    assert '"city"' not in str(plain.format_messages(company="Acme"))


@pytest.mark.unit
def test_instructions_follow_the_text_of_a_text_prompt(langchain_integration):
    prompt = create_text_prompt(output_schema=ANSWER)
    manager = PromptManager(template_engine=langchain_integration.template_engine)
    manager.registry.register_sync(prompt.replace(status="active"))
    expected = manager.render_sync("greeting", {"name": "{Ada}"})
    template = langchain_integration.convert_sync(prompt, {})
    assert template.format(name="{Ada}") == expected
    assert read_back(template).format(name="{Ada}") == expected


# Pickling, copying and dumping.

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": "{{company}}"}}}
OURS = {
    "text": (create_text_prompt(template="{{#if loud}}{{upper name}}{{else}}{{name}}{{/if}}"), {"name": "{a}"}),
    "partials": (
        create_text_prompt(template={"content": "{{> who}}!", "partials": {"who": "{{name}} {}"}}),
        {"name": "a"},
    ),
    "chat": (chat_of(SYSTEM, {"role": "user", "content": IF}), {"company": "{{A}}", "question": "{?}"}),
    "calls": (
        chat_of(
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "{{company}}", "name": "f"},
        ),
        {"company": "{}"},
    ),
    "stock text": (create_text_prompt(), {"name": "{a}"}),
    "stock chat": (create_chat_prompt(), {"topic": "{a}"}),
    "history": (
        chat_of({"role": "placeholder", "name": "history"}, {"role": "user", "content": IF}),
        {"question": "?", "history": [HumanMessage("{x}")]},
    ),
}


@pytest.mark.unit
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("travel", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, copy.copy, read_back])
def test_a_copied_or_pickled_template_renders_the_same(name, travel, langchain_integration):
    prompt, values = OURS[name]
    first = next(iter(values))
    template = langchain_integration.convert_sync(prompt, {})
    bound = template.partial(**{first: values[first]})
    for each, given in [(template, values), (bound, {key: values[key] for key in values if key != first})]:
        travelled = travel(each)
        assert type(travelled) is type(each)
        assert travelled.invoke(given) == each.invoke(given)
        assert travelled.input_variables == each.input_variables
        assert travelled.optional_variables == each.optional_variables
        # Copy again, after a use.
        assert travel(each).invoke(given) == each.invoke(given)


@pytest.mark.unit
@pytest.mark.parametrize("travel", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, read_back])
def test_a_changed_chat_keeps_its_changes_when_copied(travel, langchain_integration):
    template = langchain_integration.convert_sync(OURS["chat"][0], {"company": "Acme"})
    template.append(("human", "And {y}?"))
    travelled = travel(template)
    messages = travelled.format_messages(question="Why?", y=2)
    assert messages == template.format_messages(question="Why?", y=2)
    assert messages[-1] == HumanMessage("And 2?")


@pytest.mark.unit
def test_loads_without_our_allowed_objects_raises(langchain_integration):
    template = langchain_integration.convert_sync(OURS["text"][0], {})
    with pytest.raises(ValueError, match="not allowed"):
        loads(dumps(template), allowed_objects="core")


@pytest.mark.unit
def test_the_engine_s_options_and_partials_are_copied_too():
    engine = TemplateEngine(allow_none=True)
    engine.register_partial("who", "<{{name}}>")
    template = LangChainIntegration(engine).convert_sync(create_text_prompt(template="Hello {{> who}}"), {})
    for travelled in (read_back(template), pickle.loads(pickle.dumps(template))):
        assert travelled.format(name=None) == "Hello <>"
        assert travelled.source == template.source


def shout(text):
    return text.upper()


@pytest.mark.unit
def test_an_engine_with_helpers_can_be_pickled_but_not_dumped():
    engine = TemplateEngine()
    engine.register_helper("shout", shout)
    template = LangChainIntegration(engine).convert_sync(create_text_prompt(template="{{shout name}}"), {})
    assert pickle.loads(pickle.dumps(template)).invoke({"name": "a"}).text == "A"
    assert dumpd(template)["kwargs"]["source"]["type"] == "not_implemented"
    with pytest.raises(NotImplementedError):
        read_back(template)


class Customer(BaseModel):
    count: int
    tone: str = "brief"


def is_small(value):
    return value < 10


@pytest.mark.unit
def test_the_input_schema_is_copied_with_its_references(template_engine, schemas):
    prompt = order_prompt()
    template = LangChainIntegration(template_engine, schemas=schemas).convert_sync(prompt, {"company": "Acme"})
    copies = read_back(template), pickle.loads(pickle.dumps(template))
    schemas._core.clear()
    # `company` is not a field of the schema.
    for travelled in copies:
        with pytest.raises(SchemaValidationError) as caught:
            travelled.format_messages(count="x", items=[{}])
        assert {error["path"] for error in caught.value.errors} == {"count", "items[0].sku", "company"}


@pytest.mark.unit
def test_a_schema_in_code_can_be_pickled_but_not_dumped(template_engine):
    manager = PromptManager(template_engine=template_engine)
    manager.register_schema("order", Customer)
    prompt = chat_of({"role": "user", "content": "{{count}} {{tone}}"}, input_schema="order", status="active")
    manager.registry.register_sync(prompt)
    template = LangChainIntegration(template_engine).convert_sync(manager.get_prompt_sync("explain"), {})
    travelled = pickle.loads(pickle.dumps(template))
    assert travelled.format_messages(count="3") == [HumanMessage("3 brief")]
    with pytest.raises(SchemaValidationError):
        travelled.format_messages(count="x")
    with pytest.raises(NotImplementedError):
        read_back(template)


@pytest.mark.unit
def test_data_that_looks_like_a_langchain_object_stays_data(langchain_integration):
    forged = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain_core", "messages", "human", "HumanMessage"],
        "kwargs": {},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": forged}}
    template = langchain_integration.convert_sync(chat_of({"role": "assistant", "tool_calls": [call]}), {})
    assert read_back(template).format_messages()[0].tool_calls[0]["args"] == forged


@pytest.mark.unit
def test_save_is_an_error_that_names_dumps(langchain_integration, tmp_path):
    template = langchain_integration.convert_sync(OURS["text"][0], {})
    with pytest.raises(NotImplementedError, match="dumps"):
        template.save(tmp_path / "prompt.json")


@pytest.mark.unit
def test_repr_and_pretty_repr_show_the_source(langchain_integration):
    text = langchain_integration.convert_sync(OURS["text"][0], {})
    assert text.pretty_repr() == text.template == "{{#if loud}}{{upper name}}{{else}}{{name}}{{/if}}"
    chat = langchain_integration.convert_sync(OURS["chat"][0], {})
    assert "{{#if polite}}Please: {{/if}}{{question}}" in chat.pretty_repr()
    assert "User Message" in chat.pretty_repr()
    assert repr(text.source) == "PromptSource('greeting')"


@pytest.mark.unit
def test_dumped_class_paths_can_be_imported(langchain_integration):
    template = langchain_integration.convert_sync(OURS["chat"][0], {})
    path = dumpd(template)["id"]
    assert getattr(import_module(".".join(path[:-1])), path[-1]) is type(template)
    assert "prompt_manager.integrations._langchain" in sys.modules


# Custom template engines.


class Jinja:
    async def render(self, template, variables, *, partials=None):
        await asyncio.sleep(0)
        return self.text(template, variables, partials)

    def text(self, template, variables, partials):
        loader = jinja2.DictLoader(dict(partials or {}))
        environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined)  # noqa: S701
        return environment.from_string(template).render(variables)

    async def validate(self, template):
        return bool(template)

    def extract_variables(self, template):
        return sorted(jinja2.meta.find_undeclared_variables(jinja2.Environment().parse(template)))  # noqa: S701


class JinjaWithSync(Jinja):
    def render_sync(self, template, variables, *, partials=None):
        return self.text(template, variables, partials)


class Plain:
    """An engine that has only ``render``."""

    async def render(self, template, variables, *, partials=None):  # noqa: ARG002 - as the protocol calls it
        return template.replace("NAME", str(variables["name"]))


def jinja_chat(**changes):
    call = {"id": "c1", "function": {"name": "f", "arguments": {"of": "{{ company }}"}}}
    messages = [
        {"role": "system", "content": "{% include 'tone' %} You answer for {{ company|upper }}, {{ mood }}."},
        {"role": "placeholder", "name": "history", "optional": True},
        {"role": "user", "content": "{% for each in questions %}{{ each }}! {% endfor %}"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "{{ company }}"},
    ]
    chat = {
        "messages": messages,
        "partials": {"tone": "Be kind."},
        "variables": {"company": {"type": "string"}, "mood": {"type": "string", "default": "calm"}},
    }
    return create_chat_prompt(chat_template=chat, **changes)


ASKED = {"company": "{{x}}", "questions": ["{a}", "{{ b }}"]}
ANSWERED = [
    SystemMessage("Be kind. You answer for {{X}}, calm."),
    HumanMessage("{a}! {{ b }}! "),
    AIMessage("", tool_calls=[{"name": "f", "args": {"of": "{{x}}"}, "id": "c1"}]),
    ToolMessage("{{x}}", tool_call_id="c1"),
]


@pytest.mark.unit
@pytest.mark.parametrize("engine", [Jinja(), JinjaWithSync()])
async def test_a_custom_engine_renders_each_text(engine):
    template = await LangChainIntegration(engine).convert(jinja_chat(), {"company": "{{x}}"})
    assert (template.input_variables, template.optional_variables) == (["questions"], ["history", "mood"])
    questions = {"questions": ASKED["questions"]}
    assert (await template.ainvoke(questions)).to_messages() == ANSWERED
    history = [AIMessage("{{ y }}")]
    messages = (await template.ainvoke({**questions, "history": history})).to_messages()
    assert messages == [ANSWERED[0], *history, *ANSWERED[1:]]
    assert (await template[2:3].ainvoke(ASKED)).to_messages() == ANSWERED[1:2]
    assert (await (template + "{{ no }}{z}").ainvoke({**questions, "z": 1})).to_messages()[:4] == ANSWERED
    with pytest.raises(ConversionError, match="variable 'company' must be of type string"):
        await template.aformat_messages(company=1, questions=[])


@pytest.mark.unit
def test_a_custom_engine_works_without_a_running_event_loop():
    template = LangChainIntegration(Jinja()).convert_sync(jinja_chat(), {})
    assert template.invoke(ASKED).to_messages() == ANSWERED
    assert template.batch([ASKED, ASKED])[1].to_messages() == ANSWERED


@pytest.mark.unit
async def test_sync_calls_in_a_running_loop_need_a_render_sync():
    with pytest.raises(RuntimeError, match=r"invoke would have to wait for Jinja.* use `await ainvoke\("):
        LangChainIntegration(Jinja()).convert_sync(jinja_chat(), {}).invoke(ASKED)
    template = LangChainIntegration(JinjaWithSync()).convert_sync(jinja_chat(), {})
    assert template.invoke(ASKED).to_messages() == ANSWERED


@pytest.mark.unit
async def test_texts_can_be_added_to_templates_of_a_custom_engine():
    template = LangChainIntegration(Jinja()).convert_sync(create_text_prompt(template="Hi {{ name|upper }}"), {})
    assert isinstance(template, HandlebarsPromptTemplate)
    assert template.input_variables == ["name"]
    assert (await template.ainvoke({"name": "{{x}}"})).text == "Hi {{X}}"
    total = template + " and {{ other }}"
    assert (await total.ainvoke({"name": "a", "other": "{{ b }}"})).text == "Hi A and {{ b }}"


@pytest.mark.unit
def test_an_engine_without_extract_variables_gets_declared_ones():
    prompt = create_text_prompt(template={"content": "Hi NAME", "variables": ["name"]})
    template = LangChainIntegration(Plain()).convert_sync(prompt, {})
    assert template.input_variables == ["name"]
    assert template.invoke({"name": "{{x}}"}).text == "Hi {{x}}"
    undeclared = LangChainIntegration(Plain()).convert_sync(create_text_prompt(template="Hi NAME"), {})
    with pytest.raises(ConversionError, match="Plain could not render text 0 of 1") as caught:
        undeclared.format()
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.unit
async def test_instructions_work_the_same_with_a_custom_engine():
    prompt = jinja_chat(output_schema=ANSWER)
    template = LangChainIntegration(JinjaWithSync()).convert_sync(prompt, {})
    expected = await LangChainIntegration(Jinja()).render_messages(prompt, ASKED)
    assert [message.content for message in template.format_messages(**ASKED)] == [
        message.get("content", "") for message in expected
    ]
    text = LangChainIntegration(Jinja()).convert_sync(create_text_prompt(template="Hi", output_schema=ANSWER), {})
    assert '"city"' in (await text.ainvoke({})).text


@pytest.mark.unit
def test_a_custom_engine_template_can_be_pickled_but_not_dumped():
    template = LangChainIntegration(Jinja()).convert_sync(jinja_chat(), {})
    assert pickle.loads(pickle.dumps(template)).invoke(ASKED).to_messages() == ANSWERED
    with pytest.raises(NotImplementedError):
        read_back(template)


@pytest.mark.unit
def test_templates_of_a_custom_engine_are_not_parsed():
    integration = LangChainIntegration(Jinja())
    with pytest.raises(IntegrationError, match="only Jinja can parse its templates"):
        integration._handlebars_to_fstring("Hello {{name}}!")
    assert integration.explain_compatibility(jinja_chat()) == []
