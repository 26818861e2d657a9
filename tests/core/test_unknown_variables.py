"""Variables that a caller gives and that a prompt does not declare."""

from __future__ import annotations

import asyncio
import warnings
from collections import UserDict
from dataclasses import dataclass

import pytest

from helpers import SECRET, create_chat_prompt
from prompt_manager import Prompt, PromptManager, PromptWarning
from prompt_manager.exceptions import ConversionError, TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration

VARIABLES = {"name": "string", "tone": {"type": "string", "required": False}}
TEMPLATE = {"content": "Dear {{name}}{{#if tone}} ({{tone}}){{/if}}", "variables": VARIABLES}
TEXT = Prompt(id="a", format="text", template=TEMPLATE, status="active")
CHAT = create_chat_prompt(
    id="chat",
    status="active",
    chat_template={
        "messages": [
            {"role": "system", "content": "{{name}}{{#if tone}} {{tone}}{{/if}}"},
            {"role": "placeholder", "name": "history"},
            {"role": "user", "content": "Hi"},
        ],
        "variables": VARIABLES,
    },
)
MISSPELT = {"name": "Ada", "tonne": SECRET}


def manager_of(*prompts, **options):
    manager = PromptManager(**options)
    for prompt in prompts:
        manager.create_prompt_sync(prompt)
    return manager


async def render_and_await(manager, prompt_id, variables):
    return await manager.render(prompt_id, variables)


RENDERS = {
    "render_sync": lambda manager, *given: manager.render_sync(*given),
    "render": lambda manager, *given: asyncio.run(render_and_await(manager, *given)),
    "render_for_plugin": lambda manager, *given: manager.render_for_plugin_sync(*given, "openai"),
    "convert": lambda manager, prompt_id, given: OpenAIIntegration(manager.template_engine).convert_sync(
        manager.get_prompt_sync(prompt_id), given
    ),
}


@pytest.mark.parametrize("render", RENDERS.values(), ids=RENDERS)
def test_a_misspelt_optional_variable_is_warned_of_once(render):
    manager = manager_of(TEXT)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(3):
            render(manager, "a", MISSPELT)
    (warning,) = warned
    assert warning.category is PromptWarning
    assert str(warning.message) == (
        "prompt `a` was given `tonne`, which it does not declare: is it meant to be `tone`?"
    )
    assert warning.filename == __file__


@pytest.mark.parametrize(
    "given",
    [
        {"name": "Ada"},
        {"name": "Ada", "tone": "kind"},
        {"name": "Ada", "tone": "kind", "tonne": "x"},
        {"name": "Ada", "tone": None, "tonne": "x"},
        {"name": "Ada", "something": "else", "user_id": 5},
        UserDict(name="Ada", something="else"),
    ],
    ids=["required", "all", "given too", "given as none", "far names", "a mapping"],
)
def test_other_names_pass_in_silence(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert manager_of(TEXT).render_sync("a", given).startswith("Dear Ada")


def test_a_name_that_another_prompt_declares_passes():
    other = Prompt(id="b", format="text", template="{{tonne}}", status="active")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert manager_of(TEXT, other).render_sync("a", MISSPELT) == "Dear Ada"


def test_a_prompt_without_declarations_takes_any_name():
    prompt = Prompt(id="a", format="text", template="Dear {{name}}{{#if tone}} ({{tone}}){{/if}}", status="active")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert manager_of(prompt).render_sync("a", MISSPELT) == "Dear Ada"
        assert manager_of(prompt, unknown_variables="error").render_sync("a", MISSPELT) == "Dear Ada"


def test_objects_and_mappings_are_looked_at_too():
    @dataclass
    class Given:
        name: str
        tonne: str

    for given in (Given("Ada", SECRET), UserDict(MISSPELT)):
        with pytest.warns(PromptWarning, match="is it meant to be `tone`"):
            manager_of(TEXT).render_sync("a", given)


def test_the_warning_can_be_an_exception():
    manager = manager_of(TEXT)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PromptWarning)
        with pytest.raises(PromptWarning, match="tonne"):
            manager.render_sync("a", MISSPELT)


def test_error_refuses_every_undeclared_name():
    manager = manager_of(TEXT, CHAT, unknown_variables="error")
    assert manager.render_sync("a", {"name": "Ada", "tone": "kind"}) == "Dear Ada (kind)"
    with pytest.raises(TemplateRenderError) as caught:
        manager.render_sync("a", {**MISSPELT, "more": 1})
    assert caught.value.message == "Unknown variables 'tonne', 'more' for prompt 'a'"
    assert caught.value.context["variables"] == ["tonne", "more"]
    assert caught.value.hint == "`tonne` was given: is it meant to be `tone`?"
    assert SECRET not in str(caught.value)
    with pytest.raises(TemplateRenderError, match="Unknown variable 'more' for prompt 'a'"):
        manager.render_sync("a", {"name": "Ada", "tone": "kind", "more": 1})
    with pytest.raises(ConversionError, match="Unknown variable"):
        OpenAIIntegration(manager.template_engine).convert_sync(manager.get_prompt_sync("a"), MISSPELT)


def test_messages_of_a_placeholder_are_no_unknown_variable():
    history = [{"role": "user", "content": "Earlier"}]
    manager = manager_of(CHAT, unknown_variables="error")
    messages = manager.render_messages_sync("chat", {"name": "Ada", "history": history})
    assert [message["content"] for message in messages] == ["Ada", "Earlier", "Hi"]
    with pytest.raises(TemplateRenderError, match="'histori'"):
        manager.render_messages_sync("chat", {"name": "Ada", "history": history, "histori": []})


def test_fields_of_the_input_schema_are_known():
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}}
    manager = manager_of(TEXT.replace(input_schema=schema), unknown_variables="error")
    assert manager.render_sync("a", {"name": "Ada", "city": "Paris"}) == "Dear Ada"
    with pytest.raises(TemplateRenderError, match="Unknown variable 'ctiy'"):
        manager.render_sync("a", {"name": "Ada", "ctiy": "Paris"})


def test_ignore_does_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert manager_of(TEXT, unknown_variables="ignore").render_sync("a", MISSPELT) == "Dear Ada"


def test_directories_take_the_option(directory):
    template = "{content: '{{#if tone}}x{{/if}}', variables: {tone: {required: false}}}"
    root = directory({"a.yaml": f"id: a\nformat: text\ntemplate: {template}\n"})
    manager = PromptManager.from_directory_sync(root, unknown_variables="error")
    with pytest.raises(TemplateRenderError, match="'tonne'"):
        manager.render_sync("a", {"tonne": 1})
    with pytest.raises(ValueError, match="must be 'warn', 'error' or 'ignore', not 'eror'"):
        PromptManager.from_directory_sync(root, unknown_variables="eror")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not 'eror'"):
        PromptManager(unknown_variables="eror")  # type: ignore[arg-type]


def test_ever_new_names_are_not_all_remembered():
    manager = manager_of(TEXT)
    names = [f"tone{chr(0x4E00 + at)}" for at in range(1_500)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for name in [*names, names[0], names[0]]:
            manager.render_sync("a", {"name": "Ada", name: "x"})
    assert len(warned) == len(names) + 1
