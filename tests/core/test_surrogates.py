"""Half of a surrogate pair is kept by every render, and is a typed error where a provider would get it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import (
    ConversionError,
    PromptManagerError,
    PromptValidationError,
    TemplateRenderError,
    TemplateSyntaxError,
    VersionNotFoundError,
)
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.validation import SchemaLoader

HIGH, LOW = "\ud83d", "\ude00"

TEMPLATES = [
    # template, value, result
    ("{{x}}", "a" + HIGH, "a" + HIGH),
    ("é{{x}}", HIGH, "é" + HIGH),
    ("{{upper x}}", "é" + HIGH + "b", "É" + HIGH + "B"),
    ("{{lower x}}", HIGH + LOW + "B", HIGH + LOW + "b"),
    ("{{trim x}}", f"  {HIGH} a {LOW}  ", f"{HIGH} a {LOW}"),
    ("{{truncate x 2}}", HIGH + LOW + "abc", HIGH + "…"),
    ('{{truncate x 2 end=""}}', HIGH + LOW + "abc", HIGH + LOW),
    ('{{truncate "abcd" 2 end=x}}', HIGH, "a" + HIGH),
    ("{{join x}}", ["a", HIGH, "é"], f"a, {HIGH}, é"),
    ('{{join "ab" x}}', HIGH, None),
    ("{{indent x 2}}", f"a\n{HIGH}", f"  a\n  {HIGH}"),
    ("{{json x}}", {"k" + HIGH: [LOW + "é"]}, f'{{"k{HIGH}":["{LOW}é"]}}'),
    ("{{json x indent=1}}", [HIGH], f'[\n "{HIGH}"\n]'),
    ("{{upper (join x)}}", [HIGH, "a"], f"{HIGH}, A"),
    ("{{length x}}{{length (upper x)}}", HIGH + LOW, "22"),
    ("{{eq x (upper x)}}", HIGH, "true"),
    ("{{lookup o x}}", HIGH, "found"),
    ("  {{> p}}\n", HIGH + "\nc\n", f"  {HIGH}\n  c\n"),
    ('{{default x "b"}}', HIGH, HIGH),
    ("{{#each x}}{{@key}}{{this}}{{/each}}", {HIGH: LOW}, HIGH + LOW),
    ("{{x}}", [HIGH, LOW], f"{HIGH},{LOW}"),
]


@pytest.mark.parametrize(("template", "value", "result"), TEMPLATES)
def test_a_render_keeps_it(template, value, result):
    engine = TemplateEngine()
    variables = {"x": value, "o": {HIGH: "found"}}
    if result is None:
        with pytest.raises(TemplateRenderError):
            engine.render_sync(template, variables)
        return
    assert engine.render_sync(template, variables, partials={"p": "{{x}}"}) == result


def test_an_escaped_render_keeps_it():
    assert TemplateEngine(escape=True).render_sync("{{x}}", {"x": f"<{HIGH}é>"}) == f"&lt;{HIGH}é&gt;"
    javascript = TemplateEngine(dialect="handlebars")
    assert javascript.render_sync("{{x}}{{x.length}}{{x.[1]}}", {"x": f"<{HIGH}"}) == f"&lt;{HIGH}2{HIGH}"
    assert javascript.render_sync("{{x.length}}{{x.[0]}}", {"x": "😀"}) == "2" + HIGH


def test_a_helper_gets_it_and_returns_it():
    engine = TemplateEngine()
    engine.register_helper("same", lambda text: text)
    assert engine.render_sync("{{upper (same (lower x))}}", {"x": "É" + HIGH}) == "É" + HIGH


def test_messages_keep_it():
    manager = PromptManager()
    prompt = Prompt(
        id="p",
        format="chat",
        status="active",
        chat_template={"messages": [{"role": "user", "content": "{{upper x}}"}, {"role": "placeholder", "name": "h"}]},
    )
    manager.create_prompt_sync(prompt)
    history = [{"role": "user", "content": "é" + LOW}]
    messages = manager.render_messages_sync("p", {"x": "a" + HIGH, "h": history})
    assert [message["content"] for message in messages] == ["A" + HIGH, "é" + LOW]


# Private-use characters stay themselves beside halves of pairs, whatever stands in for the halves meanwhile.
TEXT = st.text(
    st.one_of(
        st.characters(min_codepoint=0x10F800, max_codepoint=0x10F80F),
        st.characters(min_codepoint=0xD800, max_codepoint=0xD80F, categories=["Cs"]),
        st.sampled_from("aé中😀 \U0010fffd\U00100000"),
    )
)


@given(st.lists(TEXT, max_size=4))
def test_any_mixture_of_texts_is_kept(texts):
    engine = TemplateEngine()
    joined = engine.render_sync('{{join x "|"}}', {"x": texts})
    assert joined == "|".join(texts)
    assert engine.render_sync("{{#each x}}{{lower this}};{{/each}}", {"x": texts}) == "".join(
        f"{text.lower()};" for text in texts
    )
    escaping = TemplateEngine(escape=True)
    assert escaping.render_sync("{{#each x}}{{this}};{{/each}}", {"x": texts}) == "".join(f"{text};" for text in texts)


def chat(content: object, **keys: object) -> Prompt:
    messages = [{"role": "user", "content": content, **keys}]
    return Prompt(id="p", format="chat", status="active", chat_template={"messages": messages})


INTEGRATIONS = [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration]


@pytest.mark.parametrize("integration", INTEGRATIONS)
@pytest.mark.parametrize("value", ["SECRET" + HIGH, "é" * 2000 + LOW, "SECRET" * 2000 + LOW])
def test_a_conversion_refuses_it(integration, value):
    conversions = [
        (chat("Say {{x}}"), {"x": value}),
        (chat("Say {{upper x}}"), {"x": value}),
        (chat([{"type": "text", "text": "{{x}}"}, {"type": "text", "text": "a"}]), {"x": value}),
        (
            Prompt(
                id="p",
                format="chat",
                status="active",
                chat_template={"messages": [{"role": "placeholder", "name": "x"}]},
            ),
            {"x": [{"role": "user", "content": value}]},
        ),
    ]
    for prompt, variables in conversions:
        with pytest.raises(ConversionError, match="half a surrogate pair") as raised:
            integration(TemplateEngine()).convert_sync(prompt, variables)
        assert "SECRET" not in str(raised.value)


def test_a_conversion_names_the_place():
    with pytest.raises(ConversionError, match=r"`\[0\].content`"):
        OpenAIIntegration(TemplateEngine()).convert_sync(chat("{{x}}"), {"x": HIGH})


def test_a_prompt_or_schema_does_not_hold_it():
    with pytest.raises((PromptManagerError, ValueError)):
        PromptManager().create_prompt_sync(chat("a" + HIGH))
    with pytest.raises(PromptManagerError):
        TemplateEngine().compile("a" + HIGH)


def test_a_validation_keeps_it():
    loader = SchemaLoader()
    rules = [{"type": "min_length", "min_value": 2}, {"type": "regex", "pattern": "^a"}]
    loader.register({"name": "s", "fields": [{"name": "x", "type": "string", "validators": rules}]})
    assert loader.validate_data_sync("s", {"x": "a" + HIGH}) == {"x": "a" + HIGH}


REQUEST_ARGUMENTS = [
    {"service_tier": HIGH},
    {"metadata": {"a": [HIGH]}},
    {"metadata": {HIGH: "a"}},
    {"extra": {"stop": ("a", HIGH)}},
    {"extra_body": {"deep": {"er": [{"x": LOW}]}}},
    {"model": HIGH},
]
REQUEST_SETTINGS = [
    {"settings": {"model": HIGH}},
    {"settings": {"stop": [HIGH]}},
    {"settings": {"extra": {"user": HIGH}}},
    {"settings": {"extra": {HIGH: 1}}},
    {"settings": {"extra": {"metadata": {"a": [LOW]}}}},
    {"tools": [{"name": "f", "description": HIGH}]},
    {"tools": [{"name": "f", "parameters": {"properties": {"a": {"description": HIGH}}}}]},
    {"tools": [{"name": "f", "parameters": {"properties": {HIGH: {}}}}]},
    {"output_schema": {"type": "object", "description": HIGH}},
    {"output_schema": {"type": "object", "properties": {HIGH: {"type": "string"}}}},
]


def request_of(make, arguments, fields):
    settings = {"model": "m", "max_tokens": 5, **fields.get("settings", {})}
    prompt = Prompt(
        id="p",
        format="chat",
        chat_template={"messages": [{"role": "user", "content": "q"}]},
        **{**fields, "settings": settings},
    )
    return make(TemplateEngine()).build_request_sync(prompt, {}, **arguments)


@pytest.mark.parametrize("make", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration])
@pytest.mark.parametrize(
    ("arguments", "fields"), [(one, {}) for one in REQUEST_ARGUMENTS] + [({}, one) for one in REQUEST_SETTINGS]
)
def test_a_request_refuses_it_everywhere(make, arguments, fields):
    with pytest.raises((PromptManagerError, ValidationError), match="half a surrogate pair") as caught:
        request_of(make, arguments, fields)
    assert HIGH not in str(caught.value)
    assert LOW not in str(caught.value)


def test_an_argument_that_holds_itself_is_checked_once():
    cyclic: list[object] = ["a"]
    cyclic += [cyclic, cyclic]
    assert request_of(OpenAIIntegration, {"metadata": {"a": cyclic}}, {})["metadata"]["a"] is cyclic


#: Calls whose argument has half a surrogate pair, and the error.
CALLS = {
    "a partial's name": (lambda: TemplateEngine().render_sync("x", {}, partials={HIGH: "x"}), TemplateSyntaxError),
    "a tag": (lambda: PromptManager().list_prompts_sync(tags=[HIGH]), PromptValidationError),
    "a category": (lambda: PromptManager().list_prompts_sync(category=HIGH), PromptValidationError),
    "a label": (lambda: PromptManager().list_prompts_sync(label=HIGH), VersionNotFoundError),
    "an option": (lambda: PromptManager(unknown_variables=HIGH), ValueError),
    "the name of a limit": (lambda: TemplateEngine(limits={HIGH: 1}), ValueError),
    "the name of an argument": (lambda: request_of(OpenAIIntegration, {HIGH: 1}, {}), TypeError),
}


@pytest.mark.parametrize(("call", "error"), CALLS.values(), ids=CALLS)
def test_an_argument_with_it_is_a_typed_error(call, error):
    with pytest.raises(error) as caught:
        call()
    assert not isinstance(caught.value, UnicodeError)


def test_langchain_takes_a_variable_with_such_a_name():
    prompt = Prompt(id="p", template="Hi {{name}}", status="active")
    assert LangChainIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada", HIGH: 1}).format() == "Hi Ada"
