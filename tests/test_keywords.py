"""Keyword arguments that do not exist: each is refused by its name, and the name that was meant is suggested."""

from __future__ import annotations

import re

import pytest

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration

LISTS = {
    "registry.list": lambda manager, **given: manager.registry.list_sync(**given),
    "registry.count": lambda manager, **given: manager.registry.count_sync(**given),
    "manager.list_prompts": lambda manager, **given: manager.list_prompts_sync(**given),
}


def refused(name, meant):
    return pytest.raises(TypeError, match=re.escape(f"unexpected keyword argument '{name}'; did you mean '{meant}'?"))


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize(("name", "meant"), [("tag", "tags"), ("stauts", "status"), ("catgory", "category")])
def test_a_misspelt_filter_is_refused_with_the_right_name(listed, name, meant):
    with refused(name, meant):
        listed(PromptManager(), **{name: None})


@pytest.mark.parametrize("name", ["list", "count"])
async def test_the_coroutines_refuse_the_same_filters(name):
    with refused("lable", "label"):
        await getattr(PromptRegistry(), name)(lable="production")
    with refused("lable", "label"):
        await PromptManager().list_prompts(lable="production")


def test_a_list_suggests_its_limits_too():
    with refused("limits", "limit"):
        PromptRegistry().list_sync(limits=3)
    with refused("ofset", "offset"):
        PromptManager().list_prompts_sync(ofset=3)


def test_a_filter_that_is_like_no_other_is_refused_with_all_of_them():
    expected = "unexpected keyword argument 'zzzzzz'; expected one of: status, tags, category, format, label, text"
    with pytest.raises(TypeError, match=f"^{expected}$"):
        PromptRegistry().count_sync(zzzzzz=1)
    with pytest.raises(TypeError, match=f"^{expected}, limit, offset$"):
        PromptRegistry().list_sync(zzzzzz=1)


def test_a_count_takes_no_limit():
    with pytest.raises(TypeError, match="unexpected keyword argument 'limit'"):
        PromptRegistry().count_sync(limit=1)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bmup", "bump"),
        ("changlog", "changelog"),
        ("auther", "author"),
        ("tempalte", "template"),
        ("label", "labels"),
        ("mesages", "messages"),
        ("varables", "variables"),
        ("partial", "partials"),
    ],
)
async def test_an_update_names_the_keyword_and_not_a_field_of_prompt(name, meant):
    manager = PromptManager()
    prompt = manager.create_prompt_sync(create_text_prompt())
    with refused(name, meant):
        manager.update_prompt_sync(prompt, **{name: "major"})
    with refused(name, meant):
        await manager.update_prompt(prompt, **{name: "major"})
    assert manager.registry.get_versions_sync(prompt.id) == [prompt.version]


@pytest.mark.parametrize(
    "change", [lambda prompt, **given: prompt.replace(**given), lambda prompt, **given: prompt.model_copy(update=given)]
)
def test_a_changed_prompt_has_the_fields_of_a_prompt(change):
    with refused("tamplate", "template"):
        change(create_text_prompt(), tamplate="Hi")
    for name in ("bump", "colour"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'; expected one of: id, version"):
            change(create_text_prompt(), **{name: "red"})


@pytest.mark.parametrize("integration", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration])
@pytest.mark.parametrize("name", ["modle", "mdoel", "Model"])
async def test_a_request_names_a_misspelt_model(integration, name):
    made, prompt = integration(TemplateEngine()), create_chat_prompt()
    with refused(name, "model"):
        made.build_request_sync(prompt, {"topic": "AI"}, **{name: "gpt-5"})
    with refused(name, "model"):
        await made.build_request(prompt, {"topic": "AI"}, **{name: "gpt-5"})


def test_a_request_hands_on_what_is_the_providers():
    made = LiteLLMIntegration(TemplateEngine(), strict_validation=False)
    request = made.build_request_sync(
        create_chat_prompt(),
        {"topic": "AI"},
        model="openrouter/auto",
        extra={"models": ["a"]},
        modalities=["text"],
        metadata={},
    )
    assert (request["models"], request["modalities"], request["metadata"]) == (["a"], ["text"], {})
    with refused("models", "model"):
        made.build_request_sync(create_chat_prompt(), {"topic": "AI"}, model="m", models=["a"])


@pytest.mark.parametrize(
    ("name", "meant"), [("lable", "label"), ("verison", "version"), ("strct", "strict"), ("to_message", "to_messages")]
)
async def test_a_conversion_by_a_manager_names_the_keyword(name, meant):
    manager = PromptManager()
    manager.create_prompt_sync(create_text_prompt(status="active"))
    with refused(name, meant):
        manager.convert_sync("greeting", {"name": "Ada"}, "openai", **{name: "x"})
    with refused(name, meant):
        await manager.convert("greeting", {"name": "Ada"}, "openai", **{name: "x"})
    with pytest.raises(TypeError, match="'temperature'; expected one of: version, label, output_instructions"):
        manager.convert_sync("greeting", {"name": "Ada"}, "openai", temperature=1)


@pytest.mark.parametrize("integration", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration])
def test_a_constructor_names_the_keyword(integration):
    with pytest.raises(TypeError, match="unexpected keyword argument 'strict_validaton'"):
        integration(TemplateEngine(), strict_validaton=False)
