"""Functions that break one rule of a provider in a valid conversation."""

from __future__ import annotations

import copy

from hypothesis import assume
from hypothesis import strategies as st

#: The position of an error that is about the whole conversation.
WHOLE = None


def draw_index(draw, messages, matches):
    """Draw the index of a message that matches."""
    indexes = [index for index, message in enumerate(messages) if matches(message)]
    assume(indexes)
    return draw(st.sampled_from(indexes))


def role_is(*roles):
    return lambda message: message["role"] in roles


def calls_tools(message):
    return "tool_calls" in message


def no_messages(_, messages):
    messages.clear()
    return WHOLE


def only_system(_, messages):
    messages[:] = [{"role": "system", "content": "S"}]
    return WHOLE


def empty_content(draw, messages):
    at = draw_index(
        draw,
        messages,
        lambda message: "content" in message and message["role"] not in ("assistant", "function", "tool"),
    )
    messages[at]["content"] = draw(st.sampled_from([[], None]))
    return at


def blank_content(draw, messages):
    at = draw_index(draw, messages, lambda message: "content" in message)
    assume(not calls_tools(messages[at]) and "function_call" not in messages[at])
    assume(messages[at]["role"] not in ("function", "tool"))
    messages[at]["content"] = draw(st.sampled_from(["", " ", "\n\t", [{"type": "text", "text": "  "}]]))
    return at


def no_content(draw, messages):
    at = draw_index(draw, messages, role_is("system", "developer", "user"))
    del messages[at]["content"]
    return at


def tool_without_content(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    del messages[at]["content"]
    return at


def assistant_with_nothing(draw, messages):
    at = draw_index(draw, messages, role_is("assistant"))
    assume(not calls_tools(messages[at]) and "function_call" not in messages[at])
    messages[at].pop("content", None)
    return at


def tool_without_id(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    if draw(st.booleans()):
        messages[at]["tool_call_id"] = ""
    else:
        del messages[at]["tool_call_id"]
    return at


def function_without_name(draw, messages):
    at = draw_index(draw, messages, role_is("function"))
    del messages[at]["name"]
    return at


def name_on_tool(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    messages[at]["name"] = "lookup"
    return at


def any_name(draw, messages):
    at = draw_index(draw, messages, role_is("system", "developer", "user", "assistant", "tool"))
    messages[at]["name"] = "Ada"
    return at


def bad_name(draw, messages):
    at = draw_index(draw, messages, role_is("system", "developer", "user", "assistant", "function"))
    messages[at]["name"] = draw(st.sampled_from(["Ada Lovelace", "é", "a.b", "x\n"]))
    return at


def a_call():
    return {"id": "new-call", "type": "function", "function": {"name": "f", "arguments": {}}}


def calls_elsewhere(draw, messages):
    at = draw_index(draw, messages, lambda message: message["role"] != "assistant")
    messages[at]["tool_calls"] = [a_call()]
    return at


def function_call_elsewhere(draw, messages):
    at = draw_index(draw, messages, lambda message: message["role"] != "assistant")
    messages[at]["function_call"] = a_call()["function"]
    return at


def both_calls(draw, messages):
    at = draw_index(draw, messages, calls_tools)
    messages[at]["function_call"] = a_call()["function"]
    return at


def one_call(draw, messages):
    at = draw_index(draw, messages, calls_tools)
    return at, draw(st.sampled_from(messages[at]["tool_calls"]))


def call_without_id(draw, messages):
    at, call = one_call(draw, messages)
    call["id"] = ""
    return at


def call_without_name(draw, messages):
    at, call = one_call(draw, messages)
    call["function"]["name"] = ""
    return at


def bad_function_name(draw, messages):
    at, call = one_call(draw, messages)
    call["function"]["name"] = draw(st.sampled_from(["look up", "ü", "a/b"]))
    return at


def arguments_that_are_no_json(draw, messages):
    at, call = one_call(draw, messages)
    call["function"]["arguments"] = draw(st.sampled_from(["{", "nothing", "{'a': 1}", '{"a": 1}}']))
    return at


def arguments_that_are_no_object(draw, messages):
    at, call = one_call(draw, messages)
    call["function"]["arguments"] = draw(st.sampled_from(["[]", '"text"', "5", "null"]))
    return at


def result_without_call(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    messages[at]["tool_call_id"] = "never-called"
    return at


def result_out_of_nowhere(draw, messages):
    at = draw(st.integers(1, len(messages)))
    while at < len(messages) and messages[at]["role"] in ("tool", "function"):
        at += 1
    messages.insert(at, {"role": "tool", "tool_call_id": "never-called", "content": "R"})
    return at


def call_never_answered(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    assume(any(message["role"] != "tool" for message in messages[at:]))
    asking = max(place for place in range(at) if calls_tools(messages[place]))
    del messages[at]
    return asking


def open_call_at_the_end(_, messages):
    messages.append({"role": "assistant", "tool_calls": [a_call()]})
    return len(messages) - 1


def second_result(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    messages.insert(at + 1, dict(messages[at]))
    return at + 1


def same_id_twice(draw, messages):
    at = draw_index(draw, messages, lambda message: len(message.get("tool_calls", ())) > 1)
    first, second = messages[at]["tool_calls"][:2]
    for message in messages[at:]:
        if message.get("tool_call_id") == second["id"]:
            message["tool_call_id"] = first["id"]
    second["id"] = first["id"]
    return at


def image_outside_user(draw, messages):
    at = draw_index(draw, messages, lambda message: message["role"] in ("system", "developer", "assistant"))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    return at


def unknown_detail(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": "https://example.org/a", "detail": "4K"}}]
    return at


def unknown_sound(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "ogg"}}]
    return at


def sound(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]
    return at


def hollow_part(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    hollow = [
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": ""}},
        {"type": "file", "file": {"filename": "a.pdf"}},
    ]
    messages[at]["content"] = [{"type": "text", "text": "T"}, draw(st.sampled_from(hollow))]
    return at


def foreign_image(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "image", "media_type": "image/tiff", "data": "AAAA"}]
    return at


def foreign_file(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    data = "data:text/csv;base64,AAAA"
    messages[at]["content"] = [{"type": "file", "file": {"filename": "a.csv", "file_data": data}}]
    return at


def local_address(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    address = draw(st.sampled_from(["a.png", "/a/b.png", "file:///a.png", "C:\\a.png", "../a:b.png"]))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": address}}]
    return at


def insecure_address(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": "http://example.org/a.png"}}]
    return at


def error_flag(draw, messages):
    at = draw_index(draw, messages, role_is("tool"))
    messages[at]["is_error"] = True
    return at


def two_systems(_, messages):
    messages[:0] = [{"role": "system", "content": "S"}]
    assume(messages[1]["role"] in ("system", "developer"))
    return 1


def late_system(draw, messages):
    at = draw(st.integers(1, len(messages)))
    assume(messages[at - 1]["role"] not in ("system", "developer"))
    messages.insert(at, {"role": draw(st.sampled_from(["system", "developer"])), "content": "S"})
    return at


def assistant_first(_, messages):
    at = next(place for place, message in enumerate(messages) if message["role"] == "user")
    messages.insert(at, {"role": "assistant", "content": "A"})
    return at


def assistant_last(_, messages):
    messages.append({"role": "assistant", "content": "A"})
    return len(messages) - 1


def same_turn_twice(draw, messages):
    at = draw_index(draw, messages, lambda message: message["role"] == "user")
    messages.insert(at + 1, {"role": "user", "content": "U"})
    return at + 1


def unknown_ttl(draw, messages):
    at = draw_index(draw, messages, lambda message: "content" in message)
    for message in messages:
        message.pop("cache", None)
    messages[at]["content"] = "T"
    messages[at]["cache"] = {"ttl": "1d"}
    return at


def five_hints(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "text", "text": "T", "cache": {}} for _ in range(5)]
    return at


def five_breakpoints(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    for message in messages:
        message.pop("cache", None)
        if isinstance(message.get("content"), list):
            message["content"] = [{**part, "cache": {}} for part in message["content"]]
    hinted = {"type": "text", "text": "T", "cache": {"openai": {"ttl": "30m"}}}
    messages[at]["content"] = [dict(hinted) for _ in range(5)]
    return at


def breakpoint_on_the_assistant(draw, messages):
    at = draw_index(draw, messages, lambda message: message["role"] == "assistant" and message.get("content"))
    messages[at]["content"] = [{"type": "text", "text": "T", "cache": {"openai": True}}]
    return at


def breakpoint_on_a_function(draw, messages):
    at = draw_index(draw, messages, role_is("function"))
    messages[at].update(content="R", cache={"openai": True})
    return at


def unknown_type(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": "https://example.org/picture"}}]
    return at


def uploaded_elsewhere(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "file", "file": {"file_id": "file-1"}}]
    return at


def web_address(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    messages[at]["content"] = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    return at


def lonely_document(draw, messages):
    at = draw_index(draw, messages, role_is("user"))
    data = "data:application/pdf;base64,AAAA"
    messages[at:] = [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": data}}]}]
    assume(at == 0 or messages[at - 1]["role"] in ("system", "developer", "assistant"))
    assume(at == 0 or not calls_tools(messages[at - 1]))
    return at


BOTH = [
    no_messages, empty_content, no_content, assistant_with_nothing, tool_without_id, function_without_name,
    calls_elsewhere, function_call_elsewhere, both_calls, call_without_id, call_without_name, bad_function_name,
    arguments_that_are_no_json, result_without_call, result_out_of_nowhere, call_never_answered,
    open_call_at_the_end, second_result, same_id_twice, image_outside_user, hollow_part, name_on_tool, local_address,
]  # fmt: skip

RULES = {
    "openai": [
        *BOTH, tool_without_content, error_flag, bad_name, unknown_detail, unknown_sound, five_breakpoints,
        breakpoint_on_a_function,
    ],
    "responses": [
        *BOTH, tool_without_content, error_flag, any_name, only_system, unknown_detail, sound, five_breakpoints,
        breakpoint_on_the_assistant,
    ],
    "litellm": [*BOTH, tool_without_content, bad_name, unknown_detail, unknown_sound],
    "anthropic": [
        *BOTH, only_system, blank_content, any_name, arguments_that_are_no_object, sound, foreign_image, foreign_file,
        two_systems, late_system, assistant_first, assistant_last, same_turn_twice, unknown_ttl, five_hints,
        insecure_address,
    ],
}  # fmt: skip

ANY_MESSAGE = [rule for rule in BOTH if rule != image_outside_user]
RULES["gemini"] = [
    *ANY_MESSAGE, only_system, blank_content, any_name, arguments_that_are_no_object, late_system, assistant_last,
    foreign_image, insecure_address, unknown_type, uploaded_elsewhere,
]  # fmt: skip
RULES["bedrock"] = [
    *BOTH, only_system, blank_content, any_name, arguments_that_are_no_object, late_system, assistant_first,
    assistant_last, foreign_image, unknown_ttl, five_hints, web_address, uploaded_elsewhere, lonely_document,
]  # fmt: skip

#: Rules of strict mode that the API does not have, because such messages are usually a mistake.
STRICTER = {
    # Newer models accept a system message among the turns, which is sent so only on request.
    "anthropic": [two_systems, assistant_last, late_system],
    "responses": [image_outside_user],
    "bedrock": [late_system],
    # The API matches the results of one turn by their order.
    "gemini": [same_id_twice],
}

#: A conversation in which every rule can be broken.
FULL = [
    {"role": "system", "content": "S"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "T"},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        ],
    },
    {
        "role": "assistant",
        "content": "A",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": "x"}}},
            {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c2", "content": "R"},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "R"}]},
    {"role": "assistant", "tool_calls": [{"id": "c3", "type": "function", "function": {"name": "g", "arguments": {}}}]},
    {"role": "tool", "tool_call_id": "c3", "content": "R"},
    {"role": "user", "content": "U"},
    {"role": "assistant", "function_call": {"name": "old", "arguments": {}}},
    {"role": "function", "name": "old", "content": "R"},
    {"role": "assistant", "content": "A"},
    {"role": "user", "content": "U"},
]


def mutated(draw, messages):
    """Move, repeat, remove or empty a few messages. The result is rarely valid."""
    messages = [dict(message) for message in messages]
    for _ in range(draw(st.integers(1, 2))):
        if not messages:
            break
        at = draw(st.integers(0, len(messages) - 1))
        edit = draw(st.integers(0, 4))
        if edit == 0:
            del messages[at]
        elif edit == 1:
            messages.insert(draw(st.integers(0, len(messages))), dict(messages[at]))
        elif edit == 2:
            messages.insert(draw(st.integers(0, len(messages))), messages.pop(at))
        elif edit == 3:
            messages[at].pop("content", None)
        else:
            messages[at]["content"] = draw(st.sampled_from(["", " ", "x", [], [{"type": "text", "text": ""}]]))
    return messages


def full(provider):
    """A conversation of a provider in which every rule can be broken."""
    messages = copy.deepcopy(FULL)
    if provider == "bedrock":
        messages[1]["content"][1]["image_url"]["url"] = "data:image/png;base64,iVBORw0K"
    return messages
