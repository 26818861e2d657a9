"""Broken histories in Gemini's and Bedrock's format: refused in strict mode, otherwise repaired with a warning."""

from __future__ import annotations

import warnings

import pytest

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    OpenAIIntegration,
)
from providers import bedrock_converse, gemini_api
from providers.samples import HISTORY

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
PNG = "iVBORw0K"
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}


def converted(kind, history, *, strict=True, **options):
    """The converted history, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        form = kind(ENGINE, strict_validation=strict, **options).convert_sync(HISTORY, {"history": history})
    return form, [str(warning.message) for warning in caught]


def check(form):
    """Check a request by the rules of its API."""
    if "contents" in form:
        return gemini_api.check(form)
    return bedrock_converse.check({**form, "toolConfig": TOOLS})


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def model(*parts):
    return {"role": "model", "parts": list(parts)}


def called(**changes):
    """A call of Gemini's and its result, with changes of the call, and of the result under ``answer``."""
    answer = changes.pop("answer", {})
    call = {"id": "c", "name": "f", "args": {"a": 1}, **changes}
    response = {"id": "c", "name": "f", "response": {"output": "R"}, **answer}
    return [
        user(TEXT),
        model({"function_call": without_none(call)}),
        user({"function_response": without_none(response)}),
    ]


def without_none(members):
    return {key: value for key, value in members.items() if value is not None}


TEXT = {"text": "T"}
DATA = {"mime_type": "image/png", "data": PNG}
WITHOUT_TYPE = {"inline_data": {"data": PNG}}

GEMINI = [
    ("a misspelt key", [user(TEXT, {"txt": "x"})], r"message 0 \(user\): .* key 1 of part 1 \(.*`text`\?\)", [[TEXT]]),
    ("a key of no part", [user({**TEXT, "x": 1})], "does not accept key 2 of part 0", [[TEXT]]),
    ("a key of no turn", [{**user(TEXT), "x": 1}], "does not accept key 3 of the turn", [[TEXT]]),
    (
        "a key of no data",
        [user({"inline_data": {**DATA, "detail": "low"}})],
        "key 3 of `inline_data` of part 0",
        [[{"inline_data": DATA}]],
    ),
    (
        "a text beside data",
        [user({**TEXT, "inline_data": DATA, "media_resolution": {"level": "MEDIA_RESOLUTION_LOW"}})],
        "part 0 has more than one kind of content",
        [[TEXT, {"inline_data": DATA, "media_resolution": {"level": "MEDIA_RESOLUTION_LOW"}}]],
    ),
    ("no MIME type", [user(TEXT, WITHOUT_TYPE)], "`inline_data` of part 1 has no `mime_type`", [[TEXT]]),
    (
        "a MIME type in the name",
        [user({"inline_data": {"data": PNG, "display_name": "a.png"}})],
        "`inline_data` of part 0 has no `mime_type`",
        [[{"inline_data": {**DATA, "display_name": "a.png"}}]],
    ),
    ("no data", [user(TEXT, {"inline_data": {"mime_type": "image/png"}})], "part 1 has no `data`", [[TEXT]]),
    (
        "a local address",
        [user(TEXT, {"file_data": {"mime_type": "image/png", "file_uri": "a.png"}})],
        r"message 0 \(user\): .*part 1",
        [[TEXT]],
    ),
    ("a blank text", [user({"text": " "}, TEXT)], "part 0 is a blank text", [[TEXT]]),
    ("a part without content", [user(TEXT, {})], "part 1 has no content", [[TEXT]]),
    (
        "a signature that is no base64",
        [user(TEXT), model({"text": "A", "thought_signature": "%%%"}), user(TEXT)],
        r"message 1 \(assistant\): the `thought_signature` of part 0 is not base64",
        [[TEXT], [{"text": "A"}], [TEXT]],
    ),
    ("arguments that are no object", called(args="x"), r"the arguments of tool call 0 are not JSON", None),
    (
        "a result that is no object",
        called(answer={"response": "R"}),
        r"message 2 \(tool\): the `response` of part 0 is not an object",
        called()[2]["parts"],
    ),
    (
        "a result without a response",
        called(answer={"response": None}),
        "the `response` of part 0 is not an object",
        None,
    ),
    (
        "a result with another name",
        called(answer={"name": "g"}),
        "the function response in part 0 does not have the name of its call",
        called()[2]["parts"],
    ),
    ("a result without a name", called(answer={"name": None}), "does not have the name of its call", None),
    (
        "media of a result without a type",
        called(answer={"parts": [WITHOUT_TYPE]}),
        "`inline_data` of part 0 has no `mime_type`",
        None,
    ),
    ("a key of no call", called(arguments={}), "does not accept key 4 of `function_call` of part 0", None),
]


@pytest.mark.parametrize(("history", "problem", "sent"), [pytest.param(*row[1:], id=row[0]) for row in GEMINI])
def test_a_broken_history_of_gemini_is_refused_or_repaired(history, problem, sent):
    with pytest.raises(ConversionError, match=problem) as caught:
        converted(GeminiIntegration, history)
    assert caught.value.context["hint"]
    form, said = converted(GeminiIntegration, history, strict=False)
    assert said
    check(form)
    parts = [turn["parts"] for turn in form["contents"]]
    if sent is not None:
        assert parts == sent or parts[-1] == sent


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def asked(*blocks):
    return {"role": "user", "content": list(blocks)}


def used(*calls, **answer):
    """Calls of Bedrock's and their results."""
    results = [{"toolUseId": call.get("toolUseId"), "content": [TEXT], **answer} for call in calls]
    return [
        asked(TEXT),
        assistant(*({"toolUse": call} for call in calls)),
        asked(*({"toolResult": result} for result in results)),
    ]


USE = {"toolUseId": "c", "name": "f", "input": {}}
IMAGE = {"format": "png", "source": {"bytes": b"x"}}
DOCUMENT = {"format": "pdf", "name": "a", "source": {"bytes": b"x"}}

BEDROCK = [
    ("a key of no block", [asked({**TEXT, "x": 1})], r"message 0 \(user\): .* key 2 of block 0", [[TEXT]]),
    ("a key of no turn", [{**asked(TEXT), "x": 1}], "does not accept key 3 of the turn", [[TEXT]]),
    (
        "two kinds in one block",
        [asked({**TEXT, "image": IMAGE})],
        "block 0 has more than one kind of content",
        [[TEXT, {"image": IMAGE}]],
    ),
    ("a key of no image", [asked({"image": {**IMAGE, "x": 1}})], "key 3 of `image` of block 0", [[{"image": IMAGE}]]),
    ("a key of no call", used({**USE, "x": 1}), r"message 1 \(assistant\): .* key 4 of `toolUse` of block 0", None),
    ("a key of no result", used(USE, x=1), r"message 2 \(tool\): .* key 3 of `toolResult` of block 0", None),
    ("a name of no tool", used({**USE, "name": "f g"}), "the name of tool call 0 is not 1 to 64", None),
    ("input that is no object", used({**USE, "input": "x"}), "the arguments of tool call 0 are not JSON", None),
    ("two calls of one id", used(USE, USE), "tool call 1 has the id of another tool call of its turn", None),
    ("an unknown status", used(USE, status="failed"), "the `status` of block 0 is not `success` or `error`", None),
    ("a blank text", [asked({"text": " "}, TEXT)], "block 0 is a blank text", [[TEXT]]),
    (
        "a format of no image",
        [asked(TEXT, {"image": {**IMAGE, "format": "bmp"}})],
        "the image in block 1 is in a format that Bedrock does not accept",
        [[TEXT]],
    ),
    (
        "a format of no image in a result",
        used(USE, content=[TEXT, {"image": {**IMAGE, "format": "bmp"}}]),
        "the image in block 0 is in a format",
        None,
    ),
    ("no source", [asked(TEXT, {"image": {"format": "png"}})], "the image in block 1 has no `source`", [[TEXT]]),
    (
        "a document with a forbidden name",
        [asked(TEXT, {"document": {**DOCUMENT, "name": "a_b"}})],
        "the name of the file in part 1 has characters that Bedrock does not accept",
        [[TEXT, {"document": {**DOCUMENT, "name": "a-b"}}]],
    ),
    (
        "a document with a long name",
        [asked(TEXT, {"document": {**DOCUMENT, "name": "a" * 201}})],
        "longer than the 200 characters",
        [[TEXT, {"document": {**DOCUMENT, "name": "a" * 200}}]],
    ),
]


@pytest.mark.parametrize(("history", "problem", "sent"), [pytest.param(*row[1:], id=row[0]) for row in BEDROCK])
def test_a_broken_history_of_bedrock_is_refused_or_repaired(history, problem, sent):
    with pytest.raises(ConversionError, match=problem) as caught:
        converted(BedrockIntegration, history)
    assert caught.value.context["hint"]
    form, said = converted(BedrockIntegration, history, strict=False)
    assert said
    check(form)
    if sent is not None:
        assert [message["content"] for message in form["messages"]] == sent


@pytest.mark.parametrize("strict", [True, False])
def test_an_id_that_bedrock_refuses_is_replaced_on_both_sides(strict):
    form, said = converted(BedrockIntegration, used({**USE, "toolUseId": "a b"}), strict=strict)
    check(form)
    assert said == []
    use, result = form["messages"][1]["content"][0], form["messages"][2]["content"][0]
    assert use["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"] != "a b"


def test_a_document_of_a_taken_name_gets_a_number():
    history = [asked(TEXT, {"document": DOCUMENT}), assistant(TEXT), asked(TEXT, {"document": DOCUMENT})]
    form, _ = converted(BedrockIntegration, history)
    check(form)
    names = [message["content"][-1]["document"]["name"] for message in form["messages"][::2]]
    assert names == ["a", "a (2)"]


@pytest.mark.parametrize("kind", [OpenAIIntegration, AnthropicIntegration])
def test_another_provider_gets_both_contents_of_a_part(kind):
    form, said = converted(kind, [user({**TEXT, "inline_data": DATA})], strict=False)
    assert PNG in str(form)
    assert "'T'" in str(form)
    assert any("part 0 has more than one kind of content" in text for text in said)


def is_known(kind, turn):
    """Whether a conversion knows the keys of a turn, whatever it thinks of their values."""
    try:
        converted(kind, [turn])
    except ConversionError as error:
        # Values of a wrong type would hide the keys.
        return not any(words in error.message for words in ("does not accept key", "expected"))
    return True


@pytest.mark.newest
def test_every_key_of_the_package_of_gemini_is_known():
    from google.genai import types

    nested = {
        "inline_data": types.Blob,
        "file_data": types.FileData,
        "function_call": types.FunctionCall,
        "function_response": types.FunctionResponse,
        "executable_code": types.ExecutableCode,
        "code_execution_result": types.CodeExecutionResult,
        "tool_call": types.ToolCall,
        "tool_response": types.ToolResponse,
    }
    options = [key for key in types.Part.model_fields if key not in (*nested, "text")]
    assert is_known(GeminiIntegration, user({"text": "T", **dict.fromkeys(options, "AAAA")}))
    for key, kind in nested.items():
        members = {
            **dict.fromkeys(kind.model_fields, "AAAA"),
            **({"parts": []} if "parts" in kind.model_fields else {}),
        }
        assert is_known(GeminiIntegration, user({key: members})), key
    assert not is_known(GeminiIntegration, user({"text": "T", "x": "AAAA"}))


@pytest.mark.newest
def test_every_key_of_the_package_of_bedrock_is_known():
    blocks = bedrock_converse.shape().members["messages"].member.members["content"].member.members
    for key, kind in blocks.items():
        value = "T" if key == "text" else {inner: [] if inner == "content" else "AAAA" for inner in kind.members}
        assert is_known(BedrockIntegration, asked({key: value})), key
    for inner in blocks["toolResult"].members["content"].member.members:
        result = {"toolUseId": "c", "content": [{inner: "AAAA"}]}
        assert is_known(BedrockIntegration, asked({"toolResult": result})), inner
    assert not is_known(BedrockIntegration, asked({"text": "T", "x": "AAAA"}))


GEMINI_CALLS = [user(TEXT), model({"function_call": {"name": "f"}}, {"function_call": {"name": "g"}})]
BY_NAME = {
    "the role function": ({"role": "function", "name": "g"}, {"role": "function", "name": "f"}),
    "the name as id": ({"role": "tool", "tool_call_id": "g"}, {"role": "tool", "tool_call_id": "f"}),
    "the name beside no id": ({"role": "tool", "name": "g"}, {"role": "tool", "name": "f"}),
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("results", [*BY_NAME.values()], ids=[*BY_NAME])
def test_a_result_finds_a_call_without_id_by_its_name(results, strict):
    history = [*GEMINI_CALLS, *({**result, "content": f"R{at}"} for at, result in enumerate(results))]
    form, said = converted(GeminiIntegration, history, strict=strict)
    check(form)
    assert said == []
    assert form["contents"][2]["parts"] == [
        {"function_response": {"name": "f", "response": {"output": "R1"}}},
        {"function_response": {"name": "g", "response": {"output": "R0"}}},
    ]


@pytest.mark.parametrize("kind", [GeminiIntegration, BedrockIntegration, OpenAIIntegration, AnthropicIntegration])
def test_a_result_with_a_made_up_id_finds_its_call_by_order(kind):
    results = [{"role": "tool", "tool_call_id": f"made-{at}", "content": f"R{at}"} for at in range(2)]
    form, said = converted(kind, [*GEMINI_CALLS, *results])
    assert said == []
    if kind is GeminiIntegration:
        check(form)
        names = [part["function_response"]["name"] for part in form["contents"][2]["parts"]]
        assert names == ["f", "g"]


def test_a_result_of_another_name_is_refused():
    history = [*GEMINI_CALLS, {"role": "function", "name": "h", "content": "R"}]
    with pytest.raises(ConversionError, match=r"message 2 \(function\): .* did not make its call"):
        converted(GeminiIntegration, history)


def test_a_result_of_gemini_without_id_answers_a_call_with_one():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "U"},
        {"role": "assistant", "tool_calls": [call]},
        user({"function_response": {"name": "f", "response": {"output": "R"}}}),
    ]
    form, said = converted(GeminiIntegration, history)
    check(form)
    assert said == []
    form, said = converted(OpenAIIntegration, history)
    assert form[2]["tool_call_id"] == "c1"


def test_the_chunks_of_a_stream_are_one_turn():
    call = {"function_call": {"name": "f", "args": {}}, "thought_signature": "AAAA"}
    result = user({"function_response": {"name": "f", "response": {}}})
    chunks = [model({"text": "Let "}), model({"text": "me"}), model(call)]
    form, _ = converted(GeminiIntegration, [user(TEXT), *chunks, result])
    check(form)
    assert form["contents"][1] == model({"text": "Let "}, {"text": "me"}, call)


REPLY = {"candidates": [{"content": {"role": "model", "parts": [{"text": "A"}]}}]}
CONVERSED = {"output": {"message": assistant(TEXT)}, "stopReason": "end_turn"}
RESPONSES = {
    "Gemini's": (REPLY, "a whole response of Gemini", "pass `response.candidates[0].content`"),
    "a candidate": (REPLY["candidates"][0], "a candidate of a response of Gemini", "pass its `content`"),
    "Bedrock's": (CONVERSED, "a whole response of Bedrock", 'pass `response["output"]["message"]`'),
    "its output": (CONVERSED["output"], "an object around a message", "pass its `message`"),
    "OpenAI's": (
        {"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "A"}}]},
        "a whole response of Chat Completions",
        "pass `response.choices[0].message`",
    ),
    "Responses'": (
        {"object": "response", "output": []},
        "a whole response of the Responses API",
        "pass the items of `response.output`",
    ),
}


@pytest.mark.parametrize(("response", "what", "part"), RESPONSES.values(), ids=RESPONSES)
def test_a_whole_response_has_a_hint_which_part_to_pass(response, what, part):
    with pytest.raises(
        ConversionError, match=f"message 1 of placeholder 'history' is not a message: this is {what}"
    ) as caught:
        converted(GeminiIntegration, [user(TEXT), response])
    assert caught.value.context["hint"] == part
    with pytest.raises(ConversionError, match="takes a list of messages") as caught:
        converted(GeminiIntegration, response)
    assert caught.value.context["hint"] == f"{part}, in a list with the messages before it"


@pytest.mark.newest
def test_a_response_object_of_gemini_has_the_same_hint():
    from google.genai.types import GenerateContentResponse

    response = GenerateContentResponse.model_validate(REPLY)
    for history in (response, [response]):
        with pytest.raises(ConversionError) as caught:
            converted(GeminiIntegration, history)
        assert "response.candidates[0].content" in caught.value.context["hint"]


@pytest.mark.parametrize(
    ("turn", "roles"),
    [
        ({"role": "bot", "parts": [TEXT]}, "Gemini has user and model"),
        ({"role": "bot", "content": [TEXT]}, "Bedrock has user, assistant and system"),
        ({"role": "bot", "content": "T"}, "expected system, developer, user, assistant, function, tool"),
    ],
    ids=["gemini", "bedrock", "own"],
)
def test_an_unknown_role_has_the_known_ones(turn, roles):
    with pytest.raises(ConversionError, match=f"unknown role; {roles}"):
        converted(GeminiIntegration, [turn])
