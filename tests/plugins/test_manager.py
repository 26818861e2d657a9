"""``render_for_plugin``: it finds the plugin by name, checks variables, and notifies observers like every render."""

# ruff: noqa: ARG002 - the signatures are those of the protocol

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import BaseModel, Field

from helpers import EXAMPLES, SECRET, chat_of, create_chat_prompt, create_text_prompt, everything_said_by, run_python
from prompt_manager import PromptManager
from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.exceptions import (
    ConversionError,
    IncompatibleFormatError,
    PluginLoadError,
    PluginNotFoundError,
    PromptNotFoundError,
    SchemaValidationError,
    TemplateRenderError,
    VersionNotFoundError,
)
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)
from prompt_manager.plugins import BasePlugin

IDS = sorted(
    path.relative_to(EXAMPLES / "prompts").with_suffix("").as_posix() for path in (EXAMPLES / "prompts").rglob("*.yaml")
)
VISIT = {
    "name": "visit",
    "fields": [{"name": "name", "type": "string"}, {"name": "count", "type": "integer", "default": 7}],
}


def inputs(prompt_id):
    return json.loads((EXAMPLES / "inputs" / f"{prompt_id}.json").read_text(encoding="utf-8"))


class Keeping(BasePlugin):
    """A plugin that records the variables it gets, and calls an integration of ours."""

    def __init__(self, name="keeping"):
        super().__init__(name=name, version="1.0.0")
        self.initialized = 0
        self.handed = []

    async def _initialize_impl(self, config):
        self.initialized += 1
        self.integration = OpenAIIntegration(config["template_engine"], schemas=config["schemas"])

    async def render_for_framework(self, prompt, variables):
        self.handed.append(variables)
        await asyncio.sleep(0)
        return {"kept": await self.integration.convert(prompt, variables)}


@pytest.fixture(params=["await", "sync"])
def render(request):
    """``render_for_plugin`` or its synchronous version."""

    def run(manager, *arguments, **options):
        if request.param == "sync":
            return manager.render_for_plugin_sync(*arguments, **options)
        return asyncio.run(manager.render_for_plugin(*arguments, **options))

    return run


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.registry.register_sync(create_text_prompt(status="active"))
    return manager


class TestBuiltIn:
    @pytest.mark.parametrize("prompt_id", IDS)
    @pytest.mark.parametrize(
        ("name", "integration"),
        [("openai", OpenAIIntegration), ("litellm", LiteLLMIntegration), ("gemini", GeminiIntegration)],
    )
    def test_a_plugin_returns_what_its_integration_returns(self, render, examples, prompt_id, name, integration):
        prompt = examples.get_prompt_sync(prompt_id)
        expected = integration(examples.template_engine).convert_sync(prompt, inputs(prompt_id))
        assert render(examples, prompt_id, inputs(prompt_id), name) == expected

    @pytest.mark.parametrize("prompt_id", IDS)
    @pytest.mark.parametrize(
        ("name", "integration"), [("anthropic", AnthropicIntegration), ("bedrock", BedrockIntegration)]
    )
    def test_a_plugin_for_chats_returns_what_its_integration_does(self, render, examples, prompt_id, name, integration):
        prompt = examples.get_prompt_sync(prompt_id)
        if prompt.format != "chat":
            with pytest.raises(IncompatibleFormatError, match=f"but {name.title()} requires CHAT format"):
                render(examples, prompt_id, inputs(prompt_id), name)
            return
        if (name, prompt_id) == ("bedrock", "vision/receipt"):
            with pytest.raises(ConversionError, match="does not begin with `s3://`"):
                render(examples, prompt_id, inputs(prompt_id), name)
            return
        expected = integration(examples.template_engine).convert_sync(prompt, inputs(prompt_id))
        assert render(examples, prompt_id, inputs(prompt_id), name) == expected

    def test_built_in_plugins_need_no_registration(self, render, manager):
        assert "openai" not in manager.plugins
        assert render(manager, "greeting", {"name": "Ada"}, "openai") == "Hello Ada!"
        assert "anthropic" in manager.plugins

    def test_plugins_accept_the_options_of_their_integration(self, render, manager):
        from prompt_manager.plugins.anthropic_plugin import AnthropicPlugin
        from prompt_manager.plugins.litellm_plugin import LiteLLMPlugin
        from prompt_manager.plugins.openai_plugin import OpenAIPlugin

        manager.register_plugin(AnthropicPlugin(), config={"merge_turns": True})
        ask = {"role": "user", "content": "Really, {{name}}?"}
        manager.registry.register_sync(chat_of(ask, ask, id="twice", status="active"))
        form = render(manager, "twice", {"name": "Ada"}, "anthropic")
        assert [message["role"] for message in form["messages"]] == ["user"]
        manager.register_plugin(OpenAIPlugin(), config={"api": "responses"})
        assert list(render(manager, "twice", {"name": "Ada"}, "openai")) == ["input"]
        manager.register_plugin(LiteLLMPlugin(), config={"to_messages": True})
        form = render(manager, "greeting", {"name": "Ada"}, "litellm")
        assert form == [{"role": "user", "content": "Hello Ada!"}]

    def test_plugins_can_use_a_custom_template_engine(self, render, manager):
        from prompt_manager.plugins.openai_plugin import OpenAIPlugin

        class Jinja:
            async def render(self, template, variables, *, partials=None):
                await asyncio.sleep(0)
                return template.replace("{{name}}", variables["name"].upper())

            async def validate(self, template):
                return True

            def extract_variables(self, template):
                return ["name"]

        manager.register_plugin(OpenAIPlugin(), config={"template_engine": Jinja()})
        assert render(manager, "greeting", {"name": "Ada"}, "openai") == "Hello ADA!"
        # The schema does not allow `mood`, whose default is added after validation.
        manager.register_schema("visit", VISIT)
        template = {"content": "Hi {{name}}", "variables": {"name": {}, "mood": {"default": "glad"}}}
        manager.registry.register_sync(
            create_text_prompt(id="visit", status="active", template=template, input_schema="visit")
        )
        assert render(manager, "visit", {"name": "Ada"}, "openai") == "Hi ADA"

    async def test_conversion_warnings_point_at_the_calling_line(self, manager):
        from prompt_manager.plugins.openai_plugin import OpenAIPlugin

        manager.register_plugin(OpenAIPlugin(), config={"strict_validation": False})
        named = {"role": "user", "name": "not a name!", "content": "Hi"}
        manager.registry.register_sync(chat_of(named, id="named", status="active"))
        with pytest.warns(PromptConversionWarning, match="`name` has characters") as warned:
            manager.render_for_plugin_sync("named", {}, "openai")
        assert [warning.filename for warning in warned] == [__file__]
        with pytest.warns(PromptConversionWarning, match="`name` has characters") as warned:
            await manager.render_for_plugin("named", {}, "openai")
        assert [warning.filename for warning in warned] == [__file__]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"strict_validtion": 1}, "'strict_validtion', and ignores it: did you mean 'strict_validation'?"),
            ({"api_key": "k"}, "has no option 'api_key', and ignores it; it takes: strict_validation, "),
        ],
    )
    def test_an_unknown_option_is_ignored_with_a_warning(self, render, manager, options, said):
        from prompt_manager.plugins.openai_plugin import OpenAIPlugin

        manager.register_plugin(OpenAIPlugin(), config={**options, "strict_validation": False})
        with pytest.warns(UserWarning, match="plugin 'openai' has no option") as warned:
            assert render(manager, "greeting", {"name": "Ada"}, "openai") == "Hello Ada!"
        assert [said in str(warning.message) for warning in warned] == [True]

    async def test_built_in_plugins_render_sync_in_a_running_loop(self, manager):
        assert manager.render_for_plugin_sync("greeting", {"name": "Ada"}, "openai") == "Hello Ada!"

    def test_plugins_check_compatibility(self, manager):
        manager.discover_plugins()
        text, chat = create_text_prompt(), create_chat_prompt()
        for name, of_text in (("openai", True), ("anthropic", False)):
            plugin = manager.plugins.get(name)
            plugin.initialize_sync({"template_engine": manager.template_engine})
            assert plugin.validate_compatibility_sync(text) is of_text
            assert plugin.validate_compatibility_sync(chat)
            assert asyncio.run(plugin.validate_compatibility(text)) is of_text

    def test_a_plugin_works_without_a_manager(self):
        from prompt_manager.plugins.openai_plugin import OpenAIPlugin

        plugin = OpenAIPlugin()
        plugin.initialize_sync()
        assert plugin.render_for_framework_sync(create_text_prompt(), {"name": "Ada"}) == "Hello Ada!"


class TestLangChain:
    @pytest.mark.parametrize("prompt_id", IDS)
    def test_langchain_returns_a_template_with_bound_variables(self, render, examples, prompt_id):
        template = render(examples, prompt_id, inputs(prompt_id), "langchain")
        said = template.format_messages() if hasattr(template, "format_messages") else template.format()
        if isinstance(said, str):
            assert said == examples.render_sync(prompt_id, inputs(prompt_id))
        else:
            expected = examples.render_messages_sync(prompt_id, inputs(prompt_id))
            assert [message.content for message in said] == [message.get("content") or "" for message in expected]

    def test_langchain_binds_variables_before_validation(self, render, manager):
        manager.register_schema("visit", VISIT)
        variables = {"name": {}, "count": {}, "mood": {"default": "glad"}}
        template = {"content": "{{name}} {{count}} {{mood}}", "variables": variables}
        manager.registry.register_sync(
            create_text_prompt(id="visit", status="active", template=template, input_schema="visit")
        )
        assert render(manager, "visit", {"name": "Ada", "count": "3"}, "langchain").format() == "Ada 3 glad"

    def test_langchain_without_its_package_says_what_to_install(self):
        code = """
import sys
sys.modules["langchain_core"] = None
from prompt_manager import PromptManager
from prompt_manager.exceptions import IntegrationNotAvailableError
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
print("langchain" in manager.discover_plugins(), "logging" in sys.modules)
print(*[(info.is_available, info.reason) for info in manager.plugins.list() if info.name == "langchain"])
print(manager.plugins.get_stats()["available_plugins"], manager.plugins.get_stats()["total_plugins"])
for _ in range(2):
    try:
        manager.render_for_plugin_sync("greeting", {"name": "Ada", "role": "engineer"}, "langchain")
    except IntegrationNotAvailableError as error:
        print(error)
print(manager.render_for_plugin_sync("greeting", {"name": "Ada", "role": "engineer"}, "openai"))
"""
        refusal = f"LangChain integration not available. Install with: pip install {DISTRIBUTION}[langchain]"
        assert run_python(code).splitlines() == [
            "True False",
            f"(False, {refusal!r})",
            "5 6",
            refusal,
            refusal,
            "Hello Ada! Your role is engineer.",
        ]


class TestVariables:
    def test_plugins_get_validated_variables_with_defaults(self, render, manager):
        plugin = Keeping()
        manager.register_plugin(plugin)
        manager.register_schema("visit", VISIT)
        variables = {"name": {}, "count": {}, "mood": {"default": "glad"}}
        manager.registry.register_sync(
            create_text_prompt(
                id="visit",
                status="active",
                template={"content": "{{name}} {{count}} {{mood}}", "variables": variables},
                input_schema="visit",
            )
        )
        assert render(manager, "visit", {"name": "Ada", "count": "3"}, "keeping") == {"kept": "Ada 3 glad"}
        assert plugin.handed == [{"name": "Ada", "count": 3, "mood": "glad"}]
        assert isinstance(plugin.handed[0], dict)
        assert render(manager, "visit", {"name": "Ada", "count": "3"}, "openai") == "Ada 3 glad"

    def test_variables_converted_by_a_model_are_not_converted_again(self, render, manager):
        class Visit(BaseModel):
            name: str = Field(alias="givenName")

        manager.register_plugin(Keeping())
        manager.register_schema("visit", Visit)
        manager.registry.register_sync(
            create_text_prompt(id="visit", status="active", template="Hi {{name}}", input_schema="visit")
        )
        assert render(manager, "visit", {"givenName": "Ada"}, "keeping") == {"kept": "Hi Ada"}

    def test_variables_of_another_prompt_are_checked_again(self, manager):
        plugin = Keeping()
        manager.register_plugin(plugin)
        manager.render_for_plugin_sync("greeting", {"name": "Ada"}, "keeping")
        (handed,) = plugin.handed
        other = create_text_prompt(id="other", template={"content": "{{name}}", "variables": {"name": "integer"}})
        with pytest.raises(ConversionError, match="variable 'name' must be of type integer"):
            plugin.integration.convert_sync(other, handed)
        same = manager.get_prompt_sync("greeting").replace(
            template={"content": "{{name}}", "variables": {"name": "integer"}}
        )
        with pytest.raises(ConversionError, match="must be of type integer"):
            plugin.integration.convert_sync(same, {**handed})

    def test_variables_can_be_a_model_a_mapping_or_none(self, render, manager):
        class Values(BaseModel):
            name: str

        manager.registry.register_sync(create_text_prompt(id="still", template="Still.", status="active"))
        plugin = Keeping()
        manager.register_plugin(plugin)
        assert render(manager, "greeting", Values(name="Ada"), "keeping") == {"kept": "Hello Ada!"}
        assert plugin.handed == [{"name": "Ada"}]
        assert render(manager, "still", None, "keeping") == {"kept": "Still."}
        with pytest.raises(TypeError, match="variables must be a mapping"):
            render(manager, "greeting", ["Ada"], "keeping")

    def test_a_generator_as_a_variable_is_read_once(self, render, manager):
        manager.registry.register_sync(
            create_text_prompt(id="list", template="{{#each items}}{{this}};{{/each}}", status="active")
        )
        assert render(manager, "list", {"items": (n for n in "abc")}, "openai") == "a;b;c;"

    def test_missing_variables_are_an_error_before_the_plugin_runs(self, render, manager):
        plugin = Keeping()
        manager.register_plugin(plugin)
        with pytest.raises(ConversionError) as caught:
            render(manager, "greeting", {"nmae": SECRET}, "keeping")
        assert "Failed to convert prompt 'greeting' to keeping format: Missing variable 'name'" in str(caught.value)
        assert isinstance(caught.value.__cause__, TemplateRenderError)
        assert SECRET not in everything_said_by(caught.value)
        assert plugin.handed == []

    def test_schema_violations_are_all_reported(self, render, manager):
        manager.register_schema("visit", VISIT)
        manager.registry.register_sync(create_text_prompt(id="visit", status="active", input_schema="visit"))
        with pytest.raises(SchemaValidationError) as caught:
            render(manager, "visit", {"name": "Ada", "count": SECRET}, "openai")
        assert [violation["path"] for violation in caught.value.errors] == ["count"]
        assert SECRET not in everything_said_by(caught.value)


class TestPlugins:
    def test_a_version_or_label_can_be_chosen(self, render, manager):
        manager.registry.register_sync(create_text_prompt(version="2.0.0", template="Hi {{name}}", status="active"))
        manager.set_label_sync("greeting", "production", "1.0.0")
        assert render(manager, "greeting", {"name": "Ada"}, "openai") == "Hi Ada"
        assert render(manager, "greeting", {"name": "Ada"}, "openai", version="1.0.0") == "Hello Ada!"
        assert render(manager, "greeting", {"name": "Ada"}, "openai", label="production") == "Hello Ada!"
        with pytest.raises(VersionNotFoundError):
            render(manager, "greeting", {"name": "Ada"}, "openai", version="3.0.0")

    def test_a_registered_plugin_replaces_an_installed_one(self, render, manager):
        manager.register_plugin(Keeping("openai"))
        assert render(manager, "greeting", {"name": "Ada"}, "openai") == {"kept": "Hello Ada!"}
        assert "openai" not in manager.discover_plugins()
        assert render(manager, "greeting", {"name": "Ada"}, "openai") == {"kept": "Hello Ada!"}

    def test_a_plugin_is_initialized_once_with_manager_and_config(self, render, manager):
        plugin = Keeping()
        manager.register_plugin(plugin, config={"key": "k"})
        for _ in range(3):
            render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert plugin.initialized == 1
        assert plugin.config["template_engine"] is manager.template_engine
        assert plugin.config["schemas"].names() == manager.schemas.names()
        assert plugin.config["key"] == "k"

    def test_an_initialized_plugin_is_not_initialized_again(self, render, manager):
        plugin = Keeping()
        plugin.initialize_sync({"template_engine": manager.template_engine, "schemas": None, "key": "mine"})
        manager.register_plugin(plugin)
        render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert (plugin.initialized, plugin.config["key"]) == (1, "mine")

    def test_a_failed_initialization_is_tried_again(self, render, manager):
        class Later(Keeping):
            async def _initialize_impl(self, config):
                await super()._initialize_impl(config)
                if self.initialized == 1:
                    raise OSError(SECRET)

        manager.register_plugin(Later())
        with pytest.raises(PluginLoadError, match=r"Failed to initialize plugin 'keeping' .*OSError") as caught:
            render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert SECRET not in everything_said_by(caught.value)
        assert isinstance(caught.value.__cause__, OSError)
        assert render(manager, "greeting", {"name": "Ada"}, "keeping") == {"kept": "Hello Ada!"}

    def test_an_exception_of_a_plugin_reaches_the_caller(self, render, manager):
        class Raising(Keeping):
            async def render_for_framework(self, prompt, variables):
                raise LookupError(prompt.id)

        manager.register_plugin(Raising())
        with pytest.raises(LookupError, match="greeting"):
            render(manager, "greeting", {"name": "Ada"}, "keeping")

    def test_an_unknown_plugin_is_an_error_with_a_suggestion(self, render, manager):
        with pytest.raises(PluginNotFoundError, match="no plugin is named 'opnai': did you mean 'openai'"):
            render(manager, "greeting", {"name": "Ada"}, "opnai")

    def test_an_unknown_prompt_is_an_error(self, render, manager):
        with pytest.raises(PromptNotFoundError):
            render(manager, "nothing", {}, "openai")

    async def test_an_async_plugin_cannot_render_sync_in_a_running_loop(self, manager):
        manager.register_plugin(Keeping())
        with pytest.raises(RuntimeError, match=r"Keeping.*await render_for_plugin\("):
            manager.render_for_plugin_sync("greeting", {"name": "Ada"}, "keeping")
        assert await manager.render_for_plugin("greeting", {"name": "Ada"}, "keeping") == {"kept": "Hello Ada!"}

    async def test_a_plugin_with_sync_methods_works_in_a_running_loop(self, manager):
        class Both(Keeping):
            def initialize_sync(self, config=None):
                self.integration = OpenAIIntegration(config["template_engine"])
                self._initialized = True

            async def initialize(self, config=None):
                self.initialize_sync(config)

            def render_for_framework_sync(self, prompt, variables):
                return self.integration.convert_sync(prompt, variables)

            async def render_for_framework(self, prompt, variables):
                return self.render_for_framework_sync(prompt, variables)

        manager.register_plugin(Both())
        assert manager.render_for_plugin_sync("greeting", {"name": "Ada"}, "keeping") == "Hello Ada!"

    async def test_concurrent_tasks_initialize_a_plugin_once(self, manager):
        class Slow(Keeping):
            async def _initialize_impl(self, config):
                await asyncio.sleep(0.01)
                await super()._initialize_impl(config)

        plugin = Slow()
        manager.register_plugin(plugin)
        await asyncio.gather(*(manager.render_for_plugin("greeting", {"name": "Ada"}, "keeping") for _ in range(8)))
        assert plugin.initialized == 1

    def test_closing_the_manager_shuts_plugins_down(self, render):
        plugin = Keeping()
        with PromptManager() as manager:
            manager.registry.register_sync(create_text_prompt(status="active"))
            manager.register_plugin(plugin)
            render(manager, "greeting", {"name": "Ada"}, "keeping")
            assert plugin.is_initialized
        assert not plugin.is_initialized
        render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert plugin.initialized == 2

        async def end():
            await manager.close()

        asyncio.run(end())
        assert not plugin.is_initialized


class Watching:
    """An observer with coroutines and plain functions, which records its events."""

    def __init__(self):
        self.events = []

    async def on_render_start(self, prompt_id, version, variables):
        self.events.append(("start", prompt_id, version, dict(variables)))

    def on_render_complete(self, prompt_id, version, execution):
        self.events.append(("complete", prompt_id, version, execution.rendered_content))

    def on_render_error(self, prompt_id, version, error):
        self.events.append(("error", prompt_id, version, type(error)))


class TestObservers:
    def test_observers_get_events_of_a_plugin_render(self, render, manager):
        watching = Watching()
        manager.add_observer(watching)
        manager.register_plugin(Keeping())
        render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert watching.events == [
            ("start", "greeting", "1.0.0", {"name": "Ada"}),
            ("complete", "greeting", "1.0.0", '{"kept": "Hello Ada!"}'),
        ]

    def test_observers_get_one_error_event_for_a_failed_render(self, render, manager):
        watching = Watching()
        manager.add_observer(watching)
        with pytest.raises(ConversionError):
            render(manager, "greeting", {}, "openai")
        assert [event[0] for event in watching.events] == ["start", "error"]

    def test_observers_get_results_that_are_not_json(self, render, manager):
        class Odd:
            def __str__(self):
                return "odd thing"

        class Opaque(Keeping):
            async def render_for_framework(self, prompt, variables):
                return {"it": Odd(), ("a", "pair"): 1} if variables["name"] == "pair" else Odd()

        watching = Watching()
        manager.add_observer(watching)
        manager.register_plugin(Opaque())
        render(manager, "greeting", {"name": "Ada"}, "keeping")
        assert watching.events[-1][-1] == '"odd thing"'
        render(manager, "greeting", {"name": "pair"}, "keeping")
        assert "('a', 'pair'): 1" in watching.events[-1][-1]


def test_a_built_in_plugin_loads_no_asyncio_and_no_sdk():
    code = """
import sys
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
before = set(sys.modules)
manager.render_for_plugin_sync("greeting", {"name": "Ada", "role": "engineer"}, "openai")
loaded = {name.partition(".")[0] for name in sys.modules}
print(*sorted(loaded & {"asyncio", "logging", "openai", "anthropic", "langchain_core", "litellm"}))
"""
    assert run_python(code).split() == []


class Warming(BasePlugin):
    """A plugin that renders with a plugin while it is initialized."""

    def __init__(self, name, manager, other, *, blocks=False):
        super().__init__(name=name, version="1.0.0")
        self.manager, self.other, self.blocks = manager, other, blocks

    async def _initialize_impl(self, config):
        await asyncio.sleep(0)
        arguments = ("greeting", {"name": "Ada"}, self.other)
        if self.blocks:
            await asyncio.to_thread(self.manager.render_for_plugin_sync, *arguments)
        else:
            await asyncio.create_task(self.manager.render_for_plugin(*arguments))

    async def render_for_framework(self, prompt, variables):
        return f"{self.name}: {variables['name']}"


class TestRenderWhileInitializing:
    @pytest.mark.parametrize("blocks", [False, True])
    def test_a_plugin_that_renders_for_itself_gets_an_error(self, render, manager, blocks):
        manager.register_plugin(Warming("warming", manager, "warming", blocks=blocks))
        with pytest.raises(PluginLoadError, match=r"'warming' .* is asked to render before its `initialize` has ended"):
            render(manager, "greeting", {"name": "Ada"}, "warming")

    def test_two_plugins_that_need_each_other_get_an_error(self, render, manager):
        manager.register_plugin(Warming("first", manager, "second"))
        manager.register_plugin(Warming("second", manager, "first"))
        with pytest.raises(PluginLoadError, match=r"'first' .* is asked to render before its `initialize` has ended"):
            render(manager, "greeting", {"name": "Ada"}, "first")

    async def test_two_plugins_that_wait_for_each_other_get_an_error(self, manager):
        for name, other in (("first", "second"), ("second", "third"), ("third", "first")):
            manager.register_plugin(Warming(name, manager, other))
        renders = (manager.render_for_plugin("greeting", {"name": "Ada"}, name) for name in ("first", "second"))
        answers = await asyncio.wait_for(asyncio.gather(*renders, return_exceptions=True), 20)
        for answer in answers:
            assert isinstance(answer, PluginLoadError)
            assert "so the render would wait for itself" in str(answer)

    def test_a_plugin_may_render_with_another_plugin(self, render, manager):
        manager.register_plugin(Warming("warming", manager, "openai"))
        assert render(manager, "greeting", {"name": "Ada"}, "warming") == "warming: Ada"

    async def test_first_renders_at_the_same_time_wait_for_each_other(self, manager):
        manager.register_plugin(Warming("warming", manager, "openai"))
        renders = (manager.render_for_plugin("greeting", {"name": "Ada"}, "warming") for _ in range(5))
        assert await asyncio.gather(*renders) == ["warming: Ada"] * 5
