"""Agents of Pydantic AI from prompts, run with its test models."""

from __future__ import annotations

import json

import pytest

from helpers import chat_of
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    GeminiIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)
from prompt_manager.integrations.pydantic_ai import PydanticAIIntegration, to_agent_inputs
from prompt_manager.validation import SchemaLoader
from providers.samples import OUTPUT_SCHEMA

pytestmark = [pytest.mark.unit, pytest.mark.newest]

CALLS = [{"id": "c1", "function": {"name": "stock", "arguments": {"item": "fern"}}}]
PROMPT = chat_of(
    {"role": "system", "content": "You answer for {{company}}."},
    {"role": "placeholder", "name": "history", "optional": True},
    {"role": "user", "content": "{{question}}"},
    settings={"model": "openai:gpt-5", "temperature": 0.5, "max_tokens": 100, "stop": ["END"], "effort": "low"},
)
HISTORY = [
    {"role": "user", "content": "Is the fern in stock?"},
    {"role": "assistant", "content": "Let me see.", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": "3 left"},
    {"role": "assistant", "content": "3 are left."},
]
VALUES = {"company": "Acme", "question": "And moss?", "history": HISTORY}


async def test_an_agent_gets_instructions_history_and_settings():
    from pydantic_ai.messages import ModelMessagesTypeAdapter
    from pydantic_ai.models.test import TestModel

    inputs = to_agent_inputs(PROMPT, VALUES)
    assert inputs.instructions == "You answer for Acme."
    assert inputs.user_prompt == "And moss?"
    assert inputs.model == "openai:gpt-5"
    assert inputs.model_settings == {
        "temperature": 0.5,
        "max_tokens": 100,
        "stop_sequences": ["END"],
        "thinking": "low",
    }
    kinds = [[part.part_kind for part in message.parts] for message in inputs.message_history]
    assert kinds == [["user-prompt"], ["text", "tool-call"], ["tool-return"], ["text"]]
    assert inputs.message_history[2].parts[0].tool_name == "stock"
    ModelMessagesTypeAdapter.dump_json(inputs.message_history)

    model = TestModel(custom_output_text="Gladly.")
    run = await inputs.agent(model).run(**inputs.run_arguments())
    assert run.output == "Gladly."
    sent = run.all_messages()
    assert len(sent) == 6
    assert sent[-2].instructions == "You answer for Acme."


async def test_the_answer_has_the_type_of_the_output_schema():
    from pydantic_ai.models.test import TestModel

    prompt = chat_of({"role": "user", "content": "U"}, output_schema=OUTPUT_SCHEMA)
    inputs = to_agent_inputs(prompt, {})
    model = TestModel(custom_output_args={"answer": "yes", "sure": 1.0})
    run = await inputs.agent(model).run(**inputs.run_arguments())
    assert run.output == {"answer": "yes", "sure": 1.0}
    [tool] = model.last_model_request_parameters.output_tools
    assert tool.parameters_json_schema["required"] == ["answer"]


def test_the_schema_of_the_answer_is_sent_once():
    prompt = chat_of({"role": "system", "content": "S"}, {"role": "user", "content": "U"}, output_schema=OUTPUT_SCHEMA)
    assert to_agent_inputs(prompt, {}).instructions == "S"
    text = Prompt(id="hi", format="text", template="Hi", output_schema=OUTPUT_SCHEMA)
    assert to_agent_inputs(text, {}).user_prompt == "Hi"
    with pytest.warns(PromptConversionWarning, match="contains itself"):
        inputs = to_agent_inputs(
            chat_of({"role": "user", "content": "U"}, output_schema=RECURSIVE), {}, strict_validation=False
        )
    assert "JSON Schema" in inputs.instructions


async def test_an_answer_that_does_not_fit_goes_back_to_the_model():
    from pydantic_ai.messages import ModelResponse, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    answers = [{"answer": 5}, {"answer": "yes", "sure": 1}]
    asked = []

    def answer(messages, info):
        asked.append(messages[-1])
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, answers[len(asked) - 1])])

    inputs = to_agent_inputs(chat_of({"role": "user", "content": "U"}, output_schema=OUTPUT_SCHEMA), {})
    run = await inputs.agent(FunctionModel(answer)).run(**inputs.run_arguments())
    assert run.output == {"answer": "yes", "sure": 1}
    assert "answer" in str(asked[1].parts[0].content)


def test_parts_of_a_user_message_are_content_of_pydantic_ai():
    parts = [
        {"type": "text", "text": "T"},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png"}},
        {"type": "image", "media_type": "image/png", "data": "iVBORw0K"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}},
        {"type": "file", "url": "https://example.org/a.pdf"},
    ]
    content = to_agent_inputs(chat_of({"role": "user", "content": parts}), {}).user_prompt
    kinds = [each if isinstance(each, str) else each.kind for each in content]
    assert kinds == ["T", "image-url", "binary", "binary", "binary", "document-url"]
    assert content[2].data == b"\x89PNG\r\n"


def test_a_prompt_of_a_manager_keeps_its_schemas_and_a_text_is_the_user_prompt():
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi, {{name}}"))
    inputs = PydanticAIIntegration(manager.template_engine).convert_sync(manager.get_prompt_sync("hi"), {"name": "Ada"})
    assert (inputs.user_prompt, inputs.instructions, inputs.output_type) == ("Hi, Ada", None, str)
    assert inputs.message_history == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"role": "user", "content": "U", "name": "Ada"}, r"message 0 \(user\): Pydantic AI does not accept `name`"),
        (
            {"role": "user", "content": [{"type": "text", "text": "T"}, {"type": "file", "file": {"file_id": "f"}}]},
            r"message 0 \(user\): part 1 is the id of an uploaded file",
        ),
    ],
)
def test_what_pydantic_ai_cannot_express_is_refused_or_warned_of(message, problem):
    with pytest.raises(ConversionError, match=problem):
        to_agent_inputs(chat_of(message), {})
    with pytest.warns(PromptConversionWarning, match=f"{problem}.*left out"):
        to_agent_inputs(chat_of(message), {}, strict_validation=False)


def test_a_setting_that_pydantic_ai_lacks_is_left_out_with_a_warning():
    prompt = chat_of({"role": "user", "content": "U"}, settings={"verbosity": "low"})
    with pytest.warns(PromptConversionWarning, match=r"Pydantic AI does not accept `settings\.verbosity`; left out"):
        assert to_agent_inputs(prompt, {}).model_settings == {}


def test_settings_that_change_or_vanish_are_warned_of():
    settings = {"effort": "max", "openai": {"logprobs": True}}
    with pytest.warns(PromptConversionWarning) as caught:
        inputs = to_agent_inputs(chat_of({"role": "user", "content": "U"}, settings=settings), {})
    assert inputs.model_settings == {"thinking": "xhigh"}
    assert [str(each.message) for each in caught] == [
        "Pydantic AI has no effort `max`; sent as `xhigh`",
        "Pydantic AI does not accept `settings.openai`; left out",
    ]


def test_a_missing_variable_is_an_error_of_the_conversion():
    with pytest.raises(ConversionError, match="question"):
        to_agent_inputs(PROMPT, {"company": "Acme"})


async def test_a_last_message_of_the_assistant_is_refused_or_warned_of():
    from pydantic_ai.models.test import TestModel

    prompt = chat_of({"role": "user", "content": "U"}, {"role": "assistant", "content": "A"})
    problem = r"message 1 \(assistant\): the last message is from the assistant"
    with pytest.raises(ConversionError, match=problem) as caught:
        to_agent_inputs(prompt, {})
    assert caught.value.context["hint"] == "end with a user message"
    with pytest.warns(PromptConversionWarning, match=problem):
        inputs = to_agent_inputs(prompt, {}, strict_validation=False)
    run = await inputs.agent(TestModel(custom_output_text="asked")).run(**inputs.run_arguments())
    assert run.output == "A"


RECURSIVE = {
    "type": "object",
    "properties": {"node": {"$ref": "#/$defs/Node"}},
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
}


def list_schema():
    from pydantic import RootModel

    schemas = SchemaLoader()
    schemas.register_model("answers", RootModel[list[str]])
    return schemas


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"settings": {"seed": 1}, "tool_choice": "none"}, "does not get the `tool_choice` of a prompt"),
        ({"tools": [{"name": "f"}]}, r"Pydantic AI gets no tools of a prompt \(f\)"),
        ({"output_schema": RECURSIVE}, "the output schema contains itself"),
        ({"output_schema": "answers"}, "the output schema is not an object"),
    ],
    ids=["choice", "tools", "recursion", "schema"],
)
def test_what_an_agent_does_not_get_is_refused_or_warned_of(options, problem):
    prompt = chat_of({"role": "user", "content": "U"}, **options)
    with pytest.raises(ConversionError, match=problem):
        PydanticAIIntegration(TemplateEngine(), schemas=list_schema()).convert_sync(prompt, {})
    lenient = PydanticAIIntegration(TemplateEngine(), schemas=list_schema(), strict_validation=False)
    with pytest.warns(PromptConversionWarning, match=f"{problem}.*; left out"):
        lenient.convert_sync(prompt, {})


def test_tools_and_hints_that_an_agent_does_not_get_are_warned_of():
    tools = [{"name": "f"}, {"provider": "openai", "type": "web_search"}]
    messages = [
        {"role": "system", "content": "S", "cache": True},
        {"role": "user", "content": "U", "cache": True},
        {"role": "assistant", "content": [{"type": "text", "text": "A", "cache": "1h"}]},
        {"role": "user", "content": "V"},
    ]
    with pytest.warns(PromptConversionWarning) as caught:
        to_agent_inputs(chat_of(*messages, tools=tools), {}, strict_validation=False)
    hint = "Pydantic AI accepts cache hints only on messages of the user; left out"
    remedy = "give the Agent functions with these names: `tools=[...]`"
    assert [str(each.message) for each in caught] == [
        f"message 0 (system): {hint}",
        f"message 2 (assistant): {hint}",
        f"Pydantic AI gets no tools of a prompt (f, web_search); left out ({remedy})",
    ]


def test_hints_of_a_user_message_reach_the_agent():
    parts = [
        {"type": "text", "text": "T", "cache": {"ttl": "1h"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png", "detail": "low"}},
    ]
    text, point, picture = to_agent_inputs(chat_of({"role": "user", "content": parts}), {}).user_prompt
    assert (text, point.kind, point.ttl) == ("T", "cache-point", "1h")
    assert picture.vendor_metadata == {"detail": "low"}
    content = to_agent_inputs(chat_of({"role": "user", "content": "T", "cache": True}), {}).user_prompt
    assert (content[0], content[1].kind) == ("T", "cache-point")


@pytest.mark.parametrize(
    ("hint", "ttl"),
    [
        ({"openai": {"ttl": "30m"}}, None),
        ({"openai": True}, None),
        ({"ttl": "1h", "openai": {"ttl": "30m"}}, "1h"),
        ({"type": "ephemeral", "openai": True}, "5m"),
        ("1h", "1h"),
        (False, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_part", [False, True], ids=["message", "part"])
def test_a_hint_for_openai_alone_is_no_cache_point(hint, ttl, is_part):
    part = {"type": "text", "text": "T", "cache": hint}
    message = {"role": "user", "content": [part]} if is_part else {"role": "user", "content": "T", "cache": hint}
    content = to_agent_inputs(chat_of(message), {}).user_prompt
    assert content[0] == "T"
    assert [point.ttl for point in content[1:]] == ([ttl] if ttl else [])


def test_a_message_of_the_assistant_is_the_last_one_if_later_ones_are_dropped():
    image = {"role": "user", "content": [{"type": "image", "file_id": "x"}]}
    prompt = chat_of({"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}, image)
    with pytest.warns(PromptConversionWarning) as caught:
        PydanticAIIntegration(TemplateEngine(), strict_validation=False).convert_sync(prompt, {})
    assert str(caught[-1].message).startswith("message 1 (assistant): the last message is from the assistant")


def messages_of(history, **options):
    """A history as messages for OpenAI."""
    prompt = chat_of({"role": "placeholder", "name": "history"})
    return OpenAIIntegration(TemplateEngine(), **options).convert_sync(prompt, {"history": history})


async def test_the_messages_of_a_run_go_back_into_a_prompt():
    from pydantic_ai.messages import ModelMessagesTypeAdapter
    from pydantic_ai.models.test import TestModel

    inputs = to_agent_inputs(PROMPT, VALUES)
    run = await inputs.agent(TestModel(custom_output_text="Gladly.")).run(**inputs.run_arguments())
    asking = {**HISTORY[1], "tool_calls": [{**CALLS[0], "type": "function"}]}
    asking["tool_calls"][0]["function"] = {"name": "stock", "arguments": '{"item":"fern"}'}
    expected = [HISTORY[0], asking, *HISTORY[2:], {"role": "user", "content": "And moss?"}]
    expected.append({"role": "assistant", "content": "Gladly."})
    assert messages_of(run.all_messages()) == expected
    assert messages_of(json.loads(ModelMessagesTypeAdapter.dump_json(run.all_messages()))) == expected
    contents = GeminiIntegration(TemplateEngine(), allow_prefill=True).convert_sync(
        chat_of({"role": "placeholder", "name": "history"}), {"history": run.all_messages()}
    )["contents"]
    assert contents[2]["parts"][0]["function_response"]["response"] == {"output": "3 left"}


def test_contents_of_pydantic_ai_become_parts():
    from pydantic_ai.messages import (
        BinaryContent,
        DocumentUrl,
        ImageUrl,
        ModelRequest,
        SystemPromptPart,
        UserPromptPart,
        VideoUrl,
    )

    contents = [
        "T",
        ImageUrl("https://example.org/fern.png"),
        BinaryContent(b"x", media_type="image/png"),
        BinaryContent(b"x", media_type="audio/mpeg"),
        BinaryContent(b"x", media_type="application/pdf"),
    ]
    system, user = messages_of([ModelRequest(parts=[SystemPromptPart("S"), UserPromptPart(contents)])])
    assert system == {"role": "system", "content": "S"}
    assert user["content"] == [
        {"type": "text", "text": "T"},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}},
        {"type": "input_audio", "input_audio": {"data": "eA==", "format": "mp3"}},
        {"type": "file", "file": {"filename": "document", "file_data": "data:application/pdf;base64,eA=="}},
    ]
    linked = [ModelRequest(parts=[UserPromptPart(["T", DocumentUrl("https://example.org/a.pdf")])])]
    form = GeminiIntegration(TemplateEngine()).convert_sync(
        chat_of({"role": "placeholder", "name": "history"}), {"history": linked}
    )
    assert form["contents"][0]["parts"][1]["file_data"]["file_uri"] == "https://example.org/a.pdf"
    video = [ModelRequest(parts=[UserPromptPart(["T", VideoUrl("https://example.org/a.mp4")])])]
    with pytest.raises(ConversionError, match="OpenAI does not accept `video_url`"):
        messages_of(video)
    with pytest.warns(PromptConversionWarning, match="left out"):
        assert messages_of(video, strict_validation=False) == [{"role": "user", "content": "T"}]


def test_thoughts_and_failed_calls_of_pydantic_ai_are_kept_or_warned_of():
    from pydantic_ai.messages import ModelRequest, ModelResponse, ThinkingPart, ToolCallPart, ToolReturnPart

    asking = ModelResponse(parts=[ThinkingPart("T"), ToolCallPart("f", '{"a": 1}', "c1")])
    answer = ModelRequest(parts=[ToolReturnPart("f", {"x": 1}, "c1", outcome="failed")])
    with pytest.raises(ConversionError, match="does not accept `thinking`"):
        messages_of([asking, answer])
    prompt = chat_of({"role": "user", "content": "U"}, {"role": "placeholder", "name": "history"})
    with pytest.warns(PromptConversionWarning, match="`thinking`; left out"):
        form = AnthropicIntegration(TemplateEngine(), strict_validation=False).convert_sync(
            prompt, {"history": [asking, answer]}
        )
    [result] = form["messages"][2]["content"]
    assert (result["content"], result["is_error"]) == ('{"x":1}', True)
