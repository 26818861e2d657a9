"""The rules of OpenAI's Chat Completions and Completions APIs."""

from __future__ import annotations

from providers.checks import (
    RequestError,
    need,
    need_address,
    need_closed_schema,
    need_json,
    need_keys,
    need_list,
    need_name,
    need_number,
    need_one_of,
    need_text,
)

OPTIONS = {
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "temperature": (0, 2),
    "top_p": (0, 1),
}
COUNTS = {"max_tokens": 1, "max_completion_tokens": 1, "n": 1, "seed": -(2**63), "top_logprobs": 0}
OTHERS = {
    "audio", "function_call", "functions", "logit_bias", "logprobs", "metadata", "modalities", "parallel_tool_calls",
    "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
    "response_format", "safety_identifier", "service_tier", "stop", "store", "stream", "stream_options",
    "tool_choice", "tools", "user", "verbosity", "web_search_options",
}  # fmt: skip


def check(body):
    """Raise `RequestError` if the API would answer with status 400."""
    need_keys(body, "", ("model", "messages"), {*OPTIONS, *COUNTS, *OTHERS})
    need_text(body["model"], "model")
    check_messages(body["messages"])
    check_options(body)
    check_tools(body)
    if "response_format" in body:
        check_response_format(body["response_format"])


def check_completion(body):
    """Check a request to `/completions`, which takes a text."""
    optional = {"best_of", "echo", "logit_bias", "logprobs", "stop", "stream", "stream_options", "suffix", "user"}
    need_keys(body, "", ("model", "prompt"), {*OPTIONS, "max_tokens", "n", "seed", *optional})
    need_text(body["model"], "model")
    need_text(body["prompt"], "prompt")
    check_options(body)


def check_options(body):
    for name, (low, high) in OPTIONS.items():
        if name in body:
            need_number(body[name], name, low, high)
    for name, low in COUNTS.items():
        if name in body:
            need_number(body[name], name, low, 2**63, int)
    if "stop" in body:
        stops = [body["stop"]] if isinstance(body["stop"], str) else body["stop"]
        need_list(stops, "stop")
        need(len(stops) <= 4, "stop", "has more than four sequences")
        for stop in stops:
            need_text(stop, "stop")
    if "metadata" in body:
        need(len(body["metadata"]) <= 16, "metadata", "has more than 16 members")


def breakpoints(value):
    """Return the number of cache breakpoints."""
    if isinstance(value, list):
        return sum(map(breakpoints, value))
    if isinstance(value, dict):
        return ("prompt_cache_breakpoint" in value) + sum(map(breakpoints, value.values()))
    return 0


def check_breakpoint(part, where):
    """Check the cache breakpoint of a part, if it has one."""
    if "prompt_cache_breakpoint" in part:
        where = f"{where}.prompt_cache_breakpoint"
        found = part["prompt_cache_breakpoint"]
        need_keys(found, where, ("mode",), ("ttl",))
        need_one_of(found["mode"], f"{where}.mode", ("explicit",))
        if "ttl" in found:
            need_one_of(found["ttl"], f"{where}.ttl", ("30m", "12h"))


def check_messages(messages):
    need_list(messages, "messages")
    need(breakpoints(messages) <= 4, "messages", "has more than four cache breakpoints")
    waiting = {}
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        need(isinstance(message, dict), where, "is not an object")
        role = message.get("role")
        need(role in MESSAGES, f"{where}.role", "is no role")
        if role != "tool" and waiting:
            raise RequestError(where, f"tool calls {sorted(waiting)} have no result")
        MESSAGES[role](message, where)
        if role == "tool":
            need(waiting.pop(message["tool_call_id"], None), where, "answers no call of the turn before it")
        for call in message.get("tool_calls", ()):
            need(call["id"] not in waiting, where, "has an id twice")
            waiting[call["id"]] = call
    need(not waiting, "messages", f"tool calls {sorted(waiting)} have no result")


def check_instruction(message, where):
    need_keys(message, where, ("role", "content"), ("name",))
    check_content(message["content"], where, ("text",))
    check_name(message, where)


def check_user(message, where):
    need_keys(message, where, ("role", "content"), ("name",))
    check_content(message["content"], where, tuple(PARTS))
    check_name(message, where)


def check_assistant(message, where):
    message = {key: value for key, value in message.items() if (key, value) != ("content", None)}
    need_keys(message, where, ("role",), ("content", "name", "refusal", "tool_calls", "function_call"))
    given = {"content", "refusal", "tool_calls", "function_call"} & set(message)
    need(given, where, "has neither content nor calls")
    need(not {"tool_calls", "function_call"} <= given, where, "has both tool_calls and function_call")
    if "content" in message:
        check_content(message["content"], where, ("text", "refusal"))
    check_name(message, where)
    if "function_call" in message:
        check_function(message["function_call"], f"{where}.function_call")
    if "tool_calls" in message:
        need_list(message["tool_calls"], f"{where}.tool_calls")
        for number, call in enumerate(message["tool_calls"]):
            at = f"{where}.tool_calls[{number}]"
            need_keys(call, at, ("id", "type", "function"))
            need_text(call["id"], f"{at}.id")
            need_one_of(call["type"], f"{at}.type", ("function",))
            check_function(call["function"], f"{at}.function")


def check_tool(message, where):
    need_keys(message, where, ("role", "content", "tool_call_id"))
    if message["content"] != "":
        check_content(message["content"], where, ("text",))
    need_text(message["tool_call_id"], f"{where}.tool_call_id")


def check_result_of_function(message, where):
    need("content" in message, where, "lacks content")
    message = {key: value for key, value in message.items() if (key, value) != ("content", None)}
    need_keys(message, where, ("role", "name"), ("content",))
    need_name(message["name"], f"{where}.name")
    if "content" in message:
        need(isinstance(message["content"], str), f"{where}.content", "is not a text")


MESSAGES = {
    "system": check_instruction,
    "developer": check_instruction,
    "user": check_user,
    "assistant": check_assistant,
    "tool": check_tool,
    "function": check_result_of_function,
}


def check_name(message, where):
    if "name" in message:
        need_name(message["name"], f"{where}.name")


def check_function(call, where):
    need_keys(call, where, ("name", "arguments"))
    need_name(call["name"], f"{where}.name")
    need_json(call["arguments"], f"{where}.arguments")


def check_content(content, where, kinds):
    where = f"{where}.content"
    # A user can send an empty text.
    if isinstance(content, str):
        return
    need_list(content, where)
    for number, part in enumerate(content):
        at = f"{where}[{number}]"
        need(isinstance(part, dict), at, "is not an object")
        kind = part.get("type")
        need(kind in kinds, f"{at}.type", f"is none of {', '.join(kinds)}")
        need_keys(part, at, ("type", kind), ("prompt_cache_breakpoint",) if kind in PARTS else ())
        check_breakpoint(part, at)
        PARTS.get(kind, need_text)(part[kind], f"{at}.{kind}")


def check_image(image, where):
    need_keys(image, where, ("url",), ("detail",))
    need_address(image["url"], f"{where}.url")
    if "detail" in image:
        need_one_of(image["detail"], f"{where}.detail", ("auto", "low", "high", "original"))


def check_audio(audio, where):
    need_keys(audio, where, ("data", "format"))
    need_text(audio["data"], f"{where}.data")
    need_one_of(audio["format"], f"{where}.format", ("wav", "mp3"))


def check_file(file, where):
    need_keys(file, where, (), ("file_id", "file_data", "filename"))
    need("file_id" in file or "file_data" in file, where, "has neither an id nor data")
    for key, value in file.items():
        need_text(value, f"{where}.{key}")


PARTS = {"text": need_text, "image_url": check_image, "input_audio": check_audio, "file": check_file}


def check_tools(body):
    names = set()
    if "tools" in body:
        need_list(body["tools"], "tools")
        for number, tool in enumerate(body["tools"]):
            where = f"tools[{number}]"
            need_keys(tool, where, ("type", "function"))
            need_one_of(tool["type"], f"{where}.type", ("function",))
            function = tool["function"]
            need_keys(function, f"{where}.function", ("name",), ("description", "parameters", "strict"))
            check_declared(function, f"{where}.function", names)
    if "tool_choice" in body:
        need(names, "tool_choice", "is only allowed when tools are given")
        choice = body["tool_choice"]
        if isinstance(choice, dict):
            need_keys(choice, "tool_choice", ("type", "function"))
            need_one_of(choice["type"], "tool_choice.type", ("function",))
            need_keys(choice["function"], "tool_choice.function", ("name",))
            choice = choice["function"]["name"]
            need(choice in names, "tool_choice", "names no tool that is given")
        else:
            need_one_of(choice, "tool_choice", ("none", "auto", "required"))
    if "parallel_tool_calls" in body:
        need(names, "parallel_tool_calls", "is only allowed when tools are given")


def check_declared(function, where, names):
    """Check the name, description and parameters of a function."""
    need_name(function["name"], f"{where}.name")
    need(len(function["name"]) <= 64, f"{where}.name", "is longer than 64 characters")
    need(function["name"] not in names, where, "has the name of another tool")
    names.add(function["name"])
    if "description" in function:
        need(isinstance(function["description"], str), f"{where}.description", "is not a text")
    if "parameters" in function:
        need(isinstance(function["parameters"], dict), f"{where}.parameters", "is no schema")
        need(function["parameters"].get("type") == "object", f"{where}.parameters", "is not the schema of an object")
        if function.get("strict"):
            need_closed_schema(function["parameters"], f"{where}.parameters")


def check_response_format(wanted):
    where = "response_format"
    need_keys(wanted, where, ("type",), ("json_schema",))
    need_one_of(wanted["type"], f"{where}.type", ("text", "json_object", "json_schema"))
    if wanted["type"] == "json_schema":
        need_keys(wanted, where, ("type", "json_schema"))
        check_schema(wanted["json_schema"], f"{where}.json_schema")
    else:
        need_keys(wanted, where, ("type",))


def check_schema(schema, where, *further):
    need_keys(schema, where, ("name", *further), ("description", "schema", "strict"))
    need_name(schema["name"], f"{where}.name")
    need(len(schema["name"]) <= 64, f"{where}.name", "is longer than 64 characters")
    if schema.get("strict"):
        need_closed_schema(schema.get("schema"), f"{where}.schema")
        need(schema["schema"].get("type") == "object", f"{where}.schema", "must be an object's")
