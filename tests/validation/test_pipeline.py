"""Schemas in renders, conversions and answers: input validation, output instructions and parsing."""

from __future__ import annotations

import asyncio
import json
import time
from types import MappingProxyType
from typing import Literal

import pytest
from pydantic import BaseModel, RootModel

from helpers import SECRET, chat_of, create_text_prompt, everything_said_by
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import (
    PromptManagerError,
    SchemaError,
    SchemaParseError,
    SchemaValidationError,
    TemplateRenderError,
)
from prompt_manager.integrations import AnthropicIntegration, OpenAIIntegration
from prompt_manager.validation import ParsedOutput, SchemaLoader

INPUT = {
    "name": "visit",
    "fields": [
        {"name": "name", "type": "string", "validators": [{"type": "min_length", "min_value": 2}]},
        {"name": "count", "type": "integer"},
        {"name": "mood", "type": "string", "default": "calm"},
    ],
}
OUTPUT = {
    "name": "answer",
    "fields": [{"name": "n", "type": "integer"}, {"name": "why", "type": "string", "default": ""}],
}
TEXT = {"template": "{{name}} came {{count}} times, {{mood}}."}
ANSWER = json.dumps({"n": 1, "why": "some text"}, separators=(",", ":"))


class Reply(BaseModel):
    n: int
    why: str = ""


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.register_schema("visit", INPUT)
    manager.register_schema("answer", OUTPUT)
    return manager


def add(manager, **changes):
    manager.registry.register_sync(create_text_prompt(id="p", status="active", **changes))


def add_chat(manager, *messages, **changes):
    manager.registry.register_sync(chat_of(*messages, id="p", status="active", **changes))


SYSTEM = {"role": "system", "content": "Be brief, {{name}}."}
USER = {"role": "user", "content": "{{name}} came {{count}} times, {{mood}}."}


class TestInput:
    def test_the_validated_input_is_rendered(self, manager):
        add(manager, **TEXT, input_schema="visit")
        assert manager.render_sync("p", {"name": "Ada", "count": "3"}) == "Ada came 3 times, calm."
        assert asyncio.run(manager.render("p", {"name": "Ada", "count": 3.0})) == "Ada came 3 times, calm."

    def test_invalid_input_lists_all_violations_without_values(self, manager):
        add(manager, **TEXT, input_schema="visit")
        with pytest.raises(SchemaValidationError) as caught:
            manager.render_sync("p", {"name": "A", "count": SECRET, "nme": 1})
        assert [(violation["path"], violation["rule"]) for violation in caught.value.errors] == [
            ("name", "min_length"), ("count", "type"), ("nme", "extra"),
        ]  # fmt: skip
        assert caught.value.context["prompt_id"] == "p"
        assert SECRET not in everything_said_by(caught.value)
        assert str(caught.value).startswith("the input of prompt 'p' does not fit schema 'visit': name: ")

    def test_a_missing_variable_is_still_a_render_error(self, manager):
        add(manager, **TEXT, input_schema="visit")
        with pytest.raises(TemplateRenderError, match="Missing variable 'count' for prompt 'p'"):
            manager.render_sync("p", {"name": "Ada"})

    def test_defaults_of_the_prompt_win_over_the_schema(self, manager):
        variables = {"name": {}, "count": {"default": 7}, "mood": {"default": "glad"}, "unused": {"default": 1}}
        add(manager, template={"content": TEXT["template"], "variables": variables}, input_schema="visit")
        assert manager.render_sync("p", {"name": "Ada"}) == "Ada came 7 times, glad."
        assert manager.render_sync("p", {"name": "Ada", "mood": "sad"}) == "Ada came 7 times, sad."

    @pytest.mark.parametrize("integration", [OpenAIIntegration, AnthropicIntegration])
    def test_every_integration_validates_the_input(self, manager, integration):
        add_chat(manager, SYSTEM, USER, input_schema="visit")
        convert = integration(manager.template_engine).convert_sync
        prompt = manager.get_prompt_sync("p")
        assert "Ada came 3 times, calm." in str(convert(prompt, {"name": "Ada", "count": "3"}))
        with pytest.raises(SchemaValidationError, match="count: must be an integer"):
            convert(prompt, {"name": "Ada", "count": "many"})

    def test_input_schema_may_be_a_model(self, manager):
        manager.register_schema("reply", Reply)
        add(manager, template="{{n}} {{why}}.", input_schema="reply")
        assert manager.render_sync("p", {"n": "3", "why": "so"}) == "3 so."
        assert manager.render_sync("p", {"n": "3"}) == "3 ."
        with pytest.raises(SchemaValidationError, match="n: "):
            manager.render_sync("p", {"n": "x"})

    def test_input_schema_may_be_an_inline_json_schema(self):
        document = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
        prompt = create_text_prompt(template="{{n}}", input_schema=document)
        integration = OpenAIIntegration(TemplateEngine())
        assert integration.convert_sync(prompt, {"n": 3, "more": 1}) == "3"
        with pytest.raises(SchemaValidationError, match="n: must be at most 9"):
            integration.convert_sync(prompt, {"n": 10})

    def test_an_unusable_inline_json_schema_is_refused_by_name(self):
        prompt = create_text_prompt(input_schema={"type": "object", "not": {}})
        with pytest.raises(
            SchemaParseError, match=r"`input_schema` of prompt 'greeting': .* a schema cannot express `not`"
        ):
            OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})


class Tree(RootModel[list["Tree"]]):
    """A list of lists."""


class TestInstructions:
    def test_instructions_are_appended_to_a_text(self, manager):
        add(manager, template="Count {{x}}.", output_schema="answer")
        rendered = manager.render_sync("p", {"x": "é"})
        assert rendered.startswith("Count é.\n\nAnswer with one JSON object and nothing else")
        assert rendered.endswith("\n\n" + ANSWER)
        assert manager.render_sync("p", {"x": 1}, output_instructions=False) == "Count 1."
        assert asyncio.run(manager.render("p", {"x": 1}, output_instructions=False)) == "Count 1."

    @pytest.mark.parametrize(
        ("messages", "at", "roles"),
        [
            ([USER], 0, ["system", "user"]),
            ([SYSTEM, USER], 0, ["system", "user"]),
            (
                [SYSTEM, {"role": "developer", "content": "More."}, USER, SYSTEM],
                1,
                ["system", "developer", "user", "system"],
            ),
        ],
    )
    def test_instructions_go_into_the_last_leading_system_message(self, manager, messages, at, roles):
        add_chat(manager, *messages, output_schema="answer")
        values = {"name": "Ada", "count": 1, "mood": "calm"}
        found = manager.render_messages_sync("p", values)
        assert [message["role"] for message in found] == roles
        assert [index for index, message in enumerate(found) if "Answer with one JSON" in message["content"]] == [at]
        assert found[at]["content"].endswith(ANSWER)
        without = manager.render_messages_sync("p", values, output_instructions=False)
        assert [message["role"] for message in without] == [message["role"] for message in messages]
        assert "Answer with" not in str(without)
        assert "Answer with one JSON" in manager.render_sync("p", values)

    @pytest.mark.parametrize(
        ("answer", "named"),
        [
            (list[int], "array"),
            (Tree, "array"),
            (int | list[int], "value"),
            (Literal["yes", "no"], "value"),
            (dict[str, int], "object"),
        ],
    )
    def test_instructions_name_the_kind_of_the_answer(self, manager, answer, named):
        manager.schemas.register_model("Answer", answer if answer is Tree else RootModel[answer])
        add(manager, template="Count.", output_schema="Answer")
        assert manager.render_sync("p", {}).startswith(f"Count.\n\nAnswer with one JSON {named} and nothing else")

    def test_instructions_become_a_separate_content_part(self, manager):
        parts = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
        add_chat(manager, parts, USER, output_schema="answer")
        (first, second) = manager.render_messages_sync("p", {"name": "A", "count": 1, "mood": "b"})[0]["content"]
        assert first["text"] == "Be brief."
        assert second["text"].startswith("Answer with one JSON object")

    def test_integrations_add_instructions_unless_switched_off(self, manager):
        add_chat(manager, USER, output_schema="answer")
        prompt, values = manager.get_prompt_sync("p"), {"name": "Ada", "count": 1, "mood": "calm"}
        engine = manager.template_engine
        assert OpenAIIntegration(engine).convert_sync(prompt, values)[0]["role"] == "system"
        assert AnthropicIntegration(engine).convert_sync(prompt, values)["system"].endswith(ANSWER)
        assert len(OpenAIIntegration(engine, output_instructions=False).convert_sync(prompt, values)) == 1
        assert "system" not in AnthropicIntegration(engine, output_instructions=False).convert_sync(prompt, values)
        assert len(OpenAIIntegration(engine).render_messages_sync(prompt, values)) == 2

    def test_instructions_describe_the_output_schema(self, manager):
        manager.register_schema("reply", Reply)
        add(manager, template="x", output_schema="reply")
        rendered = manager.render_sync("p", {})
        assert json.loads(rendered.split("\n\n")[2]) == Reply.model_json_schema()
        assert Reply.model_validate_json(rendered.split("\n\n")[4])

    def test_instructions_change_with_the_schema(self, manager):
        add(manager, template="x", output_schema="reply")
        manager.register_schema("reply", Reply)
        before = manager.render_sync("p", {})

        class Other(BaseModel):
            colour: str

        manager.register_schema("reply", Other)
        assert "colour" not in before
        assert "colour" in manager.render_sync("p", {})


class TestAbsentSchemas:
    def test_an_unknown_schema_is_an_error_when_it_is_needed(self):
        manager = PromptManager()
        add(manager, template="x", output_schema="answr")
        with pytest.raises(SchemaError, match="`output_schema` of prompt 'p': there is no schema 'answr'"):
            manager.render_sync("p", {})
        assert manager.render_sync("p", {}, output_instructions=False) == "x"
        manager.register_schema("answer", OUTPUT)
        with pytest.raises(SchemaError) as caught:
            manager.render_sync("p", {})
        assert caught.value.hint == "did you mean 'answer'?"

    def test_an_integration_takes_schemas_for_handmade_prompts(self):
        prompt = create_text_prompt(template="{{n}}", input_schema="number")
        engine = TemplateEngine()
        with pytest.raises(SchemaError, match="there is no schema 'number'"):
            OpenAIIntegration(engine).convert_sync(prompt, {"n": "3"})
        loader = SchemaLoader()
        loader.register({"name": "number", "coerce": False, "fields": [{"name": "n", "type": "integer"}]})
        given = OpenAIIntegration(engine, schemas=loader)
        assert given.convert_sync(prompt, {"n": 3}) == "3"
        with pytest.raises(SchemaValidationError):
            given.convert_sync(prompt, {"n": "3"})


class TestAnswers:
    @pytest.fixture
    def manager(self, manager):
        add(manager, template="Count {{x}}.", output_schema="answer")
        return manager

    def test_answers_are_validated(self, manager):
        assert manager.validate_output_sync("p", {"n": "3"}) == {"n": 3, "why": ""}
        assert asyncio.run(manager.validate_output("p", {"n": 3})) == {"n": 3, "why": ""}
        with pytest.raises(
            SchemaValidationError, match="the output of prompt 'p' does not fit schema 'answer': n: "
        ) as caught:
            manager.validate_output_sync("p", {"n": SECRET})
        assert SECRET not in everything_said_by(caught.value)

    def test_answers_are_parsed_and_validated(self, manager):
        found = manager.parse_output("p", 'Sure: {"n": 3,}')
        assert isinstance(found, ParsedOutput)
        assert (found.data, found.was_repaired, found.is_cut_off) == ({"n": 3, "why": ""}, True, False)
        assert [repair.kind for repair in found.repairs] == ["prose", "trailing_comma"]
        assert manager.parse_output("p", '{"n": 3}').repairs == ()
        assert manager.parse_output("p", '{"n": 3, "why": "beca').is_cut_off

    def test_unreadable_and_invalid_answers_raise_one_error_type(self, manager):
        for text in ("no idea", '{"n": "x"}', '{"why": "so"', "[1]"):
            with pytest.raises(SchemaValidationError) as caught:
                manager.parse_output("p", text)
            assert caught.value.errors
        with pytest.raises(SchemaValidationError, match="a comma before a closing bracket"):
            manager.parse_output("p", '{"n": 3,}', strict=True)

    def test_errors_do_not_contain_the_answer(self, manager):
        for text in (f"{SECRET}", f'{{"n": "{SECRET}"}}', f'{{"n": {SECRET}}}'):
            with pytest.raises(SchemaValidationError) as caught:
                manager.parse_output("p", text)
            assert SECRET not in everything_said_by(caught.value)

    def test_answers_without_a_schema_are_only_parsed(self, manager):
        add(manager, version="2.0.0", template="x")
        assert manager.parse_output("p", "[1, 2]").data == [1, 2]
        assert manager.validate_output_sync("p", "anything") == "anything"

    def test_answers_for_a_model_are_its_instances(self, manager):
        manager.register_schema("reply", Reply)
        add(manager, version="2.0.0", template="x", output_schema="reply")
        assert manager.parse_output("p", '{"n": 1}').data == Reply(n=1)

    def test_render_and_parse_calls_the_model_function(self, manager):
        seen = []

        def model(rendered):
            seen.append(rendered)
            return '```json\n{"n": 4}\n```'

        async def waiting(rendered):
            await asyncio.sleep(0)
            return model(rendered)

        assert manager.render_and_parse_sync("p", {"x": 1}, model) == {"n": 4, "why": ""}
        assert asyncio.run(manager.render_and_parse("p", {"x": 1}, model)) == {"n": 4, "why": ""}
        assert asyncio.run(manager.render_and_parse("p", {"x": 1}, waiting)) == {"n": 4, "why": ""}
        assert seen == [manager.render_sync("p", {"x": 1})] * 3
        with pytest.raises(TypeError, match=r"use `await manager\.render_and_parse"):
            manager.render_and_parse_sync("p", {"x": 1}, waiting)

    @pytest.mark.parametrize("how", ["sync", "async"])
    @pytest.mark.parametrize("chat", [False, True])
    def test_render_and_parse_notifies_observers(self, manager, how, chat):
        if chat:
            add_chat(manager, USER, version="2.0.0", output_schema="answer")
        events = []

        class Observer:
            async def on_render_start(self, prompt_id, version, variables):
                events.append(("start", prompt_id, version, dict(variables)))

            def on_render_complete(self, prompt_id, version, execution):
                events.append(("complete", prompt_id, version, execution.rendered_content))

            def on_render_error(self, prompt_id, version, error):
                events.append(("error", prompt_id, version, type(error).__name__))

        def render_and_parse(variables):
            seen = []

            def model(rendered):
                seen.append(rendered)
                return '{"n": 1}'

            if how == "sync":
                manager.render_and_parse_sync("p", variables, model)
            else:
                asyncio.run(manager.render_and_parse("p", variables, model))
            return seen[0]

        manager.add_observer(Observer())
        given = {"name": "Ada", "count": 1, "mood": "x", "x": 1}
        rendered = render_and_parse(given)
        content = json.dumps(rendered) if chat else rendered
        version = "2.0.0" if chat else "1.0.0"
        assert events == [("start", "p", version, given), ("complete", "p", version, content)]
        del events[:]
        with pytest.raises(PromptManagerError) as caught:
            render_and_parse({})
        assert events == [("start", "p", version, {}), ("error", "p", version, type(caught.value).__name__)]

    def test_render_and_parse_can_leave_out_instructions(self, manager):
        seen = []

        def model(rendered):
            seen.append(rendered)
            return '{"n": 1}'

        manager.render_and_parse_sync("p", {"x": 1}, model, output_instructions=False)
        asyncio.run(manager.render_and_parse("p", {"x": 1}, model, output_instructions=False))
        assert seen == [manager.render_sync("p", {"x": 1}, output_instructions=False)] * 2

    def test_render_and_parse_accepts_a_finished_answer(self, manager):
        assert manager.render_and_parse_sync("p", {"x": 1}, '{"n": 4}') == {"n": 4, "why": ""}
        assert manager.render_and_parse_sync("p", {"x": 1}, {"n": 4}) == {"n": 4, "why": ""}

    def test_render_and_parse_passes_messages_of_a_chat(self, manager):
        add_chat(manager, USER, version="2.0.0", output_schema="answer")
        seen = []

        def model(messages):
            seen.extend(messages)
            return '{"n": 1}'

        manager.render_and_parse_sync("p", {"name": "Ada", "count": 1, "mood": "x"}, model)
        assert [message["role"] for message in seen] == ["system", "user"]


class TestLoading:
    def test_schema_dir_gives_the_manager_its_schemas(self, manager, tmp_path):
        (tmp_path / "s.yaml").write_text("schemas:\n  - {name: a, fields: []}\n  - {name: b, extends: a}\n")
        assert manager.load_schemas_sync(tmp_path) == 2
        assert asyncio.run(manager.load_schemas(tmp_path / "s.yaml")) == 2
        assert manager.schemas.names() == ["a", "answer", "b", "visit"]
        assert manager.schemas.get_schema("b").extends == "a"

    def test_loading_prompts_checks_references_of_schemas(self, tmp_path, directory):
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas" / "s.yaml").write_text("schemas:\n  - {name: a, extends: gone}\n")
        root = directory({"p.yaml": "id: p\nformat: text\ntemplate: x\ninput_schema: a\n"})
        from prompt_manager.exceptions import StorageReadError

        with pytest.raises(StorageReadError) as caught:
            PromptManager.from_directory_sync(root, schema_dir=tmp_path / "schemas")
        (error,) = caught.value.errors
        assert (error.message, error.line) == ("schema 'a' extends 'gone', but no such schema exists", 2)

    def test_a_schema_is_registered_only_under_its_own_name(self, manager):
        message = "the schema is named 'visit': register it as 'visit', not as 'other'"
        with pytest.raises(SchemaParseError, match=message):
            manager.register_schema("other", INPUT)
        with pytest.raises(TypeError, match="a pydantic model is needed, not int"):
            manager.register_schema("other", int)

    def test_a_schema_without_a_name_gets_the_name_under_which_it_is_registered(self, manager):
        schema = {"fields": INPUT["fields"]}
        for name, given in (("call", schema), ("order", MappingProxyType(schema))):
            manager.register_schema(name, given)
            assert manager.schemas.get_schema(name).name == name
        assert "name" not in schema


def test_a_reload_replaces_the_schemas_too(tmp_path, directory):
    root = directory({"p.yaml": "id: p\nformat: text\ntemplate: '{{n}}'\ninput_schema: s\n"})
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    file = schemas / "s.yaml"
    file.write_text("schemas:\n  - name: s\n    fields: [{name: n, type: string}]\n")
    manager = PromptManager.from_directory_sync(root, schema_dir=schemas, watch=True)
    try:
        assert manager.render_sync("p", {"n": "x"}) == "x"
        file.write_text("schemas:\n  - name: s\n    fields: [{name: n, type: integer}]\n")
        end = time.monotonic() + 10
        while manager.schemas.get_schema("s").fields[0].type != "integer":
            assert time.monotonic() < end, "the schema is still the old one after ten seconds"
            time.sleep(0.005)
        with pytest.raises(SchemaValidationError):
            manager.render_sync("p", {"n": "x"})
    finally:
        manager.close_sync()


def test_a_prompt_from_a_manager_keeps_its_schemas(manager):
    add(manager, **TEXT, input_schema="visit")
    prompt = manager.get_prompt_sync("p")
    assert isinstance(prompt, Prompt)
    assert (
        OpenAIIntegration(manager.template_engine).convert_sync(prompt, {"name": "Ada", "count": "2"})
        == "Ada came 2 times, calm."
    )
