"""The prompts that a manager returns: built once for each version, complete, and freed with their version."""

# ruff: noqa: ARG002 - the protocols of plugins, engines and integrations require these parameters

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import resource
import threading
import time
import weakref

import pytest

from helpers import chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import Prompt, PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.exceptions import (
    ConversionError,
    PromptNotFoundError,
    SchemaError,
    SchemaValidationError,
    TemplateRenderError,
    VersionConflictError,
)
from prompt_manager.integrations import (
    AnthropicIntegration,
    BaseIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.plugins import BasePlugin
from prompt_manager.plugins.openai_plugin import OpenAIPlugin

VISIT = {"name": "visit", "strict": True, "fields": [{"name": "name", "type": "string"}]}
ANSWER = {"name": "answer", "fields": [{"name": "city", "type": "string"}]}
INTEGRATIONS = [OpenAIIntegration, LiteLLMIntegration, AnthropicIntegration]


@pytest.fixture
def manager():
    """A manager with ``greeting``, and with ``visit``, which needs two schemas and two registered partials."""
    manager = PromptManager()
    manager.register_schema("visit", VISIT)
    manager.register_schema("answer", ANSWER)
    manager.template_engine.register_partial("sign", "-- {{name}}{{> mark}}")
    manager.template_engine.register_partial("mark", "!")
    manager.create_prompt_sync(create_text_prompt(status="active"))
    messages = [{"role": "user", "content": "Where is {{name}}? {{> sign}}"}]
    manager.create_prompt_sync(
        create_chat_prompt(
            id="visit",
            status="active",
            chat_template={"messages": messages},
            input_schema="visit",
            output_schema="answer",
            settings={"model": "m", "max_tokens": 9},
        )
    )
    return manager


def sent_text(form) -> str:
    """Return a converted request as one text."""
    return str(form)


class TestCache:
    def test_every_lookup_of_a_version_returns_the_same_prompt(self, manager):
        manager.set_label_sync("greeting", "production", "1.0.0")
        prompt = manager.get_prompt_sync("greeting")
        assert manager.get_prompt_sync("greeting", "1.0.0") is prompt
        assert manager.get_prompt_sync("greeting", label="production") is prompt
        assert manager.registry.get_sync("greeting") is prompt
        assert manager.get_history_sync("greeting")[0].prompt is prompt

    async def test_get_prompt_and_get_prompt_sync_share_the_prompt(self, manager):
        assert await manager.get_prompt("greeting") is manager.get_prompt_sync("greeting")

    def test_the_shared_prompt_equals_the_registered_one(self, manager):
        given = chat_of({"role": "user", "content": "{{a}}"}, id="new", metadata={"team": [1]}, status="active")
        manager.create_prompt_sync(given)
        prompt = manager.get_prompt_sync("new")
        assert prompt == given
        assert prompt is not given
        assert repr(prompt) == repr(given)
        for name in type(prompt).model_fields:
            assert type(getattr(prompt, name)) is type(getattr(given, name)), name

    def test_moving_a_label_makes_a_new_shared_prompt(self, manager):
        first = manager.get_prompt_sync("greeting")
        manager.set_label_sync("greeting", "production", "1.0.0")
        second = manager.get_prompt_sync("greeting")
        assert (first.labels, second.labels) == ((), ("production",))
        manager.set_label_sync("greeting", "production", None)
        assert manager.get_prompt_sync("greeting").labels == ()

    def test_an_update_makes_a_new_shared_prompt(self, manager):
        first = manager.get_prompt_sync("greeting")
        manager.update_prompt_sync(first, status="deprecated", metadata={"author": "Ada"})
        second = manager.get_prompt_sync("greeting")
        assert (second.version, second.status, second.metadata.author) == ("1.0.0", "deprecated", "Ada")
        third = manager.update_prompt_sync(second, template="Hi {{name}}")
        assert manager.get_prompt_sync("greeting", third.version) is third
        assert manager.get_prompt_sync("greeting", "1.0.0") is second

    def test_a_deleted_prompt_is_not_returned(self, manager):
        manager.get_prompt_sync("greeting")
        manager.delete_prompt_sync("greeting")
        with pytest.raises(PromptNotFoundError):
            manager.get_prompt_sync("greeting")
        manager.create_prompt_sync(create_text_prompt(status="active", template="New {{name}}"))
        assert manager.get_prompt_sync("greeting").template.content == "New {{name}}"

    def test_a_replaced_draft_is_not_returned(self, manager):
        manager.create_prompt_sync(create_text_prompt(id="d", template="one"))
        assert manager.get_prompt_sync("d").template.content == "one"
        manager.create_prompt_sync(create_text_prompt(id="d", template="two"))
        assert manager.get_prompt_sync("d").template.content == "two"

    def test_two_managers_of_one_engine_do_not_share_prompts(self):
        engine = TemplateEngine()
        one, two = PromptManager(template_engine=engine), PromptManager(template_engine=engine)
        one.register_schema("visit", VISIT)
        prompt = create_text_prompt(status="active", input_schema="visit")
        for manager in (one, two):
            manager.create_prompt_sync(prompt)
            manager.create_prompt_sync(manager.get_prompt_sync("greeting"))
        assert one.get_prompt_sync("greeting") is not two.get_prompt_sync("greeting")
        convert = OpenAIIntegration(engine).convert_sync
        assert convert(one.get_prompt_sync("greeting"), {"name": "Ada"}) == "Hello Ada!"
        with pytest.raises(SchemaError):
            convert(two.get_prompt_sync("greeting"), {"name": "Ada"})

    def test_threads_get_the_same_prompt(self, manager):
        for number in range(20):
            manager.create_prompt_sync(create_text_prompt(id=f"p{number}", status="active"))
        found: list[set[int]] = [set() for _ in range(20)]
        kept = []

        def ask():
            for number in range(20):
                prompt = manager.get_prompt_sync(f"p{number}")
                kept.append(prompt)
                found[number].add(id(prompt))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [len(each) for each in found] == [1] * 20


class TestLeaks:
    def test_a_deleted_version_frees_its_prompt(self, manager):
        changes = [
            lambda: manager.set_label_sync("greeting", "production", "1.0.0"),
            lambda: manager.update_prompt_sync(manager.get_prompt_sync("greeting"), status="deprecated"),
            lambda: manager.delete_prompt_sync("greeting"),
            manager.registry.clear_sync,
        ]
        for change in changes:
            for prompt_id in ("greeting", "visit"):
                if manager.registry.exists_sync(prompt_id):
                    OpenAIIntegration(TemplateEngine()).explain_compatibility(manager.get_prompt_sync(prompt_id))
            name = "greeting" if manager.registry.exists_sync("greeting") else "visit"
            gone = weakref.ref(manager.get_prompt_sync(name).metadata)
            change()
            gc.collect()
            assert gone() is None

    def test_a_deleted_manager_frees_its_prompts(self):
        manager = PromptManager()
        manager.create_prompt_sync(create_text_prompt(status="active"))
        prompt = manager.get_prompt_sync("greeting")
        OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
        manager.render_for_plugin_sync("greeting", {"name": "Ada"}, "openai")
        gone = weakref.ref(prompt.metadata)
        del prompt, manager
        gc.collect()
        assert gone() is None

    def test_a_finalizer_may_use_the_registry(self, manager):
        """A finalizer runs code when a prompt is freed; if the registry's lock were held then, it would deadlock."""
        rendered = []
        prompt = manager.get_prompt_sync("greeting")
        weakref.finalize(prompt.metadata, lambda: rendered.append(manager.render_sync("greeting", {"name": "Ada"})))
        del prompt
        manager.set_label_sync("greeting", "production", "1.0.0")
        gc.collect()
        assert rendered == ["Hello Ada!"]

    def test_a_prompt_does_not_keep_another_engine_alive(self, manager):
        class Helper:
            def __call__(self, name):
                return name.upper()

        engine, helper = TemplateEngine(), Helper()
        engine.register_helper("shout", helper)
        gone = weakref.ref(helper)
        prompt = manager.get_prompt_sync("greeting")
        OpenAIIntegration(engine).convert_sync(prompt, {"name": "Ada"})
        del engine, helper
        gc.collect()
        assert gone() is None

    def test_a_plugin_s_reference_cycle_is_freed(self, manager):
        class CyclePlugin(BasePlugin):
            async def render_for_framework(self, prompt, variables):
                variables["self"] = prompt
                marks.append(weakref.ref(variables["mark"]))

        class Marker:
            pass

        marks = []
        manager.register_plugin(CyclePlugin("knot", "1.0.0"))
        manager.render_for_plugin_sync("greeting", {"name": "Ada", "mark": Marker()}, "knot")
        gc.collect()
        assert marks[0]() is None

    def test_memory_stays_flat_during_reloads(self, tmp_path):
        file = tmp_path / "p.yaml"
        start, long = "id: p\nformat: text\nstatus: active\ntemplate: start\n", "x" * 100_000
        file.write_text(start, encoding="utf-8")
        with PromptManager.from_directory_sync(tmp_path, watch=True) as manager:
            alive = []

            def reload(number: int) -> None:
                file.write_text(start.replace(" start", f" text {number} {long}"), encoding="utf-8")
                until = time.monotonic() + 30
                while not manager.get_prompt_sync("p").template.content.startswith(f"text {number} "):
                    assert time.monotonic() < until
                    time.sleep(0.002)
                alive.append(weakref.ref(manager.get_prompt_sync("p").template))

            for number in range(15):
                reload(number)
            gc.collect()
            # The last one is alive, and perhaps one before it until the reload thread has finished.
            assert sum(each() is not None for each in alive) <= 2

    def test_memory_stays_flat_during_updates(self, manager):
        def update(times: int) -> None:
            for number in range(times):
                prompt = manager.get_prompt_sync("greeting")
                manager.update_prompt_sync(prompt, metadata={"description": f"{number} {'x' * 50_000}"})

        update(50)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        update(200)
        # 200 versions that leaked would hold 10 MB of text, several times over.
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000


class TestSchemasAndPartials:
    @pytest.mark.parametrize("integration", INTEGRATIONS)
    def test_schemas_and_partials_work_in_an_integration(self, manager, integration):
        prompt = manager.get_prompt_sync("visit")
        alone = integration(TemplateEngine())
        assert alone.explain_compatibility(prompt) == []
        assert alone.convert_sync(prompt, {"name": "Ada"}) == integration(
            manager.template_engine, schemas=manager.schemas
        ).convert_sync(prompt, {"name": "Ada"})
        assert "Where is Ada? -- Ada!" in sent_text(alone.convert_sync(prompt, {"name": "Ada"}))
        request = alone.build_request_sync(prompt, {"name": "Ada"})
        assert "city" in sent_text(request.get("response_format") or request.get("output_config") or request)
        with pytest.raises(SchemaValidationError):
            alone.convert_sync(prompt, {"name": "Ada", "age": 3})

    async def test_schemas_and_partials_work_in_async_conversions(self, manager):
        prompt = await manager.get_prompt("visit")
        alone = OpenAIIntegration(TemplateEngine())
        assert await alone.convert(prompt, {"name": "Ada"}) == alone.convert_sync(prompt, {"name": "Ada"})
        assert await alone.render_messages(prompt, {"name": "Ada"}) == manager.render_messages_sync(
            "visit", {"name": "Ada"}
        )

    def test_schemas_and_partials_work_in_langchain_pickles(self, manager):
        pytest.importorskip("langchain_core")
        template = LangChainIntegration(TemplateEngine()).convert_sync(manager.get_prompt_sync("visit"), {})
        for each in (template, pickle.loads(pickle.dumps(template))):
            (message,) = [made for made in each.format_messages(name="Ada") if made.type == "human"]
            assert "Where is Ada? -- Ada!" in message.content
            with pytest.raises(SchemaValidationError):
                each.format_messages(name="Ada", age=3)

    def test_schemas_and_partials_work_in_plugins(self, manager):
        manager.register_plugin(OpenAIPlugin(), config={"template_engine": TemplateEngine(), "schemas": None})
        form = manager.render_for_plugin_sync("visit", {"name": "Ada"}, "openai")
        assert "Where is Ada? -- Ada!" in sent_text(form)
        assert "city" in sent_text(form)

    def test_schemas_work_with_a_custom_engine(self, manager):
        class Own:
            async def render(self, template, variables, *, partials=None):
                return template.replace("{{name}}", variables["name"]).replace("{{> sign}}", "")

        form = OpenAIIntegration(Own()).convert_sync(manager.get_prompt_sync("visit"), {"name": "Ada"})
        assert "Where is Ada?" in sent_text(form)
        assert "city" in sent_text(form)
        with pytest.raises(SchemaValidationError):
            OpenAIIntegration(Own()).convert_sync(manager.get_prompt_sync("visit"), {"name": "Ada", "age": 3})

    def test_schemas_and_partials_work_in_a_custom_integration(self, manager):
        class CustomIntegration(BaseIntegration[str]):
            async def convert(self, prompt, variables):
                return str(await self.render_messages(prompt, variables))

            def validate_compatibility(self, prompt):
                return True

        assert "-- Ada!" in CustomIntegration(TemplateEngine()).convert_sync(
            manager.get_prompt_sync("visit"), {"name": "Ada"}
        )

    def test_the_engine_of_the_integration_overrides_partials(self, manager):
        prompt = manager.get_prompt_sync("visit")
        own = TemplateEngine(escape=True)
        own.register_partial("mark", "?")
        form = sent_text(OpenAIIntegration(own).convert_sync(prompt, {"name": "<A>"}))
        assert "Where is &lt;A&gt;? -- &lt;A&gt;?" in form

    def test_a_partial_registered_later_is_used(self, manager):
        prompt, own = manager.get_prompt_sync("visit"), TemplateEngine()
        convert = OpenAIIntegration(own).convert_sync
        assert "Ada!" in sent_text(convert(prompt, {"name": "Ada"}))
        manager.template_engine.register_partial("mark", "…")
        assert "Ada…" in sent_text(convert(prompt, {"name": "Ada"}))
        own.register_partial("mark", "?!")
        assert "Ada?!" in sent_text(convert(prompt, {"name": "Ada"}))

    def test_an_unused_partial_with_errors_does_no_harm(self, manager):
        manager.template_engine.register_helper("shout", str.upper)
        manager.template_engine.register_partial("loud", "{{shout name}}")
        convert = OpenAIIntegration(TemplateEngine(known_helpers_only=True)).convert_sync
        assert "-- Ada!" in sent_text(convert(manager.get_prompt_sync("visit"), {"name": "Ada"}))

    def test_a_prompt_is_compiled_once_for_each_engine(self, manager):
        prompt = manager.get_prompt_sync("visit")
        engines = [TemplateEngine(), TemplateEngine(escape=True), manager.template_engine]
        first = [prompt._converted_by(engine) for engine in engines]
        for engine, handle in zip(engines, first, strict=True):
            again = prompt._converted_by(engine)
            assert again.to_dict() == handle.to_dict()
        assert prompt._converted_by(manager.template_engine) is first[2]

    def test_replace_keeps_schemas_and_partials(self, manager):
        prompt = manager.get_prompt_sync("visit").replace(version="3.0.0").replace(status="deprecated")
        for each in (prompt, prompt.model_copy(), copy.copy(prompt), copy.deepcopy(prompt)):
            form = sent_text(OpenAIIntegration(TemplateEngine()).convert_sync(each, {"name": "Ada"}))
            assert "-- Ada!" in form
            assert "city" in form

    @pytest.mark.parametrize("copied", [lambda p: p.model_copy(), lambda p: p.model_copy(deep=True), copy.copy])
    def test_copies_keep_schemas_and_partials(self, manager, copied):
        prompt = copied(manager.get_prompt_sync("visit"))
        assert "-- Ada!" in sent_text(OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"}))

    def test_a_pickled_prompt_is_plain_data(self, manager):
        prompt = manager.get_prompt_sync("visit")
        again = pickle.loads(pickle.dumps(prompt))
        assert again == prompt
        with pytest.raises(SchemaError, match="there is no schema 'visit'"):
            OpenAIIntegration(TemplateEngine()).convert_sync(again, {"name": "Ada"})

    def test_another_manager_gets_the_prompt_without_partials(self, manager):
        prompt = manager.get_prompt_sync("visit")
        OpenAIIntegration(other := TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
        registry = PromptRegistry(template_engine=other)
        registry.register_sync(prompt)
        assert registry.get_sync("visit").content_hash == prompt.content_hash
        assert registry.get_sync("visit").chat_template.partials == {}
        with pytest.raises(SchemaError):
            PromptManager(registry).render_sync("visit", {"name": "Ada"})

    def test_carried_partials_do_not_count_as_content(self, manager):
        prompt = manager.get_prompt_sync("visit")
        with pytest.raises(VersionConflictError):
            manager.create_prompt_sync(prompt.replace(chat_template={"messages": [{"role": "user", "content": "x"}]}))
        assert manager.create_prompt_sync(prompt) is prompt


class KeepingPlugin(BasePlugin):
    """A plugin that keeps its arguments, and converts with an integration on its own engine or the manager's."""

    def __init__(self, engine: TemplateEngine | None = None) -> None:
        super().__init__("keeping", "1.0.0")
        self.engine = engine

    async def _initialize_impl(self, config):
        self.integration = OpenAIIntegration(self.engine or config["template_engine"])

    async def render_for_framework(self, prompt, variables):
        self.prompt, self.variables = prompt, variables
        return await self.integration.convert(prompt, variables)


class TestPluginHandles:
    @pytest.fixture(params=["the manager's engine", "its own engine"])
    def plugin(self, request, manager):
        plugin = KeepingPlugin(TemplateEngine() if request.param == "its own engine" else None)
        manager.register_plugin(plugin)
        template = {
            "content": "{{name}} {{count}} {{mood}}",
            "variables": {"name": {}, "count": {}, "mood": {"default": "glad"}},
        }
        fields = [{"name": "name", "type": "string"}, {"name": "count", "type": "integer"}]
        manager.register_schema("counted", {"name": "counted", "strict": True, "fields": fields})
        manager.create_prompt_sync(
            create_text_prompt(id="counted", status="active", template=template, input_schema="counted")
        )
        return plugin

    def test_plugins_get_variables_as_a_plain_dict(self, manager, plugin):
        given = {"name": "Ada", "count": "3"}
        assert manager.render_for_plugin_sync("counted", given, "keeping") == "Ada 3 glad"
        assert type(plugin.variables) is dict
        assert plugin.variables == {"name": "Ada", "count": 3, "mood": "glad"}
        assert given == {"name": "Ada", "count": "3"}

    def test_plugins_get_the_prompt_of_the_manager(self, manager, plugin):
        manager.render_for_plugin_sync("counted", {"name": "Ada", "count": 3}, "keeping")
        assert plugin.prompt == manager.get_prompt_sync("counted")
        assert type(plugin.prompt) is Prompt
        assert pickle.loads(pickle.dumps(plugin.prompt)) == plugin.prompt

    def test_a_prompt_kept_by_a_plugin_validates_new_variables(self, manager, plugin):
        """The schema refuses ``mood``, which the prompt adds as a default, so it would refuse resolved variables."""
        manager.render_for_plugin_sync("counted", {"name": "Ada", "count": 3}, "keeping")
        convert, kept = plugin.integration.convert_sync, plugin.prompt
        assert convert(kept, plugin.variables) == "Ada 3 glad"
        assert convert(kept, {"name": "Bo", "count": "4"}) == "Bo 4 glad"
        with pytest.raises(SchemaValidationError):
            convert(kept, {"name": "Bo", "count": "many"})
        with pytest.raises(ConversionError, match="Missing variable 'count'"):
            convert(kept, {"name": "Bo"})
        with pytest.raises(SchemaValidationError):
            convert(kept, {**plugin.variables, "count": "many"})

    def test_another_prompt_validates_the_same_variables(self, manager, plugin):
        manager.render_for_plugin_sync("counted", {"name": "Ada", "count": 3}, "keeping")
        for other in (manager.get_prompt_sync("counted"), plugin.prompt.replace(status="deprecated")):
            with pytest.raises(SchemaValidationError):
                plugin.integration.convert_sync(other, plugin.variables)

    async def test_concurrent_plugin_renders_do_not_mix(self, manager, plugin):
        forms = await asyncio.gather(
            *(manager.render_for_plugin("counted", {"name": str(n), "count": n}, "keeping") for n in range(20))
        )
        assert forms == [f"{n} {n} glad" for n in range(20)]


def test_a_missing_partial_is_still_an_error(manager):
    manager.create_prompt_sync(create_text_prompt(id="lost", template="{{> nowhere}}", status="active"))
    with pytest.raises((ConversionError, TemplateRenderError)) as caught:
        OpenAIIntegration(TemplateEngine()).convert_sync(manager.get_prompt_sync("lost"), {})
    assert "nowhere" in str(caught.value)
