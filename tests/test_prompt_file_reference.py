"""The reference of prompt files has exactly the keys that the reader knows, and its examples load."""

from __future__ import annotations

import re

import pytest
import yaml

from helpers import ROOT
from prompt_manager import PromptManager

DOCUMENT = (ROOT / "docs" / "prompt-files.md").read_text(encoding="utf-8")
READER = (ROOT / "src" / "prompt" / "keys.rs").read_text(encoding="utf-8")
SECTIONS = {
    "Keys of a prompt": "PROMPT",
    "Keys of a message": "MESSAGE",
    "Keys of a part": "PART",
    "Keys of a cache hint": "CACHE",
    "Keys of a file": "FILE_PART",
    "Keys of a search result": "SEARCH_RESULT",
    "Keys of a tool call": "TOOL_CALL",
    "Keys of a variable": "VARIABLE",
    "Keys of a tool": "TOOL",
    "Keys of settings": "SETTINGS",
    "Keys of metadata": "METADATA",
}
ROWS = {
    title: re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| `(.+)` \|$", text, flags=re.MULTILINE)
    for title, text in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
}
FILES = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


def keys_of_the_reader(constant):
    (listed,) = re.findall(rf"const {constant}: &\[&str\] =\s*&\[(.*?)\];", READER, flags=re.DOTALL)
    return re.findall(r'"(\w+)"', listed)


@pytest.mark.parametrize(("title", "constant"), SECTIONS.items(), ids=SECTIONS.values())
def test_a_table_has_the_keys_of_the_reader(title, constant):
    assert sorted(row[0] for row in ROWS[title]) == sorted(keys_of_the_reader(constant))


#: What a chat prompt needs beside the example.
CHAT = "messages: [{role: user, content: Hi}]"
#: A file for the examples of each table, with `EXAMPLE` in place of a key and its value.
FILES_OF_TABLES = {
    "Keys of a prompt": "{template: Hi, EXAMPLE}",
    "Keys of a message": "messages: [{role: user, content: Hi}, {role: assistant, EXAMPLE}]",
    "Keys of a part": "messages: [{role: user, content: [{type: PART, EXAMPLE}]}]",
    "Keys of a cache hint": "messages: [{role: user, content: Hi, cache: {EXAMPLE}}]",
    "Keys of a file": "messages: [{role: user, content: [{type: file, text: Hi, EXAMPLE}]}]",
    "Keys of a search result": "messages: [{role: user, content: [{type: search_result, "
    "source: a, title: b, content: c, EXAMPLE}]}]",
    "Keys of a tool call": "messages: [{role: assistant, tool_calls: [{id: call_1, name: find_order, EXAMPLE}]}]",
    "Keys of a variable": "{template: '{{x}}', variables: {x: {EXAMPLE}}}",
    "Keys of a tool": f"{{{CHAT}, tools: [{{name: find_order, EXAMPLE}}]}}",
    "Keys of settings": "{template: Hi, settings: {EXAMPLE}}",
    "Keys of metadata": "{template: Hi, metadata: {EXAMPLE}}",
}
#: The files of keys that need another key beside them, or exclude one.
FILES_OF_KEYS = {
    ("Keys of a prompt", "template"): "{EXAMPLE}",
    ("Keys of a prompt", "messages"): "{EXAMPLE}",
    ("Keys of a prompt", "prompts"): "{EXAMPLE}",
    ("Keys of a prompt", "chat_template"): f"chat_template: {{{CHAT}, variables: {{}}}}",
    ("Keys of a prompt", "tools"): f"{{{CHAT}, EXAMPLE}}",
    ("Keys of a prompt", "tool_choice"): f"{{{CHAT}, tools: [{{name: find_order}}], EXAMPLE}}",
    ("Keys of a message", "role"): "messages: [{EXAMPLE, content: Hi}]",
    ("Keys of a message", "content"): "messages: [{role: user, EXAMPLE}]",
    ("Keys of a message", "optional"): "messages: [{role: system, content: Hi, EXAMPLE}]",
    ("Keys of a message", "name"): "messages: [{role: placeholder, EXAMPLE}]",
    ("Keys of a message", "cache"): "messages: [{role: user, content: Hi, EXAMPLE}]",
    ("Keys of a message", "tool_call_id"): "messages: [{role: tool, content: Hi, EXAMPLE}]",
    ("Keys of a message", "is_error"): "messages: [{role: tool, tool_call_id: call_1, content: Hi, EXAMPLE}]",
    ("Keys of a part", "type"): "messages: [{role: user, content: [{EXAMPLE, text: Hi}]}]",
    ("Keys of a part", "media_type"): "messages: [{role: user, content: [{type: image, data: YQ==, EXAMPLE}]}]",
    ("Keys of a part", "data"): "messages: [{role: user, content: [{type: image, media_type: image/png, EXAMPLE}]}]",
    ("Keys of a part", "cache"): "messages: [{role: user, content: [{type: text, text: Hi, EXAMPLE}]}]",
    ("Keys of a file", "type"): "messages: [{role: user, content: [{EXAMPLE, text: Hi}]}]",
    **{
        ("Keys of a file", key): "messages: [{role: user, content: [{type: file, EXAMPLE}]}]"
        for key in ("file", "url", "text")
    },
    **{
        ("Keys of a search result", key): f"messages: [{{role: user, content: [{{EXAMPLE, {rest}}}]}}]"
        for key, rest in {
            "type": "source: a, title: b, content: c",
            "source": "type: search_result, title: b, content: c",
            "title": "type: search_result, source: a, content: c",
            "content": "type: search_result, source: a, title: b",
        }.items()
    },
    ("Keys of a tool call", "id"): "messages: [{role: assistant, tool_calls: [{name: find_order, EXAMPLE}]}]",
    ("Keys of a tool call", "name"): "messages: [{role: assistant, tool_calls: [{id: call_1, EXAMPLE}]}]",
    ("Keys of a tool call", "function"): "messages: [{role: assistant, tool_calls: [{id: call_1, EXAMPLE}]}]",
    ("Keys of a variable", "values"): "{template: '{{x}}', variables: {x: {type: enum, EXAMPLE}}}",
    ("Keys of a tool", "provider"): f"{{{CHAT}, tools: [{{type: web_search, EXAMPLE}}]}}",
    ("Keys of a tool", "name"): f"{{{CHAT}, tools: [{{EXAMPLE}}]}}",
    ("Keys of a tool", "function"): f"{{{CHAT}, tools: [{{EXAMPLE}}]}}",
}
SCHEMAS = {
    f"schemas/{name}.yaml": f"schemas: [{{name: {name}, fields: [{{name: ticket, type: string}}]}}]\n"
    for name in ("triage_input", "triage_output")
}


@pytest.mark.filterwarnings("ignore::prompt_manager.PromptWarning")
@pytest.mark.parametrize(
    ("title", "key", "example"),
    [
        pytest.param(title, key, example, id=f"{title}, {key}")
        for title, rows in ROWS.items()
        for key, _, _, example in rows
    ],
)
def test_each_example_of_a_key_loads(title, key, example, directory):
    file = FILES_OF_KEYS.get((title, key), FILES_OF_TABLES[title]).replace("PART", key)
    text = file.replace("EXAMPLE", f"{key}: {example}")
    PromptManager.from_directory_sync(directory({"a.yaml": text, **SCHEMAS}))


@pytest.mark.parametrize("file", FILES)
def test_each_file_loads_without_a_warning(file, directory):
    assert PromptManager.from_directory_sync(directory({"greeting.yaml": file})).list_prompts_sync()


def test_render_picks_the_version_that_is_described(directory):
    manager = PromptManager.from_directory_sync(directory({"greeting.yaml": FILES[-1]}))
    assert manager.render_sync("greeting", {"name": "Ada"}) == "Hi Ada!"
    assert manager.render_sync("greeting", {"name": "Ada"}, label="production") == "Hello Ada!"


@pytest.mark.parametrize(
    ("versions", "picked"),
    [
        ({"1.0.0": "active", "2.0.0-rc.1": "active"}, "2.0.0-rc.1"),
        ({"1.0.0": "active", "2.0.0": "deprecated"}, "1.0.0"),
        ({"1.0.0": "draft", "2.0.0": "archived"}, "1.0.0"),
    ],
)
def test_the_latest_version_is_the_one_described(versions, picked, directory):
    prompts = [
        {"id": "a", "version": version, "status": status, "template": version} for version, status in versions.items()
    ]
    manager = PromptManager.from_directory_sync(directory({"a.yaml": yaml.safe_dump({"prompts": prompts})}))
    assert manager.render_sync("a", {}) == picked
