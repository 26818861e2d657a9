"""Broken histories in Anthropic's format: refused in strict mode, otherwise repaired with a warning."""

from __future__ import annotations

import warnings

import pytest

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import AnthropicIntegration
from providers import anthropic_messages
from providers.samples import HISTORY

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
PNG = "iVBORw0K"
TEXT = {"type": "text", "text": "T"}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "AAAA"}
#: A block that only Anthropic's format has. It shows the format of its message.
OWN = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "T"}}
SEARCH = {"type": "search_result", "source": "s", "title": "t", "content": [TEXT]}


def converted(history, *, strict=True):
    """The converted history, checked by the rules of the API, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        integration = AnthropicIntegration(ENGINE, strict_validation=strict, allow_prefill=True)
        form = integration.convert_sync(HISTORY, {"history": history})
    return form, [str(warning.message) for warning in caught]


def sent(form):
    """The content of each turn, after the API's rules accepted it."""
    anthropic_messages.check({"model": "claude-x", "max_tokens": 8, **form})
    return [turn["content"] for turn in form["messages"]]


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def image(**source):
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG, **source}}


def document(**source):
    return {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA", **source},
    }


def used(*, answer=(), **call):
    """A call and its result, with changes of both."""
    use = {"type": "tool_use", "id": "c", "name": "f", "input": {}, **call}
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": [TEXT], **dict(answer)}
    return [user(TEXT), assistant(THOUGHT, use), user(result)]


BROKEN = [
    ("a blank text", [user({"type": "text", "text": " "}, OWN)], r"message 0 \(user\): block 0 is a blank text"),
    ("a text without text", [user({"type": "text"}, OWN)], "block 0 is a blank text"),
    ("a block without a type", [user({"text": "T"}, OWN)], "block 0 has no `type`"),
    ("a media type of no image", [user(TEXT, image(media_type="image/bmp"))], "block 1 is not a JPEG, PNG, GIF or"),
    ("an image without a media type", [user(TEXT, image(media_type=None))], "block 1 is not a JPEG"),
    ("an image without data", [user(TEXT, image(data=""))], "block 1 has a source without `data`"),
    ("an image that is no base64", [user(TEXT, image(data="%%%"))], "block 1 has `data` that are not base64"),
    ("an image without a source", [user(OWN, {"type": "image"})], "block 1 has no `source`"),
    (
        "a source without a type",
        [user(TEXT, {"type": "image", "source": {"url": "https://a.example/a.png"}})],
        "block 1 has a `source` without a `type`",
    ),
    (
        "an address that is not https",
        [user(TEXT, {"type": "image", "source": {"type": "url", "url": "http://a.example/a.png"}})],
        r"message 0 \(user\): .*https",
    ),
    (
        "a source without an address",
        [user(TEXT, {"type": "document", "source": {"type": "url", "url": ""}})],
        "block 1 has a source without its `url`",
    ),
    (
        "a source without a file id",
        [user(TEXT, {"type": "image", "source": {"type": "file", "file_id": ""}})],
        "block 1 has a source without its `file_id`",
    ),
    ("a document of another type", [user(TEXT, document(media_type="text/csv"))], "block 1 is in base64, but not a"),
    (
        "a document without text",
        [user(TEXT, {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": ""}})],
        "block 1 is a document without text",
    ),
    ("a search result without text", [user(OWN, {**SEARCH, "content": []})], "block 1 is a search result without"),
    ("a search result without a title", [user(OWN, {**SEARCH, "title": None})], "block 1 is a search result without"),
    (
        "an image of the assistant",
        [user(TEXT), assistant(image(), TEXT), user(TEXT)],
        r"message 1 \(assistant\): block 0 is of a kind that Anthropic accepts only from the user",
    ),
    (
        "thinking without a signature",
        [user(TEXT), assistant({"type": "thinking", "thinking": "Hm."}, TEXT), user(TEXT)],
        "block 0 is thinking without its text or its `signature`",
    ),
    (
        "redacted thinking without data",
        [user(TEXT), assistant({"type": "redacted_thinking"}, TEXT), user(TEXT)],
        "block 0 is redacted thinking without its `data`",
    ),
    (
        "a cache hint on thinking",
        [user(TEXT), assistant({**THOUGHT, "cache_control": {"type": "ephemeral"}}, TEXT), user(TEXT)],
        "block 0 is thinking with `cache_control`",
    ),
    (
        "a cache hint of another kind",
        [user({**TEXT, "cache_control": {"type": "forever"}}, OWN)],
        "block 0 has a `cache_control` that Anthropic does not accept",
    ),
    (
        "a cache hint for a day",
        [user({**TEXT, "cache_control": {"type": "ephemeral", "ttl": "1d"}}, OWN)],
        "block 0 has a `cache_control` that Anthropic does not accept",
    ),
    ("a name of no tool", used(name="f g"), "the name of tool call 0 has characters other than"),
    ("input that is no JSON", used(input="{'a': 1"), "the arguments of tool call 0 are not JSON"),
    ("an image of a result", used(answer={"content": [image(data="%")]}), "block 0 of the result has `data`"),
    (
        "a blank text of a result",
        used(answer={"content": [{"type": "text", "text": ""}]}),
        "block 0 of the result is a",
    ),
    ("a flag that is no flag", used(answer={"is_error": "yes"}), "block 0 has an `is_error` that is not true or"),
]


@pytest.mark.parametrize(("history", "problem"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
def test_a_broken_history_is_refused_or_repaired(history, problem):
    with pytest.raises(ConversionError, match=problem) as caught:
        converted(history)
    assert caught.value.context["hint"]
    form, said = converted(history, strict=False)
    assert len(said) == 1
    # Nobody else knows the name of the tool, so a wrong one is sent as it is.
    if not problem.startswith("the name of tool call"):
        sent(form)


def test_what_is_dropped_leaves_the_rest():
    form, _ = converted([user(TEXT, image(data="%%%"), image()), assistant(TEXT), user(SEARCH)], strict=False)
    assert sent(form) == [[TEXT, image()], [TEXT], [SEARCH]]


def test_a_turn_of_broken_blocks_only_is_dropped():
    history = [user(TEXT), assistant(TEXT), user(image(data="%")), assistant(TEXT), user(TEXT)]
    with pytest.raises(ConversionError, match=r"message 2 \(user\): block 0 has `data`"):
        converted(history)
    form, said = converted(history, strict=False)
    assert sent(form)[0] == [TEXT]
    assert any("message 2 (user): the content is empty; dropped" in text for text in said)


@pytest.mark.parametrize("strict", [True, False])
def test_an_id_that_anthropic_refuses_is_replaced_on_both_sides(strict):
    form, said = converted(used(id="a b"), strict=strict)
    turns = sent(form)
    assert turns[1][1]["id"] == turns[2][0]["tool_use_id"] != "a b"
    assert said == []


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("given", [[1], 1, '"x"'])
def test_input_of_another_type_has_no_repair(given, strict):
    with pytest.raises(ConversionError, match=r"message 1 .*the arguments of tool call 0 are not an? (JSON )?object"):
        converted(used(input=given), strict=strict)


def test_two_calls_of_one_id_get_two_ids():
    history = used()
    history[1]["content"].append(dict(history[1]["content"][1]))
    history[2]["content"].append(dict(history[2]["content"][0]))
    with pytest.raises(ConversionError, match="tool call 1 has the id of another tool call of its turn"):
        converted(history)
    form, _ = converted(history, strict=False)
    turns = sent(form)
    ids = [block["id"] for block in turns[1][1:]]
    assert ids == [block["tool_use_id"] for block in turns[2]]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("given", "sent_input"),
    [('{"a": 1}', {"a": 1}), ("", {}), (None, {}), ("```json\n{'a': 1}\n```", {"a": 1})],
)
def test_input_becomes_an_object(given, sent_input):
    form, _ = converted(used(input=given), strict=False)
    assert sent(form)[1][1]["input"] == sent_input


@pytest.mark.parametrize(
    "spelling",
    [{"data": "iVBO\nRw0K"}, {"media_type": "image/PNG"}, {"data": "iVBORw0", "media_type": "image/png"}],
)
def test_data_are_spelled_as_the_api_reads_them(spelling):
    form, said = converted([user(image(**spelling))])
    source = sent(form)[0][0]["source"]
    assert source["media_type"] == "image/png"
    assert source["data"] in (PNG, "iVBORw0=")
    assert said == []


@pytest.mark.parametrize(
    "block",
    [
        {"type": "a_kind_of_next_year", "x": 1},
        {**TEXT, "a_key_of_next_year": {"x": 1}},
        {**OWN, "a_key_of_next_year": {"x": 1}},
        {"type": "document", "source": {"type": "a_source_of_next_year", "x": 1}},
    ],
)
def test_what_is_newer_than_this_package_is_sent_as_it_came(block):
    history = [
        user(OWN, block),
        assistant(TEXT, {"type": "server_tool_use", "id": "s", "name": "f", "input": {}}),
        user(TEXT),
    ]
    form, said = converted(history)
    assert form["messages"][0]["content"] == [OWN, block]
    assert said == []


def test_a_call_of_the_provider_is_kept_with_a_warning():
    history = [user(TEXT), assistant({"type": "server_tool_use", "id": "s", "name": "f", "input": "x"}), user(TEXT)]
    with pytest.raises(ConversionError, match="block 0 has an `input` that is not an object"):
        converted(history)
    form, said = converted(history, strict=False)
    assert form["messages"][1]["content"] == history[1]["content"]
    assert len(said) == 1
