"""What Pydantic AI, LlamaIndex and MCP refuse in the same way as the providers: empty messages, addresses, data."""

from __future__ import annotations

import re
import sys
import warnings

import pytest

from helpers import chat_of
from prompt_manager import Prompt, TemplateEngine
from prompt_manager.exceptions import ConversionError, IntegrationNotAvailableError
from prompt_manager.integrations import PromptConversionWarning
from prompt_manager.integrations.llama_index import LlamaIndexIntegration
from prompt_manager.integrations.mcp import MCPIntegration
from prompt_manager.integrations.pydantic_ai import PydanticAIIntegration
from providers.samples import HISTORY

pytestmark = [pytest.mark.unit, pytest.mark.newest]

ENGINE = TemplateEngine()
USER = {"role": "user", "content": "U"}
FRAMEWORKS = [PydanticAIIntegration, LlamaIndexIntegration, MCPIntegration]
TEXT = {"type": "text", "text": "T"}


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}


PARTS = {
    "no base64": (
        {"type": "image", "media_type": "image/png", "data": "no base64!"},
        "the data of part 1 are not base64",
    ),
    "sound": (
        {"type": "input_audio", "input_audio": {"data": "no!", "format": "wav"}},
        "the data of part 1 are not base",
    ),
    "path": (image("./fern.png"), "the address of the image in part 1 is a path or a `file:` URL"),
    "file url": (image("file:///tmp/fern.png"), "the address of the image in part 1 is a path or a `file:` URL"),
    "file path": ({"type": "file", "url": "fern.pdf"}, "the address of the file in part 1 is a path or a `file:` URL"),
    "data url": (image("data:image/png,abc"), "part 1 has no data in a base64 `data:` URL"),
    "data of a file": (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0x"}},
        "part 1 has no data in a base64 `data:` URL",
    ),
    "no address": (image(""), "part 1 is an image without a URL or data"),
    "blank text": ({"type": "text", "text": " "}, "part 1 is a blank text"),
    "citations": ({"type": "file", "text": "T", "citations": True}, "part 1 has `citations`, which"),
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_title_is_sent_or_warned_of(framework):
    url = "data:application/pdf;base64,JVBERi0="
    for source in ({"text": "T"}, {"url": "https://example.org/a.pdf"}, {"url": url}, {"file": {"file_data": url}}):
        prompt = chat_of({"role": "user", "content": [TEXT, {"type": "file", **source, "title": "Leaflet"}]})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sent = framework(ENGINE, strict_validation=False).convert_sync(prompt, {})
        assert "Leaflet" in repr(sent) or ["`title`" in str(each.message) for each in caught] == [True]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_data_url_of_a_file_is_sent_as_data(framework):
    url = "data:application/pdf;base64,JVBERi0="
    files = [{"type": "file", "url": url}, {"type": "file", "file": {"file_data": url}}]
    prompts = [chat_of({"role": "user", "content": [TEXT, file]}) for file in files]
    sent, expected = (repr(framework(ENGINE).convert_sync(prompt, {})) for prompt in prompts)
    assert sent == expected


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("part", "problem"), PARTS.values(), ids=PARTS)
def test_a_part_that_no_model_reads_is_refused_or_left_out(framework, part, problem):
    prompt = chat_of({"role": "user", "content": [TEXT, part]})
    with pytest.raises(ConversionError, match=problem) as caught:
        framework(ENGINE).convert_sync(prompt, {})
    assert caught.value.context["hint"]
    with pytest.warns(PromptConversionWarning, match=f"{problem}.*; (dropped|left out)"):
        framework(ENGINE, strict_validation=False).convert_sync(prompt, {})


CALL = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {}}}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "R"}
OLD_CALL = {"role": "assistant", "function_call": {"name": "f", "arguments": {}}}
OLD_RESULT = {"role": "function", "name": "f", "content": "R"}
PAIRS = {
    "no call": ([RESULT], r"message 1 \(tool\): the assistant turn before this result did not make its call"),
    "second result": ([CALL, RESULT, RESULT], r"message 3 \(tool\): this is a second result for the same call"),
    "open call": ([CALL, {"role": "user", "content": "U"}], r"message 1 \(assistant\): tool call 0 has no result"),
    "open at the end": ([CALL, RESULT, CALL], r"message 3 \(assistant\): tool call 0 has no result"),
    "same id": (
        [{**CALL, "tool_calls": CALL["tool_calls"] * 2}, RESULT, RESULT],
        r"message 1 \(assistant\): tool call 1 has the id of another tool call of its turn",
    ),
    "no function": ([OLD_RESULT], r"message 1 \(function\): the assistant turn before this result did not make"),
    "open function": ([OLD_CALL], r"message 1 \(assistant\): the function call has no result"),
}


@pytest.mark.parametrize("framework", [PydanticAIIntegration, LlamaIndexIntegration])
@pytest.mark.parametrize(("messages", "problem"), PAIRS.values(), ids=PAIRS)
def test_calls_and_results_are_pairs(framework, messages, problem):
    prompt = chat_of({"role": "user", "content": "Q"}, *messages)
    with pytest.raises(ConversionError, match=problem) as caught:
        framework(ENGINE).convert_sync(prompt, {})
    assert caught.value.context["hint"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        framework(ENGINE, strict_validation=False).convert_sync(prompt, {})
    assert re.search(f"{problem}.*; passed on", str(said[0].message))


@pytest.mark.parametrize("framework", [PydanticAIIntegration, LlamaIndexIntegration])
def test_pairs_of_several_turns_are_passed_on(framework):
    user = {"role": "user", "content": "Q"}
    prompt = chat_of(user, CALL, RESULT, CALL, RESULT, OLD_CALL, OLD_RESULT, user)
    framework(ENGINE).convert_sync(prompt, {})


MESSAGES = {
    "blank": ({"role": "user", "content": " "}, r"message 1 \(user\): the content is empty"),
    "no content": ({"role": "assistant", "content": None}, r"message 1 \(assistant\): the content is empty"),
    "no id": ({"role": "tool", "content": "R"}, r"message 1 \(tool\): a tool message needs `tool_call_id`"),
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("message", "problem"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_of_a_history_is_checked_with_its_position(framework, message, problem):
    with pytest.raises(ConversionError, match=problem):
        framework(ENGINE).convert_sync(HISTORY, {"history": [USER, message, USER]})


def assistant(**function):
    function = {"name": "f", "arguments": {}, **function}
    return {"role": "assistant", "content": "A", "tool_calls": [{"id": "c", "function": function}]}


BROKEN = "half \ud83d"
BROKEN_TEXTS = {
    "content": ({"role": "user", "content": BROKEN}, "`content`"),
    "part": ({"role": "user", "content": [TEXT, {"type": "text", "text": BROKEN}]}, r"`content\[1\]\.text`"),
    "address": ({"role": "user", "content": [image(f"https://a/{BROKEN}")]}, r"`content\[0\]\.image_url\.url`"),
    "name": ({"role": "user", "content": "U", "name": BROKEN}, "`name`"),
    "result": ({"role": "tool", "content": BROKEN, "tool_call_id": "c"}, "`content`"),
    "tool": (assistant(name=BROKEN), r"`tool_calls\[0\]\.function\.name`"),
    "argument": (assistant(arguments={"a": [BROKEN]}), r"`tool_calls\[0\]\.function\.arguments\.a\[0\]`"),
    "key": (assistant(arguments={BROKEN: 1}), r"`tool_calls\[0\]\.function\.arguments`"),
}


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "not strict"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("message", "where"), BROKEN_TEXTS.values(), ids=BROKEN_TEXTS)
def test_half_a_surrogate_pair_is_refused_everywhere(framework, strict, message, where):
    problem = rf"message 1 \({message['role']}\): {where} holds half a surrogate pair, which cannot be sent"
    with pytest.raises(ConversionError, match=problem) as caught:
        framework(ENGINE, strict_validation=strict).convert_sync(HISTORY, {"history": [USER, message, USER]})
    assert caught.value.context["hint"].startswith("was the text cut")
    assert str(caught.value).encode()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_half_a_surrogate_pair_in_a_text_prompt_is_refused(framework):
    with pytest.raises(ConversionError, match="half a surrogate pair"):
        framework(ENGINE).convert_sync(Prompt(id="p", template="{{a}}"), {"a": BROKEN})


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_only_one_provider_understands_is_refused_or_left_out(framework):
    history = [{"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, TEXT]}, USER]
    with pytest.raises(ConversionError, match=r"prompt 'explain' to .*: message 0 \(assistant\): .* does not accept"):
        framework(ENGINE).convert_sync(HISTORY, {"history": history})
    with pytest.warns(PromptConversionWarning, match=r"message 0 \(assistant\): .*left out"):
        framework(ENGINE, strict_validation=False).convert_sync(HISTORY, {"history": history})


def without_times(made):
    return re.sub(r"timestamp=datetime\.datetime\(.*?utc\)", "", repr(made))


IMAGE = {"type": "image", "file_id": "x"}
LEFT_OUT = {
    "user": {"role": "user", "content": [IMAGE]},
    "cached": {"role": "user", "content": [{**IMAGE, "cache": True}], "cache": True},
    "system": {"role": "system", "content": [IMAGE]},
    "assistant": {"role": "assistant", "content": [IMAGE]},
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("message", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_message_of_which_nothing_is_left_is_dropped(framework, message):
    integration = framework(ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning) as caught:
        made = integration.convert_sync(HISTORY, {"history": [USER, message, USER]})
    assert str(caught[-1].message) == f"message 1 ({message['role']}): the content is empty; dropped"
    assert without_times(made) == without_times(integration.convert_sync(HISTORY, {"history": [USER, USER]}))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.filterwarnings("ignore::prompt_manager.integrations.PromptConversionWarning")
def test_a_prompt_of_which_nothing_is_left_has_no_messages(framework):
    nothing = framework(ENGINE, strict_validation=False).convert_sync(chat_of(LEFT_OUT["cached"]), {})
    left = {"PydanticAIIntegration": lambda: nothing.user_prompt, "MCPIntegration": lambda: nothing["messages"]}
    assert not left.get(framework.__name__, lambda: nothing)()


def test_an_empty_message_is_dropped_and_the_positions_stay():
    history = [{"role": "user", "content": ""}, {"role": "user", "content": "U", "name": "Ada"}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = LlamaIndexIntegration(ENGINE, strict_validation=False).convert_sync(HISTORY, {"history": history})
    assert [message.content for message in made] == ["U"]
    assert str(caught[0].message) == "message 0 (user): the content is empty; dropped"


def test_base64_of_any_spelling_is_the_same_data():
    parts = [
        {"type": "image", "media_type": "image/png", "data": "iVBO\nRw0K"},
        image("DATA:image/png;charset=x;base64,iVBO\r\nRw0K"),
    ]
    prompt = chat_of({"role": "user", "content": parts})
    for block in LlamaIndexIntegration(ENGINE).convert_sync(prompt, {})[0].blocks:
        assert block.resolve_image().read() == b"\x89PNG\r\n"
    for content in PydanticAIIntegration(ENGINE).convert_sync(prompt, {}).user_prompt:
        assert (content.data, content.media_type) == (b"\x89PNG\r\n", "image/png")
    for message in MCPIntegration(ENGINE).convert_sync(prompt, {})["messages"]:
        assert (message["content"]["data"], message["content"]["mimeType"]) == ("iVBORw0K", "image/png")


@pytest.mark.parametrize(
    ("framework", "package", "module"),
    [
        (PydanticAIIntegration, "pydantic-ai-slim", "pydantic_ai"),
        (LlamaIndexIntegration, "llama-index-core", "llama_index.core"),
    ],
)
def test_without_the_package_the_error_says_what_to_install(monkeypatch, framework, package, module):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else sys.modules)
    with pytest.raises(IntegrationNotAvailableError, match=f"pip install {package}"):
        framework(ENGINE).convert_sync(chat_of(USER), {})
