"""An application written for ``agentic-prompt-manager`` 0.1.0 keeps working: its names, arguments and texts."""

from __future__ import annotations

import importlib
import json
import typing

import pytest

from helpers import EXAMPLES, ROOT, SECRET, create_chat_prompt, create_text_prompt
from prompt_manager import Prompt, PromptManager, PromptRegistry, TemplateEngine, VersionStore
from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.core.template import ChatTemplateEngine
from prompt_manager.exceptions import (
    ConversionError,
    IncompatibleFormatError,
    IntegrationError,
    IntegrationNotAvailableError,
    PluginError,
    PromptNotFoundError,
    PromptValidationError,
    TemplateRenderError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    types,
    utils,
)
from prompt_manager.plugins import PluginRegistry
from prompt_manager.storage import FileSystemStorage, InMemoryStorage


@pytest.fixture
def manager():
    return PromptManager(PromptRegistry(), VersionStore())


class TestWrites:
    async def test_created_by_is_the_author_of_a_version(self, manager):
        prompt = await manager.create_prompt(create_text_prompt(status="active"), created_by="Ada")
        raised = await manager.update_prompt(prompt, template="Hi {{name}}", bump_version=True, created_by="Bo")
        assert raised.version == "1.0.1"
        history = manager.get_history_sync("greeting")
        assert [(record.version, record.created_by) for record in history] == [("1.0.1", "Bo"), ("1.0.0", "Ada")]

    async def test_bump_version_false_keeps_the_version(self, manager):
        draft = await manager.create_prompt(create_text_prompt())
        changed = await manager.update_prompt(draft, template="Hi {{name}}", bump_version=False)
        assert (changed.version, changed.template.content) == ("1.0.0", "Hi {{name}}")
        active = manager.update_prompt_sync(changed, status="active", bump_version=False)
        assert (active.version, active.status) == ("1.0.0", "active")
        with pytest.raises(VersionConflictError, match="save the change as a new version"):
            manager.update_prompt_sync(active, template="Bye {{name}}", bump_version=False)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"author": "Ada", "created_by": "Bo"}, "`author` and `created_by` are the same"),
            ({"bump": "major", "bump_version": False}, "bump_version=False keeps the version, and bump='major' raises"),
            ({"bump_verison": True}, "'bump_verison'; did you mean 'bump_version'"),
            ({"create_by": "Ada"}, "'create_by'; did you mean 'created_by'"),
            ({"chnagelog": "x"}, "'chnagelog'; did you mean 'changelog'"),
        ],
    )
    def test_options_that_contradict_or_do_not_exist_are_errors(self, manager, options, said):
        prompt = manager.create_prompt_sync(create_text_prompt())
        with pytest.raises(TypeError, match=said):
            manager.update_prompt_sync(prompt, **options)

    async def test_persist_false_leaves_the_storage_alone(self):
        registry = PromptRegistry(InMemoryStorage())
        prompt = create_text_prompt()
        await registry.register(prompt, persist=False)
        await registry.update(prompt.replace(template="Hi {{name}}"), persist=False)
        assert registry.get_sync("greeting").template.content == "Hi {{name}}"
        assert registry.storage.list_sync() == []
        registry.register_sync(create_chat_prompt())
        registry.delete_sync("explain", persist=False)
        assert not registry.exists_sync("explain")
        assert registry.storage.exists_sync("explain")

    def test_a_storage_takes_its_directory_as_base_path(self, tmp_path):
        FileSystemStorage(base_path=tmp_path).save_sync(create_text_prompt())
        assert FileSystemStorage(tmp_path).exists_sync("greeting")
        for arguments in ((), (tmp_path,)):
            with pytest.raises(TypeError, match="needs its directory as `path`"):
                FileSystemStorage(*arguments, base_path=tmp_path if arguments else None)

    def test_validating_by_a_schema_names_the_replacement(self, manager):
        manager.register_schema("point", {"name": "point", "fields": [{"name": "x", "type": "float"}]})
        with pytest.raises(PromptNotFoundError) as caught:
            manager.validate_output_sync("point", {"x": 1})
        assert "manager.schemas.validate_data_sync('point', data)" in str(caught.value)
        assert manager.schemas.validate_data_sync("point", {"x": 1}) == {"x": 1.0}
        manager.create_prompt_sync(create_text_prompt(id="point"))
        with pytest.raises(VersionNotFoundError, match=r"has no version 9\.0\.0"):
            manager.validate_output_sync("point", {"x": 1}, version="9.0.0")


class TestPrompts:
    @pytest.mark.parametrize(
        ("fields", "names"),
        [
            ({"format": "text", "template": "{{b}} {{#each a}}{{c}}{{/each}}"}, ["a", "b"]),
            ({"format": "text", "template": {"content": "{{own x}}", "variables": {"x": "string"}}}, ["x"]),
            (
                {
                    "format": "chat",
                    "chat_template": {
                        "messages": [{"role": "placeholder", "name": "h"}, {"role": "user", "content": "{{q}}"}]
                    },
                },
                ["q", "h"],
            ),
            ({"format": "text"}, []),
        ],
    )
    def test_variables_are_those_declared_or_read(self, fields, names):
        prompt = Prompt(id="p", **fields)
        assert prompt.variables == prompt.get_variables() == names

    def test_a_prompt_of_a_manager_knows_its_helpers(self):
        engine = TemplateEngine()
        engine.register_helper("shout", str.upper)
        manager = PromptManager(template_engine=engine)
        manager.create_prompt_sync(create_text_prompt(template="{{shout word}}"))
        assert manager.get_prompt_sync("greeting").variables == ["word"]

    def test_bump_version_returns_the_raised_version(self):
        prompt = create_text_prompt(version="1.2.3")
        raised = [prompt.bump_version(), *map(prompt.bump_version, ("major", "minor", "patch"))]
        assert raised == ["1.2.4", "2.0.0", "1.3.0", "1.2.4"]
        with pytest.raises(ValueError, match="level must be 'major', 'minor' or 'patch', not 'auto'"):
            prompt.bump_version("auto")

    def test_the_chat_engine_extracts_variables_from_messages(self):
        messages = [{"role": "system", "content": "{{b}}"}, {"role": "user", "content": "{{a}}"}]
        assert ChatTemplateEngine().extract_variables_from_messages(messages) == ["a", "b"]


class TestExceptions:
    @pytest.mark.parametrize(
        ("error", "message", "context"),
        [
            (PromptNotFoundError("p", "2.0.0"), "prompt 'p' has no version '2.0.0'", ("prompt_id", "version")),
            (PromptNotFoundError(prompt_id="p"), "no prompt has the id 'p'", ("prompt_id",)),
            (VersionNotFoundError("p", "2.0.0"), "prompt 'p' has no version '2.0.0'", ("prompt_id", "version")),
            (PromptValidationError("bad", [1]), "bad", ("errors",)),
            (ConversionError("bad", "p", "openai"), "bad", ("prompt_id", "framework")),
            (ConversionError("bad", line=3), "bad", ("line",)),
            (
                IncompatibleFormatError("text", "anthropic", ["chat", "completion"]),
                "anthropic does not support prompts of format text; it supports: chat, completion",
                ("prompt_format", "framework", "supported_formats"),
            ),
            (
                IncompatibleFormatError(prompt_format="text", framework="anthropic"),
                "anthropic does not support prompts of format text",
                ("prompt_format", "framework"),
            ),
            (
                IntegrationNotAvailableError("OpenAI"),
                f"OpenAI integration not available. Install with: pip install {DISTRIBUTION}[openai]",
                ("integration", "extra"),
            ),
            (
                TemplateRenderError("Hi {{name}}", {"name": SECRET}, ValueError(SECRET)),
                "the template cannot be rendered (ValueError)",
                (),
            ),
        ],
    )
    def test_constructors_take_the_published_arguments(self, error, message, context):
        assert (str(error), error.message, tuple(error.context)) == (message, message, context)

    def test_a_cause_is_chained(self):
        cause = ValueError("inner")
        for error in (ConversionError("bad", cause=cause), TemplateRenderError("Hi", {}, cause)):
            assert error.__cause__ is cause
            with pytest.raises(type(error)) as caught:
                raise error
            assert caught.value.__cause__ is cause

    def test_a_missing_version_is_a_missing_prompt(self, manager):
        manager.create_prompt_sync(create_text_prompt())
        with pytest.raises(PromptNotFoundError, match=r"has no version 9\.0\.0"):
            manager.get_prompt_sync("greeting", "9.0.0")


class TestIntegrations:
    @pytest.mark.parametrize(
        ("integration", "provider"),
        [(OpenAIIntegration, "OpenAI"), (AnthropicIntegration, "Anthropic"), (LiteLLMIntegration, "LiteLLM")],
    )
    @pytest.mark.parametrize("declared", [(), ("user_name",), {"user_name": "string"}])
    def test_a_missing_variable_has_the_documented_message(self, integration, provider, declared):
        chat = {"messages": [{"role": "user", "content": "Hi {{user_name}}"}], "variables": declared}
        prompt = Prompt(id="my_prompt", format="chat", chat_template=chat)
        with pytest.raises(ConversionError) as caught:
            integration(TemplateEngine()).convert_sync(prompt, {})
        message = f"Failed to convert prompt 'my_prompt' to {provider} format: Missing variable 'user_name'"
        assert caught.value.message == message
        assert caught.value.context["framework"] == provider.lower()

    def test_a_format_error_is_the_whole_first_line(self):
        with pytest.raises(IncompatibleFormatError) as caught:
            AnthropicIntegration(TemplateEngine()).convert_sync(create_text_prompt(id="x"), {"name": "Ada"})
        first, *rest = str(caught.value).splitlines()
        assert first == "Prompt 'x' uses TEXT format, but Anthropic requires CHAT format"
        assert rest == ["  hint: pass to_messages=True to send the text as a user message"]
        assert caught.value.context["framework"] == "anthropic"

    def test_langchain_errors_name_the_framework(self):
        prompt = create_text_prompt(template="Hello {{name.first}}")
        template = LangChainIntegration(TemplateEngine()).convert_sync(prompt, {})
        with pytest.raises(ConversionError) as caught:
            template.format(name="Ada")
        assert caught.value.context["framework"] == "langchain"

    def test_the_published_type_names_exist(self):
        assert types.LiteLLMCompletion == list[types.LiteLLMMessage]
        call: types.OpenAIFunctionCallDict = {"name": "f", "arguments": "{}"}
        assert typing.get_type_hints(types.OpenAIToolCallDict)["function"] is types.OpenAIFunctionCallDict
        assert call.keys() == types.OpenAIFunctionCallDict.__required_keys__
        assert "tool_call_id" in types.OpenAIMessageDict.__optional_keys__
        assert {"role", "content"} == types.AnthropicMessageDict.__optional_keys__
        assert "max_tokens" in types.AnthropicRequestDict.__optional_keys__

    def test_shared_functions_are_in_utils(self):
        assert utils.map_role("developer", "openai") == "developer"
        with pytest.raises(IntegrationError, match="First message must be from user"):
            utils.validate_alternation([{"role": "assistant"}])
        with pytest.raises(ConversionError, match="cannot become an f-string"):
            utils.handlebars_to_fstring("{{#if a}}b{{/if}}")


def test_a_registry_of_plugins_answers_has():
    plugins = PluginRegistry()
    assert not plugins.has("openai")
    plugins.discover_entry_points()
    assert plugins.has("openai")
    with pytest.raises(PluginError):
        plugins.get("mistral")


def test_every_published_name_is_where_it_was():
    names = json.loads((ROOT / "tests" / "data" / "published_names.json").read_text(encoding="utf-8"))
    assert names
    for module, listed in names.items():
        found = importlib.import_module(module)
        assert [name for name in listed if not hasattr(found, name)] == [], module


class TestArgumentsWithAnotherName:
    """Each has a row in docs/migration.md."""

    def test_an_answer_is_the_third_argument(self, manager):
        manager.register_schema("verdict", {"name": "verdict", "fields": [{"name": "ok", "type": "boolean"}]})
        manager.create_prompt_sync(create_text_prompt(output_schema="verdict"))
        answer = '{"ok": true}'
        assert manager.render_and_parse_sync("greeting", {"name": "Ada"}, answer) == {"ok": True}
        assert manager.render_and_parse_sync("greeting", {"name": "Ada"}, lambda _: answer) == {"ok": True}
        with pytest.raises(TypeError, match="llm_response"):
            manager.render_and_parse_sync("greeting", {"name": "Ada"}, llm_response=answer)

    def test_a_render_does_not_validate_answers(self, manager):
        manager.create_prompt_sync(create_text_prompt())
        with pytest.raises(TypeError, match="validate_output"):
            manager.render_sync("greeting", {"name": "Ada"}, validate_output=True)

    def test_schemas_have_a_path_and_helpers_a_function(self, manager):
        assert manager.load_schemas_sync(path=EXAMPLES / "schemas") > 0
        manager.template_engine.register_helper("twice", function=lambda text: text * 2)
        assert manager.template_engine.render_sync("{{twice a}}", {"a": "x"}) == "xx"

    def test_plugins_have_a_name(self):
        assert not PluginRegistry().has(name="openai")

    def test_the_published_filters_select_prompts(self, manager):
        manager.create_prompt_sync(create_text_prompt(metadata={"tags": ["a"], "category": "b"}, status="active"))
        (found,) = manager.list_prompts_sync(tags=["a"], status="active", category="b")
        assert found.id == "greeting"
        assert manager.registry.count_sync(status="active") == 1
