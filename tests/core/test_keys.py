"""Every key of a prompt file survives the way through the Python models and back into a file.

``src/prompt/keys.rs`` has the keys that the reader accepts. :data:`PROMPTS` uses each of them, which the first test
checks, so a new key fails here until it has an example.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from prompt_manager import Prompt, PromptManager

KEYS = Path(__file__).parents[2] / "src/prompt/keys.rs"

CALL = {"name": "look_up", "arguments": {"id": "{{id}}", "deep": [1, None, True]}}
HINT = {"type": "ephemeral", "ttl": "1h", "openai": {"mode": "explicit", "ttl": "30m"}}
PARTS = [
    {"type": "text", "text": "{{question}}", "cache": HINT},
    {"type": "image_url", "image_url": {"url": "https://example.com/{{id}}.png", "detail": "low"}},
    {"type": "image", "media_type": "image/png", "data": "aGk="},
    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    {"type": "file", "file": {"file_id": "file-1"}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}, "title": "A"},
    {"type": "image", "file_id": "file-2", "media_type": "image/png", "cache": True},
    {
        "type": "file",
        "url": "https://example.com/{{id}}.pdf",
        "title": "Terms",
        "context": "Of {{id}}",
        "citations": True,
        "cache": True,
    },
    {"type": "file", "text": "Terms of {{id}}"},
    {
        "type": "search_result",
        "source": "https://example.com/{{id}}",
        "title": "{{id}}",
        "content": ["{{question}}"],
        "citations": True,
        "cache": True,
    },
]
MESSAGES = [
    {"role": "system", "content": "You answer {{question}}, {{urgency}}.", "cache": True},
    {"role": "developer", "content": "{{#if id}}It is {{id}}.{{/if}}", "optional": True},
    {"role": "placeholder", "name": "history", "optional": True},
    {"role": "user", "name": "ada", "content": PARTS},
    {"role": "assistant", "content": "One moment.", "tool_calls": [{"id": "1", "type": "function", "function": CALL}]},
    {"role": "tool", "tool_call_id": "1", "content": "42", "is_error": True},
    {"role": "assistant", "tool_calls": [{"id": "2", **CALL}]},
    {"role": "tool", "tool_call_id": "2", "content": "43"},
    {"role": "assistant", "function_call": CALL},
    {"role": "function", "name": "look_up", "content": "44"},
    {"role": "assistant", "refusal": "No, {{id}}."},
]
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
#: Variables, tools and so on, as both prompts have them.
VARIABLES = {
    "question": {"type": "string", "description": "What to answer", "default": "Why?"},
    "id": {"type": "string", "required": False},
    "urgency": {"type": "enum", "values": ["low", "high", 3, True], "default": "low"},
}
TOOLS = [
    {"name": "look_up", "description": "Find an order", "parameters": SCHEMA, "strict": True},
    {
        "type": "function",
        "function": {"name": "b", "description": "B", "parameters": SCHEMA, "strict": False},
        "cache": {"ttl": "1h", "openai": True},
    },
    {"provider": "openai", "type": "web_search"},
]
SETTINGS = {
    "model": "gpt-5",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 800,
    "stop": ["END"],
    "seed": 7,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.25,
    "top_k": 40,
    "effort": "low",
    "verbosity": "high",
    "thinking_budget": 2048,
    "parallel_tool_calls": False,
    "extra": {"store": False},
    "openai": {"service_tier": "flex"},
    "anthropic": {"thinking": {"type": "adaptive"}},
    "litellm": {"drop_params": True},
    "gemini": {"candidate_count": 1},
    "bedrock": {"performanceConfig": {"latency": "optimized"}},
}
METADATA = {
    "author": "Ada",
    "description": "An example",
    "category": "service",
    "tags": ["support"],
    "use_cases": ["tickets"],
    "model_recommendations": ["gpt-5"],
    "temperature": 0.25,
    "max_tokens": 9,
    "custom": {"a": [1, {"b": None}]},
    "team": {"since": "2026-01-31"},
}
ABOUT = {
    "version": "2.1.0",
    "status": "active",
    "input_schema": {"type": "object", "properties": {}},
    "output_schema": SCHEMA,
    "metadata": METADATA,
    "labels": ["production"],
    "uid": "6f1f1f6e-7a3a-4b8e-9f57-0a1b2c3d4e5f",
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-02-01T12:00:00.5Z",
}
PROMPTS: dict[str, dict[str, Any]] = {
    "short": {
        "id": "short",
        "messages": MESSAGES,
        "variables": VARIABLES,
        "partials": {"tone": "Be {{id}}."},
        "tools": TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "look_up"}},
        "settings": SETTINGS,
        **ABOUT,
    },
    "long": {
        "id": "long",
        "format": "chat",
        "chat_template": {
            "messages": MESSAGES,
            "variables": VARIABLES,
            "partials": {"tone": "Be {{id}}."},
            "helpers": {},
        },
        "tools": TOOLS,
        "tool_choice": {"name": "look_up"},
        "settings": SETTINGS,
        **ABOUT,
    },
    "text": {
        "id": "text",
        "format": "instruction",
        "template": {
            "content": "{{> tone}} {{question}}",
            "variables": ["id", "question"],
            "partials": {"tone": "Be {{id}}."},
            "helpers": {},
        },
        "tools": TOOLS,
        "tool_choice": "auto",
        **ABOUT,
    },
}


def accepted() -> dict[str, set[str]]:
    """The tables of keys in the source of the reader, by name."""
    tables = re.findall(r"const (\w+): &\[&str\] =\s*&\[(.*?)\];", KEYS.read_text(encoding="utf-8"), re.DOTALL)
    return {name: set(re.findall(r'"(\w+)"', body)) for name, body in tables}


def table_of(part: dict[str, Any]) -> str:
    """The table with the keys of a part."""
    match part:
        case {"type": "search_result"}:
            return "SEARCH_RESULT"
        case {"type": "image", "file_id": _}:
            return "UPLOADED_IMAGE"
        case {"type": "file", **others} if set(others) != {"file"}:
            return "FILE_PART"
        case _:
            return "PART"


def used(prompt: dict[str, Any]) -> dict[str, set[str]]:
    """The keys that a prompt uses, by the table that has them."""
    found: dict[str, set[str]] = {}

    def note(table: str, *mappings: object) -> None:
        for mapping in mappings:
            if isinstance(mapping, dict):
                found.setdefault(table, set()).update(mapping)

    note("PROMPT", prompt)
    note("TEMPLATE", prompt.get("template"))
    chat = prompt.get(
        "chat_template", {"messages": prompt.get("messages", ()), "variables": prompt.get("variables", {})}
    )
    note("CHAT_TEMPLATE", prompt.get("chat_template"))
    for message in chat.get("messages", ()):
        note("MESSAGE", message)
        note("FUNCTION_CALL", message.get("function_call"))
        for call in message.get("tool_calls", ()):
            note("TOOL_CALL", call)
            note("FUNCTION_CALL", call.get("function"))
        for part in message["content"] if isinstance(message.get("content"), list) else ():
            note(table_of(part), part)
            note("CACHE", part.get("cache"))
            note("OPENAI_CACHE", part["cache"].get("openai") if isinstance(part.get("cache"), dict) else None)
            for key in ("image_url", "input_audio", "file"):
                note(key.upper(), part.get(key))
    note("VARIABLE", *chat.get("variables", {}).values())
    for tool in prompt["tools"]:
        note("TOOL", tool)
        note("TOOL_FUNCTION", tool.get("function"))
    note("TOOL_CHOICE", prompt["tool_choice"])
    note("SETTINGS", prompt.get("settings"))
    note("METADATA", {key: value for key, value in prompt["metadata"].items() if key != "team"})
    return found


def test_the_examples_use_every_key_of_the_reader():
    found: dict[str, set[str]] = {"PROMPT": {"prompts"}}
    for prompt in PROMPTS.values():
        for table, keys in used(prompt).items():
            found.setdefault(table, set()).update(keys)
    assert found == accepted()


@pytest.mark.parametrize("name", PROMPTS)
def test_every_key_survives_the_python_models(name, directory):
    root = directory({"a.yaml": json.dumps(PROMPTS[name])})
    loaded = PromptManager.from_directory_sync(root)
    prompt = loaded.get_prompt_sync(name)

    built = Prompt.model_validate(prompt.model_dump())
    assert built == prompt
    assert Prompt(**PROMPTS[name]).content_hash == prompt.content_hash == built.content_hash

    (root / "a.yaml").write_text(built.to_yaml(), encoding="utf-8")
    again = PromptManager.from_directory_sync(root).get_prompt_sync(name)
    assert again == prompt
    assert again.content_hash == prompt.content_hash


def test_both_spellings_have_the_same_content_hash():
    short, long = (Prompt(**PROMPTS[name]) for name in ("short", "long"))
    assert short.content_hash == long.content_hash
    assert short.chat_template == long.chat_template
