"""The rules of Anthropic's Messages API."""

from __future__ import annotations

from providers.checks import (
    RequestError,
    need,
    need_closed_schema,
    need_keys,
    need_list,
    need_name,
    need_number,
    need_one_of,
    need_text,
)

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
OPTIONS = {"temperature": (0, 1), "top_p": (0, 1), "top_k": (0, 500)}
# `output_format` is the name of `output_config` in its beta. LiteLLM sends it.
OTHERS = {
    "cache_control", "container", "metadata", "output_config", "output_format", "service_tier", "stop_sequences",
    "stream", "system", "thinking", "tool_choice", "tools",
}  # fmt: skip


def check(body):
    """Raise `RequestError` if the API would answer with status 400."""
    need_keys(body, "", ("model", "max_tokens", "messages"), {*OPTIONS, *OTHERS})
    need_text(body["model"], "model")
    # 0 fills the prompt cache without an answer.
    need_number(body["max_tokens"], "max_tokens", 0, 2**31, int)
    if "system" in body:
        check_content(body["system"], "system", ("text",))
    check_messages(body["messages"])
    for name, (low, high) in OPTIONS.items():
        if name in body:
            need_number(body[name], name, low, high)
    if "stop_sequences" in body:
        need_list(body["stop_sequences"], "stop_sequences")
        for stop in body["stop_sequences"]:
            need_readable(stop, "stop_sequences")
    check_tools(body)
    if "output_config" in body:
        check_output(body["output_config"])
    if "metadata" in body:
        need_keys(body["metadata"], "metadata", (), ("user_id",))
    hints = [hint for key in ("tools", "system", "messages") for hint in cached(body.get(key))]
    hints += [body["cache_control"]] if "cache_control" in body else []
    need(len(hints) <= 4, "", "a maximum of 4 blocks with cache_control may be provided")
    need(in_order(hints), "", "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")


def cached(value):
    """Return the cache hints in the order in which the API reads them: that of a block is after those inside it."""
    if isinstance(value, list):
        return [hint for each in value for hint in cached(each)]
    if isinstance(value, dict):
        # The input of a tool can have a key with this name, which is not a hint.
        inside = [hint for key, each in value.items() if key not in ("input", "cache_control") for hint in cached(each)]
        return [*inside, value["cache_control"]] if "cache_control" in value else inside
    return []


def in_order(hints):
    """Whether the hints of an hour are before those of five minutes."""
    ttls = [hint.get("ttl", "5m") for hint in hints]
    return ttls == sorted(ttls, key=("1h", "5m").index)


def check_messages(messages):
    need_list(messages, "messages")
    calls, roles = [], ("user", "assistant")
    for number, message in enumerate(messages):
        where = f"messages.{number}"
        if message.get("role") == "system" and number > 0:
            need_keys(message, where, ("role", "content"), ("clear_at", "output_config"))
            check_content(message["content"], f"{where}.content", ("text",))
            need(not calls, where, f"`tool_use` ids were found without `tool_result` blocks: {calls}")
            continue
        need_keys(message, where, ("role", "content"))
        # The API now merges messages of one role. We keep its older rule that roles must alternate.
        need(message["role"] == roles[0], f"{where}.role", "roles must alternate, user first")
        roles = roles[::-1]
        kinds = TURNS[message["role"]]
        check_content(message["content"], f"{where}.content", kinds)
        blocks = message["content"] if isinstance(message["content"], list) else []
        check_results(blocks, calls, where)
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        need(len(calls) == len(set(calls)), where, "`tool_use` ids must be unique in a turn")
    need(not calls, "messages", f"`tool_use` ids were found without `tool_result` blocks: {calls}")
    if messages[-1]["role"] == "assistant":
        content = messages[-1]["content"]
        text = content if isinstance(content, str) else content[-1].get("text", "")
        need(text == text.rstrip(), where, "final assistant content cannot end with trailing whitespace")


def check_results(blocks, calls, where):
    """Check that every tool call of the turn before has one result, before any other content."""
    results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    need(sorted(results) == sorted(calls), where, "`tool_result` blocks do not match the `tool_use` blocks before")
    first = [block["type"] for block in blocks[: len(results)]]
    need(all(kind == "tool_result" for kind in first), where, "`tool_result` blocks must come first")


TURNS = {
    "user": ("text", "image", "document", "search_result", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
}


def need_readable(text, where):
    need_text(text, where)
    need(text.strip(), where, "must contain non-whitespace text")


def check_content(content, where, kinds):
    if isinstance(content, str):
        need_readable(content, where)
        return
    need_list(content, where)
    for number, block in enumerate(content):
        at = f"{where}.{number}"
        need(isinstance(block, dict), at, "is not an object")
        need_one_of(block.get("type"), f"{at}.type", kinds)
        if "cache_control" in block:
            check_cache(block["cache_control"], f"{at}.cache_control")
        BLOCKS[block["type"]](block, at)


def check_cache(cache, where):
    need_keys(cache, where, ("type",), ("ttl",))
    need_one_of(cache["type"], f"{where}.type", ("ephemeral",))
    if "ttl" in cache:
        need_one_of(cache["ttl"], f"{where}.ttl", ("5m", "1h"))


def check_text(block, where):
    need_keys(block, where, ("type", "text"), ("cache_control", "citations"))
    need_readable(block["text"], f"{where}.text")


def check_image(block, where):
    need_keys(block, where, ("type", "source"), ("cache_control",))
    check_source(block["source"], f"{where}.source", IMAGES)


def check_document(block, where):
    need_keys(block, where, ("type", "source"), ("cache_control", "citations", "context", "title"))
    check_citations(block, where)
    if isinstance(block["source"], dict) and block["source"].get("type") == "text":
        need_keys(block["source"], f"{where}.source", ("type", "media_type", "data"))
        need_one_of(block["source"]["media_type"], f"{where}.source.media_type", ("text/plain",))
        need_text(block["source"]["data"], f"{where}.source.data")
        return
    check_source(block["source"], f"{where}.source", ("application/pdf",))


def check_citations(block, where):
    if "citations" in block:
        need_keys(block["citations"], f"{where}.citations", ("enabled",))
        need(isinstance(block["citations"]["enabled"], bool), f"{where}.citations", "is neither true nor false")


def check_search_result(block, where):
    need_keys(block, where, ("type", "source", "title", "content"), ("cache_control", "citations"))
    check_citations(block, where)
    need_text(block["source"], f"{where}.source")
    need_text(block["title"], f"{where}.title")
    need_list(block["content"], f"{where}.content")
    check_content(block["content"], f"{where}.content", ("text",))


def check_thinking(block, where):
    need_keys(block, where, ("type", "thinking", "signature"))
    need_text(block["signature"], f"{where}.signature")


def check_redacted_thinking(block, where):
    need_keys(block, where, ("type", "data"))


def check_source(source, where, types):
    need(isinstance(source, dict), where, "is not an object")
    kind = source.get("type")
    if kind == "base64":
        need_keys(source, where, ("type", "media_type", "data"))
        need_one_of(source["media_type"], f"{where}.media_type", types)
        need_text(source["data"], f"{where}.data")
    elif kind == "url":
        need_keys(source, where, ("type", "url"))
        need_text(source["url"], f"{where}.url")
        need(source["url"].lower().startswith("https://"), f"{where}.url", "only HTTPS addresses are supported")
    elif kind == "file":
        need_keys(source, where, ("type", "file_id"))
        need_text(source["file_id"], f"{where}.file_id")
    else:
        raise RequestError(f"{where}.type", "is none of base64, url, file")


def check_use(block, where):
    need_keys(block, where, ("type", "id", "name", "input"), ("cache_control",))
    need_name(block["id"], f"{where}.id")
    need_name(block["name"], f"{where}.name")
    need(isinstance(block["input"], dict), f"{where}.input", "is not an object")


def check_result(block, where):
    need_keys(block, where, ("type", "tool_use_id"), ("content", "is_error", "cache_control"))
    need_name(block["tool_use_id"], f"{where}.tool_use_id")
    if "content" in block:
        check_content(block["content"], f"{where}.content", ("text", "image", "document", "search_result"))
    if "is_error" in block:
        need(isinstance(block["is_error"], bool), f"{where}.is_error", "is neither true nor false")


BLOCKS = {
    "text": check_text,
    "image": check_image,
    "document": check_document,
    "search_result": check_search_result,
    "thinking": check_thinking,
    "redacted_thinking": check_redacted_thinking,
    "tool_use": check_use,
    "tool_result": check_result,
}


def check_tools(body):
    names = set()
    if "tools" in body:
        need_list(body["tools"], "tools")
        for number, tool in enumerate(body["tools"]):
            where = f"tools.{number}"
            need_keys(tool, where, ("name", "input_schema"), ("type", "description", "cache_control", "strict"))
            need_name(tool["name"], f"{where}.name")
            need(tool["name"] not in names, where, "tool names must be unique")
            names.add(tool["name"])
            need(isinstance(tool["input_schema"], dict), f"{where}.input_schema", "is no schema")
            need(tool["input_schema"].get("type") == "object", f"{where}.input_schema.type", "must be object")
            if tool.get("strict"):
                need_closed_schema(tool["input_schema"], f"{where}.input_schema")
    if "tool_choice" in body:
        choice = body["tool_choice"]
        need(names, "tool_choice", "may only be specified while providing tools")
        need(isinstance(choice, dict), "tool_choice", "is not an object")
        need_one_of(choice.get("type"), "tool_choice.type", ("auto", "any", "tool", "none"))
        required = ("type", "name") if choice["type"] == "tool" else ("type",)
        need_keys(choice, "tool_choice", required, ("disable_parallel_tool_use",))
        need(choice.get("name", next(iter(names))) in names, "tool_choice.name", "names no tool that is given")


def check_output(wanted):
    need_keys(wanted, "output_config", (), ("effort", "format"))
    if "format" in wanted:
        need_keys(wanted["format"], "output_config.format", ("type", "schema"))
        need_one_of(wanted["format"]["type"], "output_config.format.type", ("json_schema",))
        schema = wanted["format"]["schema"]
        need(schema.get("type") == "object", "output_config.format.schema", "must be an object")
        check_document(schema, "output_config.format.schema")


# The subset of JSON Schema for answers.
KEYWORDS = {
    "$defs", "$ref", "additionalProperties", "allOf", "anyOf", "const", "description", "enum", "format", "items",
    "minItems", "properties", "required", "title", "type",
}  # fmt: skip
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}


def check_document(schema, where):
    """Check a whole schema, with its definitions."""
    check_schema(schema, where)
    definitions = {name: references(each) for name, each in schema.get("$defs", {}).items()}
    for name, own in definitions.items():
        reached, left = set(), own
        while left:
            reached |= left
            left = {further for each in left for further in definitions.get(each, ())} - reached
        need(name not in reached, f"{where}.$defs.{name}", "recursive schemas are not supported")


def references(schema):
    """The names of the definitions that a schema refers to."""
    if isinstance(schema, list):
        return {name for each in schema for name in references(each)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*(references(each) for each in schema.values()))


def check_schema(schema, where):
    need_keys(schema, where, (), KEYWORDS)
    need(schema.get("minItems", 0) in {0, 1}, f"{where}.minItems", "is neither 0 nor 1")
    need_one_of(schema.get("format", "date"), f"{where}.format", FORMATS)
    if "$ref" in schema:
        need_keys(schema, where, ("$ref",), ("$defs",))
    if schema.get("type") == "object":
        need(schema.get("additionalProperties") is False, where, "must be closed")
    for key in ("$defs", "properties"):
        for name, each in schema.get(key, {}).items():
            check_schema(each, f"{where}.{key}.{name}")
    for key in ("anyOf", "allOf"):
        for number, each in enumerate(schema.get(key, ())):
            check_schema(each, f"{where}.{key}.{number}")
    if "items" in schema:
        check_schema(schema["items"], f"{where}.items")
