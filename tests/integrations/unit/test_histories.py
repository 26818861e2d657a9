"""Histories in every format that providers accept, SDKs return and our own conversions give go back in."""

from __future__ import annotations

import base64
import json
import re
import warnings
from pathlib import Path

import pytest
from google.genai.types import Content

from helpers import ROOT, SECRET, chat_of, everything_said_by
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError, TemplateRenderError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from providers import bedrock_converse

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[2] / "data" / "histories.json"
ENTRIES = json.loads(DATA.read_text(encoding="utf-8"))
PROMPT = chat_of({"role": "placeholder", "name": "history"})

# What its own provider gets only without strict mode, and why.
NOT_STRICT = {
    "litellm-tool-results": "an image in a tool result",
    "openai-compatible-mistral": "a name on a tool message",
    "openai-responses-function-output-first": "a result whose call is not in the list",
    "openai-tool-call-broken-arguments": "arguments that are not JSON",
}
TARGETS = ["anthropic", "litellm", "openai", "openai-responses", "gemini", "bedrock"]


def integration(target, *, strict):
    engine = TemplateEngine()
    if target == "anthropic":
        return AnthropicIntegration(
            engine,
            strict_validation=strict,
            merge_system=True,
            merge_turns=True,
            allow_prefill=True,
            allow_assistant_first=True,
            inline_system=True,
        )
    if target == "gemini":
        return GeminiIntegration(engine, strict_validation=strict, allow_prefill=True)
    if target == "bedrock":
        return BedrockIntegration(engine, strict_validation=strict, allow_prefill=True, allow_assistant_first=True)
    if target == "litellm":
        return LiteLLMIntegration(engine, strict_validation=strict, cache_control=True)
    if target == "langchain":
        return LangChainIntegration(engine, strict_validation=strict)
    api = "responses" if target == "openai-responses" else "chat"
    return OpenAIIntegration(engine, strict_validation=strict, api=api)


def converted(target, history, *, strict):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = integration(target, strict=strict).convert_sync(PROMPT, {"history": history})
        if target == "langchain":
            request = [message.model_dump() for message in request.invoke({}).to_messages()]
    return request, [str(warning.message) for warning in caught]


def plain(value):
    """The value without nulls, with bytes as base64 text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def snake_case(value):
    """Gemini's keys have two spellings."""
    if isinstance(value, dict):
        return {re.sub("([A-Z])", r"_\1", key).lower(): snake_case(item) for key, item in value.items()}
    return [snake_case(item) for item in value] if isinstance(value, list) else value


def find(value, name):
    """All blocks of the type `name`, and all values of the key `name`, in order."""
    if isinstance(value, dict):
        if value.get("type") == name:
            yield value
        for key, item in value.items():
            if key == name:
                yield item
            yield from find(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from find(item, name)


# What a provider refuses without strict mode, too: a result without its call.
REFUSED_BY = {
    "openai": {"openai-responses-function-output-first"},
    "litellm": {"openai-responses-function-output-first"},
    "openai-responses": set(),
    "langchain": set(),
    "anthropic": set(),
    "gemini": set(),
    "bedrock": set(),
}
# The sound of the histories of Bedrock.
SOUND = "UklGRiQAAABXQVZF"
# Hints, which are left out without a warning: they change only the price or the size of an image.
HINTS = {"cache_control", "cachePoint", "ttl", "detail"}
# How a warning names what a history has under another name.
NAMED = {"input_audio": "audio", "is_error": "error"}


def own(entries):
    return [pytest.param(entry, id=entry["name"]) for entry in entries if entry["source"] in TARGETS]


#: What changes in the histories of a provider that go back to it, and why. All others go back whole.
CHANGED = {
    "anthropic-turns-of-one-role": "turns of one role are merged, as the integration is told to",
    "anthropic-system-changes": "a system message within the conversation has a list of blocks",
    "anthropic-message-dump": "keys of a response, such as its id and usage, are no part of a message",
    "anthropic-beta-message-dump": "the same",
    "openai-message-dump-reply-keys": "annotations are in answers only",
    "openai-message-dump-helpers": "what the package has parsed is no part of a message",
    "openai-compatible-reasoning-content": "OpenAI has no reasoning in a message",
    "openai-compatible-reasoning": "the same",
    "openai-compatible-null-keys": "an empty list of calls is refused",
    "openai-compatible-mistral": "an address of a document, and an image without a mapping, are Mistral's",
    "openai-compatible-openrouter-cache-control": "OpenAI has other cache hints",
    "openai-compatible-gemini-signature": "OpenAI has no signatures",
    "openai-compatible-streamed": "the index of a streamed call is no part of a message",
    "openai-responses-strings": "a developer message at the start becomes the instructions",
    "openai-responses-parsed-output-dump": "what the package has parsed is no part of an item",
    "litellm-thinking-blocks": "the index of a streamed call is no part of a message",
    "litellm-annotations-images-audio": "annotations are in answers only",
    "litellm-cache-control": "a cache hint is at a block",
    "litellm-tool-results": "an image in a tool result, without strict mode",
    "litellm-custom-and-function": "a call of the older format becomes one of the newer",
    "own-messages": "our own cache hint becomes the provider's, which OpenAI does not have",
}


@pytest.mark.parametrize("entry", own(ENTRIES))
def test_a_history_goes_back_to_its_own_provider_whole(entry):
    source = entry["source"]
    request = plain(converted(source, entry["history"], strict=entry["name"] not in NOT_STRICT)[0])
    messages = {"anthropic": "messages", "bedrock": "messages", "gemini": "contents", "openai-responses": "input"}
    sent = request[messages[source]] if source in messages else request
    history = plain(entry["history"])
    if source == "gemini":
        history = [{"role": "user", **turn} for turn in snake_case(history)]
    assert (sent == history) is (entry["name"] not in CHANGED)


@pytest.mark.parametrize("entry", own(ENTRIES))
def test_a_history_reaches_its_own_provider_unchanged(entry):
    strict = entry["name"] not in NOT_STRICT
    request = plain(converted(entry["source"], entry["history"], strict=strict)[0])
    history = plain(entry["history"])
    if entry["source"] == "gemini":
        history = snake_case(history)
    for name in entry["only"]:
        assert list(find(request, name)) == list(find(history, name)), name
    if entry["source"] == "gemini":
        assert request == {"contents": [{"role": "user", **turn} for turn in history]}
    if entry["source"] == "bedrock":
        assert request == {"messages": history}


EMPTY = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": ""},
    {"role": "assistant", "content": ""},
    {"role": "system", "content": " "},
    {"role": "user", "content": "Thanks."},
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("target", ["openai", "openai-responses", "litellm", "langchain"])
def test_empty_texts_of_a_history_go_where_they_are_accepted(target, strict):
    request, said = converted(target, EMPTY, strict=strict)
    if target == "openai-responses":
        assert request == {"instructions": "Be brief.", "input": EMPTY[1:]}
    else:
        assert [each["content"] for each in request] == [each["content"] for each in EMPTY]
    assert said == []


@pytest.mark.parametrize("target", ["anthropic", "gemini", "bedrock"])
def test_empty_texts_of_a_history_are_left_out_elsewhere(target):
    with pytest.raises(ConversionError, match=r"message 1 \(user\): the content is empty"):
        converted(target, EMPTY, strict=True)
    request, said = converted(target, EMPTY, strict=False)
    assert "Thanks." in str(request)
    assert sum("the content is empty; dropped" in text for text in said) == 3


@pytest.mark.parametrize("target", ["openai", "openai-responses", "litellm"])
@pytest.mark.parametrize("content", [None, []])
def test_a_message_of_a_history_without_content_is_an_error(target, content):
    with pytest.raises(ConversionError, match=r"message 0 \(user\): the content is empty"):
        converted(target, [{"role": "user", "content": content}], strict=False)


def foreign_names(said):
    """The types and keys that the warnings name."""
    return {name for text in said for name in re.findall(r"`(\w+)`", text)}


def lost(value, only, within=()):
    """Each block or key of ``only`` with the types and keys around it."""
    if isinstance(value, dict):
        around = (*within, value["type"]) if isinstance(value.get("type"), str) else within
        if value.get("type") in only:
            yield value["type"], around
        for key, item in value.items():
            if key in only and item not in (None, [], {}):
                yield key, (*around, key)
            yield from lost(item, only, (*around, key))
    elif isinstance(value, list):
        for item in value:
            yield from lost(item, only, within)


def texts(value, said, within=()):
    """The texts of messages and parts that no warning is about."""
    if isinstance(value, dict):
        around = (*within, str(value.get("type")), *(["thought"] if value.get("thought") else []))
        for key, item in value.items():
            if key in ("text", "content", "output") and isinstance(item, str):
                if item and not {*around, key} & said:
                    yield item
            else:
                yield from texts(item, said, (*around, key))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, said, within)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "target"),
    [
        pytest.param(entry, target, id=f"{entry['name']} to {target}")
        for entry in ENTRIES
        for target in [*TARGETS, "langchain"]
        if entry["source"] not in (target, "langchain")
    ],
)
def test_other_providers_get_the_rest_with_a_warning(entry, target):
    if entry["name"] in REFUSED_BY[target]:
        with pytest.raises(ConversionError):
            converted(target, entry["history"], strict=False)
        return
    request, said = converted(target, entry["history"], strict=False)
    named = foreign_names(said)
    only = set(entry["only"]) - HINTS
    sent = json.dumps(plain(request), ensure_ascii=False)
    for name, around in lost(plain(entry["history"]), only):
        if name == "file_url":
            assert "https://example.com/care.pdf" in sent or any(
                "file" in text and "; dropped" in text for text in said
            )
            continue
        if name == "audio" and entry["source"] == "bedrock":
            # A sound of any provider, under another name.
            assert SOUND in sent or any("is audio" in text for text in said)
            continue
        sent_or_named = f'"{name}"' in sent or f'"{NAMED.get(name)}"' in sent or named & {*around, NAMED.get(name)}
        assert sent_or_named, (name, said)
    for text in texts(plain(entry["history"]), named):
        # Gemini gets the text of a document as data.
        assert json.dumps(text, ensure_ascii=False)[1:-1] in sent or encoded(text) in sent, (text, said)


@pytest.mark.newest
@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["name"]) for entry in ENTRIES])
def test_every_history_is_valid_for_gemini_and_bedrock(entry):
    of_gemini, _ = converted("gemini", entry["history"], strict=False)
    for content in of_gemini["contents"]:
        Content.model_validate(content)
    of_bedrock, _ = converted("bedrock", entry["history"], strict=False)
    bedrock_converse.check_shape(of_bedrock)


def goes_through(entry, target, *, strict):
    try:
        converted(target, entry["history"], strict=strict)
    except ConversionError:
        return False
    return True


def test_the_documentation_counts_the_histories_that_go_through():
    assert len(ENTRIES) == 130
    for target, (own, strict, lenient) in TABLE.items():
        mine = [entry for entry in ENTRIES if entry["source"] == target]
        assert len(mine) == int(own), target
        assert sum(goes_through(entry, target, strict=True) for entry in mine) == int(strict), target
        refused = {entry["name"] for entry in ENTRIES if not goes_through(entry, target, strict=False)}
        assert refused == REFUSED_BY[target], target
        assert len(ENTRIES) - len(refused) == int(lenient), target


# The rows of the table in the documentation: the target, and three numbers.
TABLE = {
    target: counts
    for target, *counts in re.findall(
        r"^\| `([a-z-]+)` \| (\d+) \| (\d+) \| (\d+) \|",
        (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
}


@pytest.mark.parametrize(
    "entry", [pytest.param(entry, id=entry["name"]) for entry in ENTRIES if entry["source"] == "langchain"]
)
def test_a_history_of_langchain_comes_back_unchanged(entry):
    request, said = converted("langchain", entry["history"], strict=True)
    assert said == []
    dump, history = plain(request), plain(entry["history"])
    for name in entry["only"]:
        assert list(find(dump, name)) == list(find(history, name)), name


PDF = "JVBERi0xLjQKJSVFT0YK"
#: A document of each provider, and what it says beside its content.
DOCUMENTS = {
    "anthropic": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Water."}},
        {"title": "Care", "context": "A leaflet", "citations": {"enabled": True}},
    ),
    "anthropic-url": (
        {"type": "document", "source": {"type": "url", "url": "https://example.org/care.pdf"}},
        {"title": "Care", "context": "A leaflet", "citations": {"enabled": True}},
    ),
    "langchain": (
        {"type": "text-plain", "text": "Water.", "mime_type": "text/plain"},
        {"title": "Care", "context": "A leaflet"},
    ),
    "langchain-url": (
        {"type": "file", "url": "https://example.org/care.pdf"},
        {"extras": {"title": "Care", "context": "A leaflet", "citations": {"enabled": True}}},
    ),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_part_of_a_document_vanishes_unnoticed(document, target):
    block, beside = DOCUMENTS[document]
    turn = {"content": [block | beside, {"type": "text", "text": "Q"}]}
    history = [turn | ({"type": "human"} if document.startswith("langchain") else {"role": "user"})]
    request, said = converted(target, history, strict=False)
    sent, told = json.dumps(plain(request)), " ".join(said)
    assert any(text in sent for text in ("Water.", encoded("Water."), "example.org")) or "dropped" in told
    for name, text in (("title", "Care"), ("context", "A leaflet")):
        assert text in sent or f"has `{name}`" in told or "dropped" in told, (name, sent, said)
    if "citations" in str(beside):
        assert '"citations": {"enabled": true}' in sent or "has `citations`" in told or "dropped" in told, said
    if said:
        with pytest.raises(ConversionError):
            converted(target, history, strict=True)


@pytest.mark.parametrize("target", sorted({*TARGETS} - {"openai", "litellm", "bedrock"}))
def test_a_file_with_a_url_reaches_all_that_read_urls(target):
    items = [{"role": "user", "content": [{"type": "input_file", "file_url": "https://example.org/care.pdf"}]}]
    request, said = converted(target, items, strict=True)
    assert "https://example.org/care.pdf" in json.dumps(request)
    assert said == []


@pytest.mark.parametrize(
    ("source", "name", "content"),
    [
        ("gemini", "inline_data", [{"inline_data": {"data": "AAAA"}}]),
        ("bedrock", "source", [{"document": {"name": "a", "format": "pdf", "source": {}}}]),
        ("bedrock", "source", [{"image": {"format": "png"}}]),
        ("anthropic", "image", [{"type": "image", "source": {"type": "later"}}]),
        ("anthropic", "document", [{"type": "document", "source": {"type": "url"}}]),
        ("openai-responses", "file_id", [{"type": "input_file", "file_id": "f"}]),
    ],
)
def test_a_part_that_cannot_be_read_is_named(source, name, content):
    key = "parts" if source == "gemini" else "content"
    text = {"type": "input_text", "text": "Q"} if source == "openai-responses" else {"text": "Q"}
    text = {"type": "text", "text": "Q"} if source == "anthropic" else text
    for target in sorted({*TARGETS} - {source}):
        _, said = converted(target, [{"role": "user", key: [*content, text]}], strict=False)
        assert any(f"does not accept `{name}`" in each for each in said), target


OWN_PARTS = [
    {"type": "image", "media_type": "image/png", "data": "iVBORw0K", "cache": True},
    {"type": "image", "file_id": "file_1", "cache": {}},
    {"type": "file", "text": "Ferns like shade.", "title": "T", "citations": True, "cache": {"ttl": "1h"}},
    {"type": "file", "url": "https://example.org/a.pdf", "cache": True},
    {"type": "search_result", "source": "S", "title": "T", "content": ["A", "B"], "cache": True},
    {"type": "search_result", "source": "S", "title": "T", "content": "A", "citations": True},
    {"type": "search_result", "source": "S", "title": "T", "content": [{"type": "text", "text": "A"}], "cache": {}},
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("part", OWN_PARTS, ids=lambda part: f"{part['type']}-{len(part)}")
def test_a_part_of_prompt_files_means_the_same_in_a_history(part, target):
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "U"}, part]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {}}}]},
        {"role": "tool", "tool_call_id": "c1", "content": [part, {"type": "text", "text": "R"}]},
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        written = integration(target, strict=False).convert_sync(chat_of(*messages), {})
    assert converted(target, messages, strict=False) == (written, [str(warning.message) for warning in caught])


@pytest.mark.parametrize("target", ["litellm", "openai"])
def test_a_part_of_prompt_files_beside_another_servers_part_is_sent(target):
    video = {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}
    [message], warned = converted(target, [{"role": "user", "content": [OWN_PARTS[0], video]}], strict=False)
    assert "video_url" in "".join(warned)
    sent = [{key: value for key, value in part.items() if key != "cache_control"} for part in message["content"]]
    assert sent == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}]


def test_a_strict_conversion_names_what_another_provider_said():
    block = {"type": "thinking", "thinking": SECRET, "signature": "changed by hand"}
    turn = {"role": "assistant", "content": [block, {"type": "text", "text": "A"}]}
    history = [{"role": "user", "content": "Q"}, turn, {"role": "user", "content": "R"}]
    with pytest.raises(ConversionError, match=r"message 1 \(assistant\): OpenAI does not accept `thinking`") as caught:
        converted("openai", history, strict=True)
    assert "remove it from the history" in caught.value.context["hint"]
    assert SECRET not in everything_said_by(caught.value)
    # A signature is the provider's to check.
    request, _ = converted("anthropic", history, strict=True)
    assert request["messages"][1]["content"][0] == block


def test_an_unknown_key_stops_only_a_strict_conversion():
    history = [{"role": "user", "content": "Q", "mood": SECRET}]
    with pytest.raises(ConversionError, match="does not accept key 3 of the message"):
        converted("openai", history, strict=True)
    request, said = converted("openai", history, strict=False)
    assert request == [{"role": "user", "content": "Q"}]
    assert said == ["message 0 (user): OpenAI does not accept key 3 of the message; left out"]


def test_a_history_that_ends_in_an_open_call_is_refused_only_in_strict_mode():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    for target in TARGETS:
        with pytest.raises(ConversionError, match=r"message 1 \(assistant\): tool call 0 has no result"):
            converted(target, history, strict=True)
        _, said = converted(target, history, strict=False)
        assert any("has no result; sent unchanged" in text for text in said), target


def test_a_history_that_contains_itself_is_an_error():
    block: dict[str, object] = {"type": "thinking", "thinking": "T"}
    block["inner"] = block
    history: list[object] = [{"role": "assistant", "content": [block]}]
    for target in TARGETS:
        with pytest.raises((ConversionError, TemplateRenderError), match="history"):
            converted(target, history, strict=False)


def long_history(turns):
    thinking = {"type": "thinking", "thinking": "T", "signature": "S"}
    history = []
    for number in range(turns):
        use = {"type": "tool_use", "id": f"t{number}", "name": "f", "input": {}}
        history.append({"role": "user", "content": "Q"})
        history.append({"role": "assistant", "content": [thinking, use]})
        history.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}"}]})
        history.append({"role": "assistant", "content": [{"type": "text", "text": "A", "citations": None}]})
    return [*history, {"role": "user", "content": "Q"}]


@pytest.mark.parametrize("target", TARGETS)
def test_a_history_of_many_thousand_turns_goes_through(target):
    request, said = converted(target, long_history(5000), strict=False)
    sent = json.dumps(plain(request))
    assert sent.count('"Q"') == 5001
    assert (sent.count('"thinking": "T"'), len(said)) == ((5000, 0) if target == "anthropic" else (0, 5000))


QUESTION = {"role": "user", "content": "Is it in stock?"}
ANTHROPIC_CALL = {"type": "tool_use", "id": "call_1", "name": "stock", "input": {}}
ANTHROPIC_RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "3"}]}
PNG_BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
RESPONSES_CALL = {"type": "function_call", "call_id": "call_1", "name": "stock", "arguments": '{"n": 1}'}
LANGCHAIN_RESULT = {"type": "tool", "tool_call_id": "call_1", "content": "3"}
TEXTS_AMONG_BLOCKS = {
    "anthropic-question": [{"role": "user", "content": [PNG_BLOCK, "a fern"]}],
    "anthropic-call": [QUESTION, {"role": "assistant", "content": ["a fern", ANTHROPIC_CALL]}, ANTHROPIC_RESULT],
    "anthropic-result": [
        QUESTION,
        {"role": "assistant", "content": [ANTHROPIC_CALL]},
        {"role": "user", "content": [{**ANTHROPIC_RESULT["content"][0], "content": ["a fern"]}]},
    ],
    "langchain-anthropic": [QUESTION, {"type": "ai", "content": ["", "a fern", ANTHROPIC_CALL]}, LANGCHAIN_RESULT],
    "langchain-responses": [QUESTION, {"type": "ai", "content": ["", "a fern", RESPONSES_CALL]}, LANGCHAIN_RESULT],
    "responses-parsed-arguments": [
        QUESTION,
        {**RESPONSES_CALL, "arguments": {"plant": "a fern"}},
        {"type": "function_call_output", "call_id": "call_1", "output": "3"},
    ],
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("history", TEXTS_AMONG_BLOCKS.values(), ids=TEXTS_AMONG_BLOCKS)
def test_a_text_among_blocks_reaches_every_provider(history, target):
    request, said = converted(target, history, strict=True)
    assert str(request).count("a fern") == 1
    assert said == []


def bedrock_history(content):
    call = {"toolUse": {"toolUseId": "call_1", "name": "stock", "input": {}}}
    result = {"toolResult": {"toolUseId": "call_1", "content": content}}
    blocks = {"user": {"text": "Is it in stock?"}, "assistant": call}
    turns = [{"role": role, "content": [block]} for role, block in blocks.items()]
    return [*turns, {"role": "user", "content": [result]}]


def gemini_history(media):
    response = {"id": "call_1", "name": "stock", "response": {"output": "3"}, "parts": media}
    call = {"function_call": {"id": "call_1", "name": "stock", "args": {}}}
    turns = [("user", {"text": "Is it in stock?"}), ("model", call), ("user", {"function_response": response})]
    return [{"role": role, "parts": [part]} for role, part in turns]


RESPONSES_OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": {"plant": "fern"}}
WRONG_TYPES = {
    "`content`: expected a list, found a mapping": [
        {"role": "assistant", "content": {"type": "text", "text": "fern"}, "stop_reason": "end_turn"}
    ],
    "`content`: expected a list, found a number": [{"type": "human", "content": 5}],
    "`content`[1]: expected a mapping, found a list": [{"role": "user", "content": [PNG_BLOCK, ["fern"]]}],
    "`content` of a result: expected a list, found a mapping": [
        {"role": "user", "content": [{**ANTHROPIC_RESULT["content"][0], "content": {"plant": "fern"}}]}
    ],
    "`output`: expected a list, found a mapping": [QUESTION, RESPONSES_CALL, RESPONSES_OUTPUT],
    "`arguments`: expected a string, found a list": [QUESTION, {**RESPONSES_CALL, "arguments": ["fern"]}],
    "`content` of block 0: expected a list, found a string": bedrock_history("fern"),
    "`content` of block 0[0]: expected a mapping, found a string": bedrock_history(["fern"]),
    "`parts` of part 0[0]: expected a mapping, found a string": gemini_history(["fern"]),
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("message", "history"), WRONG_TYPES.items())
def test_content_of_a_wrong_type_is_an_error(message, history, target, strict):
    with pytest.raises(ConversionError, match=re.escape(message)):
        converted(target, history, strict=strict)
