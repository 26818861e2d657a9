"""Keyword arguments that do not exist: each is refused by its name, and the name that was meant is suggested."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
from typing import Protocol, is_typeddict

import pytest

import prompt_manager
from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.core.template import ChatTemplateEngine
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)

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


UNKNOWN = "zzz_unknown"

#: Modules whose keywords are somebody else's: those of a test runner, of LangChain and of click.
FOREIGN = ("prompt_manager.cli", "prompt_manager.integrations.langchain", "prompt_manager.testing.pytest_plugin")

#: Callables that take any keyword, because it is the name of a metadata key or an argument of another package.
OPEN = {"AgentInputs.agent", "PromptExecution", "PromptMetadata"}

#: Callables that only the package calls, or only a helper while it runs.
NOT_CALLED = {"BatchRenderer", "HelperOptions.fn", "HelperOptions.inverse"}

#: Callables that need an object, and often arguments, before they look at their keywords; without ``_sync``.
METHODS = {
    "ChatTemplate.analyze": (lambda made: made.chat, ()),
    "ChatTemplate.render": (lambda made: made.chat, ({},)),
    "ChatTemplate.render_for_langchain": (lambda made: made.chat, ({},)),
    "Prompt.replace": (lambda made: made.prompt, ()),
    "PromptManager.build_batch_line": (
        lambda made: made.manager,
        ("greeting", {"name": "Ada"}, "openai"),
        {"custom_id": "1"},
    ),
    "PromptManager.build_request": (lambda made: made.manager, ("greeting", {"name": "Ada"}, "openai")),
    "PromptManager.convert": (lambda made: made.manager, ("greeting", {"name": "Ada"}, "openai")),
    "PromptManager.list_prompts": (lambda made: made.manager, ()),
    "PromptManager.render": (lambda made: made.manager, ("greeting", {"name": "Ada"})),
    "PromptManager.update_prompt": (lambda made: made.manager, (create_text_prompt(),)),
    "PromptRegistry.count": (lambda made: made.manager.registry, ()),
    "PromptRegistry.list": (lambda made: made.manager.registry, ()),
    "Template.render": (lambda made: made.engine.compile("x"), ({},)),
    "TemplateEngine.analyze": (lambda made: made.engine, ("x",)),
    "TemplateEngine.compile": (lambda made: made.engine, ("x",)),
    "TemplateEngine.extract_variables": (lambda made: made.engine, ("x",)),
    "TemplateEngine.register_partial": (lambda made: made.engine, ("x", "y")),
    "TemplateEngine.render": (lambda made: made.engine, ("x", {})),
    "TemplateEngine.validate": (lambda made: made.engine, ("x",)),
    **{
        f"{integration.__name__}.build_request": (
            lambda made, integration=integration: integration(made.engine),
            (create_text_prompt(), {"name": "Ada"}),
        )
        for integration in (
            AnthropicIntegration,
            BedrockIntegration,
            GeminiIntegration,
            LiteLLMIntegration,
            OpenAIIntegration,
        )
    },
}


class Made:
    """The objects whose methods are called."""

    def __init__(self):
        self.manager, self.engine = PromptManager(), TemplateEngine()
        self.prompt = self.manager.create_prompt_sync(create_text_prompt(status="active"))
        self.chat = ChatTemplateEngine(self.engine).compile([{"role": "user", "content": "x"}])


def public_callables():
    """The functions, classes and methods that public modules hand out, by name."""
    found = {}
    modules = [prompt_manager]
    for module in pkgutil.walk_packages(prompt_manager.__path__, "prompt_manager."):
        if not module.name.startswith(FOREIGN) and "._" not in module.name:
            try:
                modules.append(importlib.import_module(module.name))
            except ImportError:  # an optional package is not installed
                continue
    for module in modules:
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value):
                found |= {f"{name}.{method}": getattr(value, method) for method in own_methods(value)}
            if callable(value) and getattr(value, "__module__", "").startswith("prompt_manager"):
                found[name] = value
    return found


def own_methods(kind):
    """The public methods that a class has from classes of the package."""
    return {
        name
        for base in kind.__mro__
        if base.__module__.startswith("prompt_manager")
        for name, value in vars(base).items()
        if not name.startswith("_") and callable(getattr(kind, name, value)) and not inspect.isclass(value)
    }


def is_open(name, value):
    """Whether any keyword is allowed, as it is in the context of an error, or nobody calls it."""
    if name in OPEN | NOT_CALLED:
        return True
    is_a_type_only = is_typeddict(value) or Protocol in getattr(value, "__mro__", ()) or inspect.isabstract(value)
    return is_a_type_only or (inspect.isclass(value) and issubclass(value, Exception))


def refusal(call, *arguments, **given):
    """The message of a call with a keyword that does not exist."""

    async def consumed():
        made = call(*arguments, **given, **{UNKNOWN: 1})
        return await made if inspect.isawaitable(made) else made

    with pytest.raises((TypeError, ValueError)) as caught:
        asyncio.run(consumed())
    return str(caught.value)


def test_every_public_callable_refuses_an_unknown_keyword_by_name():
    made, wrong = Made(), {}
    for name, value in public_callables().items():
        if is_open(name, value):
            continue
        get, arguments, *given = METHODS.get(name.removesuffix("_sync"), (None, ()))
        message = refusal(value, *([get(made)] if get else []), *arguments, **(given[0] if given else {}))
        if UNKNOWN not in message and not re.search(r"cannot create|takes no (keyword )?arguments", message):
            wrong[name] = message
    assert not wrong, wrong
