"""Prompts over the Model Context Protocol: entries, results, arguments as texts, and a real server and client."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers import chat_of, everything_said_by
from prompt_manager import Prompt
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import PromptConversionWarning
from prompt_manager.integrations.mcp import to_mcp_prompt, to_mcp_result

pytestmark = [pytest.mark.unit, pytest.mark.newest]

PNG = "iVBORw0K"
TYPED = Prompt(
    id="summary",
    format="text",
    template="{{#each points}}{{this}};{{/each}} {{limit}} {{#if brief}}brief{{/if}} {{rate}} {{meta.a}}",
    variables={
        "points": "list",
        "limit": {"type": "integer", "description": "How many"},
        "brief": {"type": "boolean", "default": False},
        "rate": "float",
        "meta": "dict",
    },
    metadata={"description": "Sums up"},
)
VALUES = {"points": '["a", "b"]', "limit": "3", "brief": "true", "rate": "0.5", "meta": '{"a": 1}'}


def result(prompt, arguments=None, **options):
    from mcp.types import GetPromptResult

    made = to_mcp_result(prompt, arguments, **options)
    GetPromptResult.model_validate(made)
    return made


def test_an_entry_has_the_variables_as_arguments():
    from mcp.types import Prompt as Entry

    entry = to_mcp_prompt(TYPED)
    Entry.model_validate(entry)
    assert (entry["name"], entry["description"]) == ("summary", "Sums up")
    arguments = {argument["name"]: argument for argument in entry["arguments"]}
    assert arguments["limit"] == {"name": "limit", "description": "How many", "required": True}
    assert arguments["brief"]["required"] is False


def test_texts_become_values_of_the_declared_types():
    made = result(TYPED, VALUES)
    assert made == {
        "description": "Sums up",
        "messages": [{"role": "user", "content": {"type": "text", "text": "a;b; 3 brief 0.5 1"}}],
    }


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("limit", "many", "integer"),
        ("limit", "1_000", "integer"),
        ("limit", "3.5", "integer"),
        ("brief", "yes", "boolean"),
        ("points", '{"a": 1}', "list"),
        ("points", "[" * 100_000, "list"),
        ("meta", "{", "dict"),
        ("meta", '{"a": 1, "a": 2}', "dict"),
        ("rate", "nan", "float"),
        ("rate", "1e400", "float"),
        ("points", "[-1e400]", "list"),
        ("rate", "-Infinity", "float"),
        ("rate", "\u0663", "float"),
    ],
    ids=lambda value: value[:20],
)
def test_a_text_of_another_type_is_an_error_that_names_the_argument(name, text, kind):
    with pytest.raises(ConversionError, match=f"argument '{name}' of prompt 'summary' is no {kind}") as caught:
        to_mcp_result(TYPED, {**VALUES, name: text})
    assert caught.value.context["hint"].startswith("write it as")
    assert text not in everything_said_by(caught.value).replace(caught.value.context["hint"], "").split("'")


@pytest.mark.parametrize(
    ("kind", "text", "wrong"),
    [
        ("date", "2026-01-02", "2026-13-02"),
        ("datetime", "2026-01-02T03:04:05Z", "2026-01-02"),
        ("uuid", "12345678123456781234567812345678", "1234"),
        ("uuid", "12345678-1234-5678-1234-567812345678", '{"a": 1}'),
    ],
)
def test_dates_times_and_uuids_are_texts(kind, text, wrong):
    prompt = Prompt(id="p", template="{{a}}", variables={"a": kind})
    assert result(prompt, {"a": text})["messages"] == [{"role": "user", "content": {"type": "text", "text": text}}]
    with pytest.raises(ConversionError, match=f"variable 'a' of prompt 'p' must be of type {kind}"):
        to_mcp_result(prompt, {"a": wrong})


def test_an_optional_date_can_be_null():
    prompt = Prompt(
        id="p", template="{{#if a}}{{a}}{{else}}None{{/if}}", variables={"a": {"type": "date", "required": False}}
    )
    assert result(prompt, {"a": "null"})["messages"][0]["content"]["text"] == "None"


def test_a_missing_argument_is_an_error():
    with pytest.raises(ConversionError, match="limit"):
        to_mcp_result(TYPED, {key: value for key, value in VALUES.items() if key != "limit"})


def test_each_part_is_a_message_of_its_own():
    parts = [
        {"type": "text", "text": "T"},
        {"type": "image", "media_type": "image/png", "data": PNG},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}},
        {"type": "file", "text": "Water weekly."},
    ]
    made = result(chat_of({"role": "user", "content": parts}, {"role": "assistant", "content": "A"}))["messages"]
    assert [(each["role"], each["content"]["type"]) for each in made] == [
        ("user", "text"),
        ("user", "image"),
        ("user", "image"),
        ("user", "resource_link"),
        ("user", "audio"),
        ("user", "resource"),
        ("user", "resource"),
        ("assistant", "text"),
    ]
    assert made[5]["content"]["resource"]["blob"] == "JVBERi0x"


CALL = {"id": "c", "function": {"name": "f", "arguments": {}}}


@pytest.mark.parametrize(
    ("messages", "problem", "sent"),
    [
        ([{"role": "system", "content": "S"}], r"message 0 \(system\): MCP has no system messages", ["S"]),
        ([{"role": "user", "content": "U", "name": "Ada"}], r"message 0 \(user\): MCP does not accept `name`", ["U"]),
        (
            [{"role": "assistant", "content": "A", "tool_calls": [CALL]}],
            r"message 0 \(assistant\): MCP does not accept `tool_calls`",
            ["A"],
        ),
        (
            [{"role": "tool", "tool_call_id": "c", "content": "R"}, {"role": "user", "content": "U"}],
            r"message 0 \(tool\): MCP has no messages of tools",
            ["U"],
        ),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "file", "file": {"file_id": "f-1"}}, {"type": "text", "text": "T"}],
                }
            ],
            r"message 0 \(user\): part 0 is the id of an uploaded file",
            ["T"],
        ),
    ],
)
def test_what_mcp_cannot_express_is_refused_or_warned_of(messages, problem, sent):
    with pytest.raises(ConversionError, match=problem) as caught:
        to_mcp_result(chat_of(*messages))
    assert caught.value.context["hint"]
    with pytest.warns(PromptConversionWarning, match=problem):
        made = result(chat_of(*messages), strict_validation=False)
    assert [each["content"]["text"] for each in made["messages"]] == sent


async def test_a_server_and_a_client_exchange_prompts_over_stdio():
    from mcp import ClientSession, StdioServerParameters, stdio_client

    server = Path(__file__).parents[3] / "examples" / "integrations" / "mcp_server.py"
    parameters = StdioServerParameters(command=sys.executable, args=[str(server)])
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        listed = {prompt.name: prompt for prompt in (await session.list_prompts()).prompts}
        assert [argument.name for argument in listed["greeting"].arguments] == ["name", "role"]
        got = await session.get_prompt("greeting", {"name": "Ada", "role": "engineer"})
        [message] = got.messages
        assert (message.role, message.content.text) == ("user", "Hello Ada! Your role is engineer.")
        with pytest.raises(Exception, match="role"):
            await session.get_prompt("greeting", {"name": "Ada"})


CHOICES = Prompt(
    id="scale",
    format="text",
    template="{{size}} {{on}}",
    variables={
        "size": {"type": "enum", "values": [1, 2.5, "1", "big"]},
        "on": {"type": "enum", "values": [True, False]},
    },
)


@pytest.mark.parametrize(
    ("size", "on", "text"),
    [("2.5", "true", "2.5 true"), ("big", "False", "big false"), (" 2.5 ", "TRUE", "2.5 true")],
)
def test_one_of_the_values_is_given_as_text_or_json(size, on, text):
    assert result(CHOICES, {"size": size, "on": on})["messages"][0]["content"]["text"] == text


def test_what_is_none_of_the_values_is_an_error_with_the_values():
    with pytest.raises(ConversionError, match="argument 'size' of prompt 'scale' is none of its values") as caught:
        to_mcp_result(CHOICES, {"size": "9", "on": "true"})
    assert caught.value.context["hint"] == "write one of 1, 2.5, 1, big"


def test_arguments_that_are_no_mapping_are_an_error():
    with pytest.raises(ConversionError, match="arguments of prompt 'summary' must be a mapping of texts, not list"):
        to_mcp_result(TYPED, ["limit"])
    with pytest.raises(TypeError, match="not str"):
        to_mcp_prompt("summary")


def test_a_history_that_is_no_list_has_a_hint_with_messages():
    prompt = chat_of({"role": "placeholder", "name": "history"}, {"role": "user", "content": "U"})
    with pytest.raises(ConversionError, match="argument 'history' of prompt 'explain' is no list") as caught:
        to_mcp_result(prompt, {"history": "x"})
    assert '[{"role": "user", "content": "Hi"}]' in caught.value.context["hint"]


def test_an_empty_text_leaves_out_an_optional_argument():
    variables = {"n": {"type": "integer", "required": False}, "t": {"type": "string", "required": False}}
    prompt = Prompt(id="p", format="text", template="Top{{#if n}} {{n}}{{/if}}{{t}}", variables=variables)
    made = result(prompt, {"n": "", "t": ""})
    assert made["messages"][0]["content"]["text"] == "Top"
    required = Prompt(id="p", format="text", template="{{n}}", variables={"n": "integer"})
    with pytest.raises(ConversionError, match="argument 'n' of prompt 'p' is no integer"):
        to_mcp_result(required, {"n": ""})
