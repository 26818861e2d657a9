"""A conversion of messages to Gemini's format without checks. It gives the expected result for valid messages."""

from __future__ import annotations

import base64
import mimetypes

from providers.reference import NO_CALL, anthropic_use, with_tool_calls


def gemini_form(messages):
    """Convert messages. Results are in the order of their calls."""
    system, contents, names, open_results = [], [], {}, None
    for message in with_tool_calls(messages):
        role = message["role"]
        name = {"name": message["name"]} if "name" in message else {}
        if role == "tool":
            call_id = message.get("tool_call_id") or NO_CALL
            if open_results is None:
                open_results = []
                contents.append({"parts": open_results, "role": "user"})
            open_results.append(result_part(message, call_id, names.get(call_id, NO_CALL)))
            # The API refuses them here.
            contents[-1]["parts"] += call_parts(message) if message.get("tool_calls") else []
            order = [*names, None]
            open_results.sort(key=lambda part: order.index(known(part, names)))
            continue
        parts = gemini_parts(message.get("content"))
        calls = message.get("tool_calls", ())
        if not parts and (role != "assistant" or not calls):
            parts = [{"text": ""}]
        if role in ("system", "developer") and not contents and not name and not calls:
            system += parts
            continue
        named = {call.get("id"): call["function"].get("name") for call in calls}
        parts += call_parts(message)
        speaker = {"user": "user", "assistant": "model"}.get(role, role)
        if speaker == "model" and contents and contents[-1]["role"] == "model" and not name:
            contents[-1]["parts"] += parts
            names |= named
            continue
        open_results, names = None, named
        contents.append({"parts": parts, "role": speaker, **name})
    texts = [part["text"] for part in system if set(part) == {"text"}]
    instruction = {"parts": system} if len(system) != 1 or not texts else texts[0]
    return {"contents": contents, **({"config": {"system_instruction": instruction}} if system else {})}


def known(part, names):
    """The id of the call that a result answers, if there is such a call."""
    answered = part.get("function_response", {}).get("id")
    return answered if answered in names else None


def call_parts(message):
    used = [anthropic_use(call.get("id"), call["function"]) for call in message.get("tool_calls", ())]
    return [{"function_call": {"id": use["id"], "name": use["name"], "args": use["input"]}} for use in used]


def result_part(message, call_id, name):
    parts = gemini_parts(message.get("content"))
    said = "\n".join(part["text"] for part in parts if "text" in part)
    media = [part for part in parts if "text" not in part]
    key = "error" if message.get("is_error") else "output"
    response = {"id": call_id, "name": name, "response": {key: said}, **({"parts": media} if media else {})}
    name = {"speaker": message["name"]} if "name" in message else {}
    return {"function_response": {**response, **name}}


def gemini_parts(content):
    if isinstance(content, str):
        return [{"text": content}] if content else []
    return [gemini_part(part) for part in content or ()]


def gemini_part(part):
    kind = part["type"]
    if kind == "text":
        return {"text": part["text"]}
    if kind == "image":
        return inline(part["media_type"], part["data"])
    if kind == "input_audio":
        sound = part["input_audio"]
        return inline(f"audio/{sound['format']}", sound["data"])
    if kind == "image_url":
        return linked(part["image_url"]["url"])
    if "text" in part:
        return inline("text/plain", base64.b64encode(part["text"].encode()).decode())
    return linked(part.get("url") or part.get("file", {}).get("file_data", ""))


def inline(media_type, data):
    return {"inline_data": {"mime_type": media_type, "data": data}}


def linked(url):
    if url.startswith("data:"):
        media_type, _, data = url.removeprefix("data:").partition(";base64,")
        return inline(media_type, data)
    return {"file_data": {"mime_type": mimetypes.guess_type(url.partition("?")[0])[0] or "", "file_uri": url}}
