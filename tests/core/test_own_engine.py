"""Template engines whose ``render`` is the application's own: subclasses that override it, and mocks of the class."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock, patch

import pytest

from helpers import SECRET, create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.core.template import ChatTemplateEngine
from prompt_manager.exceptions import ConversionError, TemplateRenderError, TemplateSyntaxError
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.storage.yaml_loader import YAMLLoader


class Shouting(TemplateEngine):
    """Overrides the coroutine alone, and waits."""

    async def render(self, template, variables, *, partials=None, data=None):
        await asyncio.sleep(0)
        return (await super().render(template, variables, partials=partials, data=data)).upper()


class ShoutingSync(TemplateEngine):
    """Overrides the synchronous version alone, which the coroutine calls."""

    def render_sync(self, template, variables, *, partials=None, data=None):
        return super().render_sync(template, variables, partials=partials, data=data).upper()


def shouting_instance():
    """An engine with a function as its attribute."""

    class Plain(TemplateEngine):
        pass

    engine = Plain()

    async def render(template, variables, *, partials=None):
        return TemplateEngine().render_sync(template, variables, partials=partials).upper()

    engine.render = render
    return engine


def mock():
    engine = Mock(spec=TemplateEngine)
    engine.render.side_effect = lambda template, variables, *, partials=None: (
        TemplateEngine().render_sync(template, variables, partials=partials).upper()
    )
    return engine


ENGINES = {"coroutine": Shouting, "sync": ShoutingSync, "attribute": shouting_instance, "mock": mock}


@pytest.fixture(params=ENGINES.values(), ids=ENGINES)
def engine(request):
    return request.param()


@pytest.fixture(params=["await", "sync"])
def call(request):
    """Call a coroutine method of an object, or its synchronous version."""

    def run(part, method, *arguments, **options):
        if request.param == "sync":
            return getattr(part, f"{method}_sync")(*arguments, **options)
        return asyncio.run(getattr(part, method)(*arguments, **options))

    return run


CHAT = {"topic": "Rust", "name": "Ada"}
TURNS = [("system", "YOU EXPLAIN THINGS."), ("user", "EXPLAIN RUST.")]


@pytest.fixture
def chat():
    messages = [{"role": "system", "content": "You explain things."}, {"role": "user", "content": "Explain {{topic}}."}]
    return create_chat_prompt(chat_template={"messages": messages}, status="active")


def turns(messages):
    return [(message["role"], message["content"]) for message in messages]


class TestManager:
    @pytest.fixture
    def manager(self, engine, chat):
        manager = PromptManager(template_engine=engine)
        manager.create_prompt_sync(create_text_prompt(status="active"))
        manager.create_prompt_sync(chat)
        return manager

    def test_renders_call_the_override(self, manager, call):
        assert call(manager, "render", "greeting", {"name": "Ada"}) == "HELLO ADA!"
        assert turns(call(manager, "render_messages", "explain", CHAT)) == TURNS
        transcript = "system: YOU EXPLAIN THINGS.\n\nuser: EXPLAIN RUST."
        assert call(manager, "render", "explain", CHAT) == transcript

    def test_render_and_parse_and_plugins_call_the_override(self, manager, call):
        seen = []
        call(manager, "render_and_parse", "greeting", {"name": "Ada"}, lambda text: seen.append(text) or "{}")
        assert seen == ["HELLO ADA!"]
        assert call(manager, "render_for_plugin", "greeting", {"name": "Ada"}, "openai") == "HELLO ADA!"

    def test_observers_hear_of_such_renders(self, manager, call):
        heard = []

        class Observer:
            def on_render_complete(self, prompt_id, version, execution):
                heard.append((prompt_id, version, execution.rendered_content))

            def on_render_error(self, prompt_id, version, error):
                heard.append((prompt_id, version, type(error)))

        manager.add_observer(Observer())
        call(manager, "render", "greeting", {"name": "Ada"})
        with pytest.raises(TemplateRenderError, match="Missing variable 'topic'"):
            call(manager, "render_messages", "explain", {})
        assert heard == [("greeting", "1.0.0", "HELLO ADA!"), ("explain", "1.0.0", TemplateRenderError)]

    def test_templates_are_parsed_at_registration(self, engine):
        with pytest.raises(TemplateSyntaxError):
            PromptRegistry(template_engine=engine).register_sync(create_text_prompt(template="{{#if a}}"))

    def test_files_are_loaded(self, engine, tmp_path):
        (tmp_path / "hi.yaml").write_text("id: hi\nformat: text\ntemplate: Hi {{name}}\n")
        manager = PromptManager.from_directory_sync(tmp_path, template_engine=engine)
        assert manager.render_sync("hi", {"name": "Ada"}) == "HI ADA"
        assert YAMLLoader(template_engine=engine).load_file_sync(tmp_path / "hi.yaml").prompts[0].id == "hi"


def test_an_exception_of_the_engine_is_the_cause_of_a_render_error(call):
    class Failing(TemplateEngine):
        async def render(self, *_, **__):
            raise ValueError(SECRET)

    manager = PromptManager(template_engine=Failing())
    prompt = manager.create_prompt_sync(create_text_prompt(status="active"))
    with pytest.raises(TemplateRenderError, match="Failing could not render text 0 of 1") as caught:
        call(manager, "render", "greeting", {"name": SECRET})
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ConversionError, match="'greeting': Failing could not render text 0 of 1") as converted:
        call(OpenAIIntegration(Failing()), "convert", prompt, {"name": SECRET})
    assert isinstance(converted.value.__cause__, ValueError)
    assert converted.value.context["framework"] == "openai"
    assert SECRET not in str(caught.value) + str(converted.value)


class TestIntegrations:
    @pytest.mark.parametrize("integration", [OpenAIIntegration, LiteLLMIntegration])
    def test_conversions_call_the_override(self, engine, call, integration, chat):
        converter = integration(engine)
        assert call(converter, "convert", create_text_prompt(), {"name": "Ada"}) == "HELLO ADA!"
        assert turns(call(converter, "convert", chat, CHAT)) == TURNS
        assert turns(call(converter, "build_request", chat, CHAT, model="m")["messages"]) == TURNS
        with pytest.raises(ConversionError, match=r"Failed to convert prompt 'explain'.*: Missing variable 'topic'"):
            call(converter, "convert", chat, {})

    def test_anthropic_calls_the_override(self, engine, call, chat):
        converted = call(AnthropicIntegration(engine), "convert", chat, CHAT)
        assert converted["system"] == "YOU EXPLAIN THINGS."
        assert turns(converted["messages"]) == TURNS[1:]

    def test_langchain_calls_the_override(self, engine, chat):
        if isinstance(engine, Mock):
            engine.extract_variables.side_effect = TemplateEngine().extract_variables
        template = LangChainIntegration(engine).convert_sync(create_text_prompt(), {})
        assert template.format(name="Ada") == "HELLO ADA!"
        messages = LangChainIntegration(engine).convert_sync(chat, {}).format_messages(topic="Rust")
        assert [message.content for message in messages] == ["YOU EXPLAIN THINGS.", "EXPLAIN RUST."]


class TestChatEngine:
    def test_messages_call_the_override(self, engine, call, chat):
        chats = ChatTemplateEngine(engine)
        given = [*chat.chat_template.messages, {"role": "placeholder", "name": "history"}]
        history = [{"role": "user", "content": "{{hi}}"}]
        rendered = call(chats, "render_messages", given, {**CHAT, "history": history})
        assert turns(rendered) == [*TURNS, ("user", "{{hi}}")]
        partials = {"tone": "Be {{mood}}.", "name": TemplateEngine().compile("{{name}}")}
        rendered = call(
            chats, "render_messages", [{"role": "user", "content": "{{> tone}} {{> name}}"}], {"mood": "kind", **CHAT},
            partials=partials,
        )  # fmt: skip
        assert turns(rendered) == [("user", "BE KIND. ADA")]

    def test_a_compiled_template_would_not_so_it_is_refused(self, engine, chat):
        chats = ChatTemplateEngine(engine)
        with pytest.raises(TypeError, match=r"would not call the `render` of .*: use render_messages"):
            chats.compile(list(chat.chat_template.messages))
        assert chats.extract_variables(list(chat.chat_template.messages)) == ["topic"]
        assert chats.validate_sync(list(chat.chat_template.messages))


def test_a_patched_class_counts_as_an_override(call):
    async def render(self, template, variables, **_):  # noqa: ARG001 - the signature of the method
        return "patched"

    with patch.object(TemplateEngine, "render", render):
        manager = PromptManager()
        manager.create_prompt_sync(create_text_prompt(status="active"))
        assert call(manager, "render", "greeting", {"name": "Ada"}) == "patched"


def test_a_subclass_without_an_override_is_rendered_by_the_core():
    class Named(TemplateEngine):
        pass

    engine = Named()
    manager = PromptManager(template_engine=engine)
    assert manager._renders is manager._core
    assert ChatTemplateEngine(engine).compile([{"role": "user", "content": "{{a}}"}]).variables == ["a"]
    assert OpenAIIntegration(engine)._native_engine is engine


def test_an_engine_of_another_kind_needs_an_integration():
    class Own:
        async def render(self, template, variables, *, partials=None):
            raise NotImplementedError

    for make in (lambda: PromptRegistry(template_engine=Own()), lambda: YAMLLoader(template_engine=Own())):
        with pytest.raises(TypeError, match=r"needs a prompt_manager\.TemplateEngine, not Own"):
            make()
