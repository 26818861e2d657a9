"""The rules of OpenAI's Responses API."""

from __future__ import annotations

from providers.checks import (
    need,
    need_address,
    need_json,
    need_keys,
    need_list,
    need_name,
    need_number,
    need_one_of,
    need_text,
)
from providers.openai_chat import breakpoints, check_breakpoint, check_declared, check_schema

OPTIONS = {"temperature": (0, 2), "top_p": (0, 1)}
COUNTS = ("max_output_tokens", "max_tool_calls", "top_logprobs")
OTHERS = {
    "background", "conversation", "include", "instructions", "metadata", "parallel_tool_calls",
    "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "text", "tool_choice",
    "tools", "truncation", "user",
}  # fmt: skip


def check(body):
    """Raise `RequestError` if the API would answer with status 400."""
    need_keys(body, "", ("model", "input"), {*OPTIONS, *COUNTS, *OTHERS})
    need_text(body["model"], "model")
    if "instructions" in body:
        need_text(body["instructions"], "instructions")
    if isinstance(body["input"], str):
        need_text(body["input"], "input")
    else:
        check_items(body["input"], continues=bool({"previous_response_id", "conversation"} & set(body)))
    for name, (low, high) in OPTIONS.items():
        if name in body:
            need_number(body[name], name, low, high)
    for name in COUNTS:
        if name in body:
            need_number(body[name], name, 0, 2**63, int)
    check_tools(body)
    if "text" in body:
        check_text(body["text"])


def check_items(items, *, continues=False):
    need_list(items, "input")
    need(breakpoints(items) <= 4, "input", "has more than four cache breakpoints")
    waiting = set()
    for number, item in enumerate(items):
        where = f"input[{number}]"
        need(isinstance(item, dict), where, "is not an object")
        kind = item.get("type", "message")
        # The API may accept later outputs. We apply the rule of Chat Completions.
        need(kind != "message" or not waiting, where, f"no tool output found for {sorted(waiting)} before it")
        if kind == "message":
            check_message(item, where)
        elif kind == "function_call":
            need_keys(item, where, ("type", "call_id", "name", "arguments"), ("id", "status"))
            need_text(item["call_id"], f"{where}.call_id")
            need_name(item["name"], f"{where}.name")
            need_json(item["arguments"], f"{where}.arguments")
            need(item["call_id"] not in waiting, where, "has a call_id twice")
            waiting.add(item["call_id"])
        elif kind == "reasoning":
            need_keys(item, where, ("type", "id", "summary"), ("content", "encrypted_content", "status"))
        else:
            need_one_of(kind, f"{where}.type", ("function_call_output",))
            need_keys(item, where, ("type", "call_id", "output"), ("id", "status"))
            need(item["call_id"] in waiting or continues, where, "no tool call found for this output")
            waiting.discard(item["call_id"])
            if item["output"] != "":
                check_content(item["output"], f"{where}.output")
    need(not waiting, "input", f"no tool output found for {sorted(waiting)}")


def check_message(item, where):
    need_keys(item, where, ("role", "content"), ("type", "phase", "id", "status"))
    need_one_of(item["role"], f"{where}.role", ("user", "assistant", "system", "developer"))
    if item["role"] == "assistant" and "id" in item:
        # A reply that is sent back.
        need_keys(item, where, ("type", "id", "role", "status", "content"), ("phase",))
        need_list(item["content"], f"{where}.content")
        for part in item["content"]:
            need_one_of(part.get("type"), f"{where}.content", ("output_text", "refusal"))
        return
    if item["role"] == "assistant":
        need(
            isinstance(item["content"], str), f"{where}.content", "is not a text, as required for an assistant message"
        )
    check_content(item["content"], f"{where}.content")


def check_content(content, where):
    # A user can send an empty text.
    if isinstance(content, str):
        return
    need_list(content, where)
    for number, part in enumerate(content):
        at = f"{where}[{number}]"
        need(isinstance(part, dict), at, "is not an object")
        need_one_of(part.get("type"), f"{at}.type", tuple(PARTS))
        PARTS[part["type"]]({key: each for key, each in part.items() if key != "prompt_cache_breakpoint"}, at)
        check_breakpoint(part, at)


def check_text_part(part, where):
    need_keys(part, where, ("type", "text"))
    need_text(part["text"], f"{where}.text")


def check_image(part, where):
    need_keys(part, where, ("type", "detail"), ("image_url", "file_id"))
    need(("image_url" in part) != ("file_id" in part), where, "has not one of image_url and file_id")
    need_one_of(part["detail"], f"{where}.detail", ("auto", "low", "high", "original"))
    if "image_url" in part:
        need_address(part["image_url"], where)
    else:
        need_text(part["file_id"], where)


def check_file(part, where):
    need_keys(part, where, ("type",), ("file_id", "file_data", "file_url", "filename"))
    given = {"file_id", "file_data", "file_url"} & set(part)
    need(len(given) == 1, where, "has not one of file_id, file_data and file_url")
    for key, value in part.items():
        need_text(value, f"{where}.{key}")


PARTS = {"input_text": check_text_part, "input_image": check_image, "input_file": check_file}


def check_tools(body):
    names = set()
    if "tools" in body:
        need_list(body["tools"], "tools")
        for number, tool in enumerate(body["tools"]):
            where = f"tools[{number}]"
            need(isinstance(tool, dict) and {"parameters", "strict"} <= set(tool), where, "lacks parameters or strict")
            given = {key: value for key, value in tool.items() if value is not None}
            need_keys(given, where, ("type", "name"), ("description", "parameters", "strict"))
            need_one_of(tool["type"], f"{where}.type", ("function",))
            check_declared(given, where, names)
    if "tool_choice" in body:
        need(names, "tool_choice", "is only allowed when tools are given")
        choice = body["tool_choice"]
        if isinstance(choice, dict):
            need_keys(choice, "tool_choice", ("type", "name"))
            need_one_of(choice["type"], "tool_choice.type", ("function",))
            need(choice["name"] in names, "tool_choice", "names no tool that is given")
        else:
            need_one_of(choice, "tool_choice", ("none", "auto", "required"))


def check_text(text):
    need_keys(text, "text", (), ("format", "verbosity"))
    if "format" not in text:
        return
    wanted = text["format"]
    need(isinstance(wanted, dict), "text.format", "is not an object")
    need_one_of(wanted.get("type"), "text.format.type", ("text", "json_object", "json_schema"))
    if wanted["type"] == "json_schema":
        schema = {key: value for key, value in wanted.items() if key != "type"}
        check_schema(schema, "text.format", "schema")
    else:
        need_keys(wanted, "text.format", ("type",))
