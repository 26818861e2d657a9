"""A conversion of messages without checks. It gives the expected result for valid messages."""

from __future__ import annotations

import contextlib
import json

from providers.openai_chat import breakpoints

#: The id in a tool result whose call is missing.
NO_CALL = "no-such-call"


def openai_form(messages):
    return [openai_message(message) for message in messages]


def openai_message(message):
    form = {key: value for key, value in message.items() if key not in ("cache", "tool_calls", "function_call")}
    if isinstance(message.get("content"), list):
        form["content"] = [openai_part(part) for part in message["content"]]
    form = with_breakpoint(form, message, "text")
    if message["role"] in ("assistant", "function"):
        form["content"] = form.get("content") or None
    if message.get("function_call"):
        form["function_call"] = openai_function(message["function_call"])
    if message.get("tool_calls"):
        form["tool_calls"] = [
            {**call, "type": "function", "function": openai_function(call["function"])}
            for call in message["tool_calls"]
        ]
    return form


def with_breakpoint(form, message, kind):
    """Put the cache hint of a message on its last part. A text becomes a part of this kind."""
    found = breakpoint_of(message)
    if not found or not form.get("content"):
        return form
    content = form["content"]
    *others, last = [{"type": kind, "text": content}] if isinstance(content, str) else content
    return {**form, "content": [*others, {**found, **last}]}


def breakpoint_of(holder):
    """Return OpenAI's cache breakpoint of a message or part as its key and value, or nothing."""
    hint = holder.get("cache", {}).get("openai")
    time = hint if isinstance(hint, dict) else {}
    return {"prompt_cache_breakpoint": {"mode": "explicit", **time}} if hint else {}


def openai_function(call):
    arguments = call.get("arguments", {})
    return {**call, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}


def openai_part(part):
    form = {key: value for key, value in part.items() if key != "cache"}
    if form["type"] == "image":
        url = f"data:{form['media_type']};base64,{form['data']}" if form["data"] else ""
        form = {"type": "image_url", "image_url": {"url": url}}
    return {**form, **breakpoint_of(part)}


def anthropic_form(messages):
    """Convert messages. Ids are kept, and each legacy function call gets an id from its number."""
    system, turns, pair = [], [], (0, None)
    for message in messages:
        role = message["role"]
        blocks = anthropic_blocks(message)
        if message.get("function_call"):
            pair = (pair[0] + 1, message["function_call"]["name"])
            blocks.append(anthropic_use(f"pair-{pair[0]}", message["function_call"]))
        blocks += [anthropic_use(call.get("id"), call["function"]) for call in message.get("tool_calls", ())]
        if role in ("tool", "function"):
            call_id = message.get("tool_call_id")
            if role == "function":
                call_id = f"pair-{pair[0]}" if message.get("name") == pair[1] else NO_CALL
            blocks = [{"type": "tool_result", "tool_use_id": call_id, **({"content": blocks} if blocks else {})}]
        if "cache" in message and blocks:
            blocks[-1].setdefault("cache_control", {"type": "ephemeral", **message["cache"]})
        if role in ("system", "developer") and not turns and "name" not in message:
            system += blocks
            continue
        name = {"name": message["name"]} if "name" in message and role != "function" else {}
        speaker = "user" if role in ("tool", "function") else role
        joins = turns and all(block["type"] == "tool_result" for block in turns[-1]["content"])
        if speaker == "user" and joins and not name:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": speaker, "content": blocks, **name})
    return {**({"system": system} if system else {}), "messages": turns}


def anthropic_use(id, call):
    arguments = call.get("arguments", {})
    if isinstance(arguments, str):
        with contextlib.suppress(ValueError):
            arguments = json.loads(arguments) if arguments.strip() else {}
    return {"type": "tool_use", "id": id, "name": call.get("name"), "input": arguments}


def anthropic_blocks(message):
    content = message.get("content")
    if content and isinstance(content, list):
        return [anthropic_part(part) for part in content]
    says_more = message["role"] in ("function", "tool") or message.get("tool_calls") or message.get("function_call")
    return [] if not content and says_more else [{"type": "text", "text": content or ""}]


def anthropic_part(part):
    make = {"text": anthropic_text, "image": anthropic_image, "image_url": anthropic_linked_image}
    make |= {"file": anthropic_document, "search_result": anthropic_search_result}
    block = make[part["type"]](part) if part["type"] in make else dict(part)
    if part.get("citations"):
        block["citations"] = {"enabled": True}
    if "cache" in part:
        block["cache_control"] = {"type": "ephemeral", **part["cache"]}
    return block


def anthropic_text(part):
    return {"type": "text", "text": part["text"]}


def anthropic_image(part):
    if "file_id" in part:
        return {"type": "image", "source": {"type": "file", "file_id": part["file_id"]}}
    return {"type": "image", "source": anthropic_data(part["media_type"], part["data"])}


def anthropic_linked_image(part):
    return {"type": "image", "source": anthropic_url(part["image_url"]["url"])}


def anthropic_search_result(part):
    content = [anthropic_text({"text": text}) for text in part["content"]]
    return {"type": "search_result", "source": part["source"], "title": part["title"], "content": content}


def anthropic_document(part):
    file = part.get("file", {})
    if "url" in part:
        source = {"type": "url", "url": part["url"]}
    elif "text" in part:
        source = {"type": "text", "media_type": "text/plain", "data": part["text"]}
    elif file.get("file_id"):
        source = {"type": "file", "file_id": file["file_id"]}
    else:
        source = anthropic_url(file.get("file_data", ""))
    beside = {key: part[key] for key in ("title", "context") if key in part}
    if file.get("filename"):
        beside.setdefault("title", file["filename"])
    return {"type": "document", "source": source, **beside}


def anthropic_url(url):
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    media_type, _, data = url.removeprefix("data:").partition(";base64,")
    return anthropic_data(media_type, data)


def anthropic_data(media_type, data):
    return {"type": "base64", "media_type": media_type, "data": data}


def litellm_form(messages):
    """Convert messages to OpenAI's format, with a tool call for each legacy function call."""
    return openai_form(with_tool_calls(messages))


def with_tool_calls(messages):
    """Replace legacy function calls by tool calls with ids from their numbers."""
    written, pair = [], (0, None)
    for message in map(dict, messages):
        if message.get("function_call"):
            function = message.pop("function_call")
            pair = (pair[0] + 1, function["name"])
            call = {"id": f"pair-{pair[0]}", "type": "function", "function": function}
            message["tool_calls"] = [*message.get("tool_calls", ()), call]
        if message["role"] == "function":
            name = message.pop("name", None)
            message["role"] = "tool"
            message["tool_call_id"] = f"pair-{pair[0]}" if name == pair[1] else NO_CALL
        written.append(message)
    return written


def responses_form(messages):
    """Convert the leading system messages to instructions, and the others to items."""
    instructions, items = [], []
    for message in with_tool_calls(messages):
        role, content = message["role"], message.get("content")
        name = {"name": message["name"]} if "name" in message else {}
        if isinstance(content, list):
            content = [{**responses_part(part), **breakpoint_of(part)} for part in content]
        marked = bool(breakpoint_of(message)) or breakpoints(content)
        content = with_breakpoint({"content": content}, message, "input_text")["content"]
        texts = [content] if isinstance(content, str) else [part.get("text") for part in content or ()]
        calls = [responses_call(call["id"], call["function"]) for call in message.get("tool_calls", ())]
        if (
            role in ("system", "developer")
            and not marked
            and not items
            and isinstance(content, str)
            and not content.strip()
        ):
            continue
        if (
            role in ("system", "developer")
            and not marked
            and not items
            and not name
            and not calls
            and texts
            and all(texts)
        ):
            instructions += texts
            continue
        if role == "tool":
            call_id = message.get("tool_call_id")
            flag = {"is_error": True} if message.get("is_error") else {}
            items.append({"type": "function_call_output", "call_id": call_id, "output": content, **name, **flag})
        elif content or name or not calls:
            if role == "assistant" and not marked and texts and all(isinstance(text, str) for text in texts):
                items += [{"role": role, "content": text, **name} for text in texts]
            else:
                items.append({"role": role, "content": content, **name})
        items += calls
    return {**({"instructions": "\n\n".join(instructions)} if instructions else {}), "input": items}


def responses_call(call_id, call):
    return {"type": "function_call", "call_id": call_id, **openai_function(call)}


def responses_part(part):
    if part["type"] == "image" and "file_id" in part:
        return {"type": "input_image", "file_id": part["file_id"], "detail": "auto"}
    if part["type"] == "file" and "url" in part:
        return {"type": "input_file", "file_url": part["url"]}
    part = openai_part({**part, "cache": {}})
    if part["type"] == "text":
        return {"type": "input_text", "text": part["text"]}
    if part["type"] == "image_url":
        image = part["image_url"]
        return {"type": "input_image", "image_url": image["url"], "detail": image.get("detail", "auto")}
    return {"type": "input_file", **part["file"]} if part["type"] == "file" else part


def normalized(form):
    """Replace equivalent spellings by one: texts become blocks, arguments are parsed, and ids become numbers."""
    ids = {}

    def number(id):
        return ids.setdefault(id, len(ids))

    def walk(value, key=None):
        if key in ("tool_use_id", "tool_call_id", "call_id", "toolUseId"):
            return number(value)
        if key == "arguments":
            return json.loads(value)
        if isinstance(value, list):
            return [walk(each) for each in value]
        if isinstance(value, dict):
            # Do not change the input of a tool.
            given = {"input"} if value.get("type") == "tool_use" or "toolUseId" in value else set()
            given |= {"args", "response"} if key in ("function_call", "function_response") else set()
            same = {each: inner if each in given else walk(inner, each) for each, inner in value.items()}
            # OpenAI's old `function_call` has no id, and Gemini's has `args`.
            is_gemini = key == "function_response" or (key == "function_call" and "arguments" not in value)
            if value.get("type") in ("tool_use", "function") or is_gemini:
                same["id"] = number(value["id"])
            return same
        if key in ("content", "system") and isinstance(value, str):
            return [{"type": "text", "text": value}]
        return value

    return walk(form)
