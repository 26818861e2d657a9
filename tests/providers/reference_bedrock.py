"""A conversion of messages to Bedrock's format without checks. It gives the expected result for valid messages."""

from __future__ import annotations

import base64
import binascii

from providers.reference import NO_CALL, anthropic_use, with_tool_calls


def bedrock_form(messages):
    """Convert messages. Consecutive messages of one role are merged."""
    system, turns = [], []
    for message in with_tool_calls(messages):
        role = message["role"]
        blocks = bedrock_blocks(message)
        if role in ("system", "developer") and not turns and "name" not in message:
            system += blocks
            continue
        name = {"name": message["name"]} if "name" in message else {}
        speaker = "user" if role == "tool" else role
        if turns and turns[-1]["role"] == speaker and not name:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": speaker, "content": blocks, **name})
    return {**({"system": system} if system else {}), "messages": turns}


def bedrock_blocks(message):
    content = message.get("content")
    if isinstance(content, str) or (not content and message["role"] in ("system", "developer", "user")):
        is_needed = message["role"] in ("system", "developer", "user")
        content = [{"type": "text", "text": content or ""}] if is_needed or (content or "").strip() else []
    blocks = []
    for part in content or ():
        blocks.append(bedrock_part(part))
        if "cache" in part and message["role"] != "tool":
            blocks.append(cache_point(part["cache"]))
    if message["role"] == "tool":
        call_id = message.get("tool_call_id") or NO_CALL
        result = {"toolUseId": call_id, "content": blocks}
        blocks = [{"toolResult": {**result, **({"status": "error"} if message.get("is_error") else {})}}]
    for call in message.get("tool_calls", ()):
        used = anthropic_use(call.get("id"), call["function"])
        blocks.append({"toolUse": {"toolUseId": used["id"], "name": used["name"], "input": used["input"]}})
    if "cache" in message and blocks and "cachePoint" not in blocks[-1]:
        blocks.append(cache_point(message["cache"]))
    return blocks


def cache_point(cache):
    return {"cachePoint": {"type": "default", **cache}}


def bedrock_part(part):
    make = {"image": bedrock_image, "image_url": linked_image, "input_audio": sound, "search_result": search_result}
    if part["type"] == "text":
        return {"text": part["text"]}
    return make[part["type"]](part) if part["type"] in make else {"document": {**part, "source": {}}}


def bedrock_image(part):
    return image(part["media_type"], part.get("data", ""))


def linked_image(part):
    url = part["image_url"]["url"]
    if not url.startswith("data:"):
        return {"image": {"format": "png", "source": {"url": url}}}
    media_type, _, data = url.removeprefix("data:").partition(";base64,")
    return image(media_type, data)


def sound(part):
    data = part["input_audio"]
    return {"audio": {"format": data["format"], "source": {"bytes": decoded(data["data"])}}}


def search_result(part):
    found = {"source": part["source"], "title": part["title"], "content": [{"text": text} for text in part["content"]]}
    return {"searchResult": {**found, **({"citations": {"enabled": True}} if part.get("citations") else {})}}


def image(media_type, data):
    return {"image": {"format": media_type.removeprefix("image/"), "source": {"bytes": decoded(data)}}}


def decoded(data):
    try:
        return base64.b64decode(data)
    except binascii.Error:
        return b""
