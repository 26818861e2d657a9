"""Directories that the published package wrote can be read, and invalid ids and versions migrated.

The package is installed in its own environment; see the fixture ``published``.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from prompt_manager import PromptRegistry
from prompt_manager.exceptions import PromptNotFoundError, PromptValidationError
from prompt_manager.storage import FileSystemStorage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

#: The program that makes the published package write prompts into the given directory.
WRITER = r"""
import asyncio, sys
from pathlib import Path
from prompt_manager.core.models import *
from prompt_manager.storage.file import FileSystemStorage

storage = FileSystemStorage(Path(sys.argv[1]))

def text(id, version="1.0.0", content="Hello {{name}}!", **more):
    return Prompt(id=id, version=version, format=PromptFormat.TEXT, template=PromptTemplate(content=content), **more)

full = Prompt(
    id="full", version="2.10.0", format=PromptFormat.COMPLETION, status=PromptStatus.ACTIVE,
    template=PromptTemplate(
        content="Once upon a time {{hero}}\n{{> tone}}\n\U0001f600 \t\u2028 'no': 1.0\n", variables=["hero"],
        partials={"tone": "Gr\u00fc\u00dfe"}, helpers={"upper": "str.upper"},
    ),
    metadata=PromptMetadata(
        author="Ada", description="no", tags=["Tales", " B "], category="x", use_cases=["u"],
        model_recommendations=["gpt-4"], temperature=0.7, max_tokens=100, custom={"rows": [1, 2.5, None, {"a": "b"}]},
        team="further",
    ),
    input_schema="tale_input", output_schema="tale_output",
)
chat = Prompt(
    id="chat", format=PromptFormat.CHAT, status=PromptStatus.DEPRECATED,
    chat_template=ChatPromptTemplate(variables=["question"], messages=[
        Message(role=Role.SYSTEM, content="You answer."),
        Message(role=Role.USER, content="{{question}}", name="ada"),
        Message(role=Role.ASSISTANT, content="I look.", tool_calls=[
            {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{\"q\": \"{{question}}\"}"}}]),
        Message(role=Role.TOOL, content="found", name="look"),
        Message(role=Role.ASSISTANT, content="I call.", function_call={"name": "look", "arguments": "{}"}),
        Message(role=Role.FUNCTION, content="found", name="look"),
    ]),
)
instruction = Prompt(id="team/instruction", format=PromptFormat.INSTRUCTION, status=PromptStatus.ARCHIVED,
                     template=PromptTemplate(content="Do {{task}}."))
greetings = [text("greeting"), text("greeting", "1.10.0", "Newer {{name}}"), text("greeting", "1.9.0")]
valid = [full, chat, instruction, *greetings]
invalid = [text("my prompt"), text("gr\u00fc\u00dfe"), text(".hidden"), text("a//b"), text("old", "01.02.003"),
            text("a/1.0.0.json", "2.0.0"), text("nul")]
for prompt in valid + invalid:
    asyncio.run(storage.save(prompt))
"""


@pytest.fixture
def directory(published, tmp_path) -> Path:
    """A directory that the published package has just written."""
    path = tmp_path / "old"
    subprocess.run([str(published), "-c", WRITER, str(path)], check=True, capture_output=True, cwd=tmp_path)
    return path


INVALID = {"my prompt", "grüße", ".hidden", "a//b", "old", "a/1.0.0.json", "nul"}


@pytest.mark.filterwarnings("ignore:cannot read", "ignore:the file .* cannot be used", "ignore:.*`helpers` of prompt")
async def test_every_format_loads_completely(directory):
    storage = FileSystemStorage(directory)
    prompts = {f"{prompt.id} {prompt.version}": prompt for prompt in await storage.list()}
    assert sorted(prompts) == [
        "chat 1.0.0",
        "full 2.10.0",
        "greeting 1.0.0",
        "greeting 1.10.0",
        "greeting 1.9.0",
        "team/instruction 1.0.0",
    ]
    for prompt in prompts.values():
        written = json.loads((directory / prompt.id / f"{prompt.version}.json").read_text())
        assert str(prompt.uid) == written["uid"]
        assert prompt.created_at.isoformat() == f"{written['created_at']}+00:00"
        assert prompt.status == written["status"]
    full = prompts["full 2.10.0"]
    assert full.template.content == "Once upon a time {{hero}}\n{{> tone}}\n\U0001f600 \t\u2028 'no': 1.0\n"
    assert full.template.partials == {"tone": "Grüße"}
    assert (full.metadata.tags, full.metadata.temperature, full.metadata.model_extra) == (
        ("tales", "b"),
        0.7,
        {"team": "further"},
    )
    assert full.metadata.custom == {"rows": [1, 2.5, None, {"a": "b"}]}
    assert (full.input_schema, full.output_schema) == ("tale_input", "tale_output")
    chat = prompts["chat 1.0.0"]
    assert [message.role for message in chat.chat_template.messages] == [
        "system", "user", "assistant", "tool", "assistant", "function",
    ]  # fmt: skip
    assert chat.chat_template.messages[2].tool_calls[0]["function"]["name"] == "look"


@pytest.mark.filterwarnings("ignore:cannot read", "ignore:the file .* cannot be used")
def test_latest_is_found_and_helpers_give_a_warning(directory):
    storage = FileSystemStorage(directory)
    assert storage.load_sync("greeting").version == "1.10.0"
    with pytest.warns(UserWarning, match="`helpers` of prompt `full` are ignored"):
        storage.load_sync("full")


@pytest.mark.filterwarnings("ignore:cannot read", "ignore:the file .* cannot be used", "ignore:.*`helpers` of prompt")
def test_loaded_prompts_can_be_registered_and_rendered(directory):
    registry = PromptRegistry(FileSystemStorage(directory))
    assert registry.load_from_storage_sync() == 6
    assert registry._core.render("team/instruction", {"task": "it"}, version="1.0.0") == "Do it."


def test_each_invalid_id_or_version_is_reported_by_file(directory):
    found = FileSystemStorage(directory).check_sync()
    paths = {error.path for error in found}
    assert paths >= {
        str(directory / place)
        for place in (
            "my prompt/1.0.0.json", "grüße/1.0.0.json", ".hidden/1.0.0.json", "a/b/1.0.0.json", "old/01.02.003.json",
            "a/1.0.0.json/2.0.0.json", "nul/1.0.0.json",
        )
    }  # fmt: skip
    assert all(error.path in str(error) for error in found)
    with pytest.raises(PromptNotFoundError):
        FileSystemStorage(directory).load_sync("my prompt")


NAMES = {
    "my prompt": "my-prompt",
    "grüße": "gruesse",
    ".hidden": "hidden",
    "a//b": "a/b",
    "01.02.003": "1.2.3",
    "a/1.0.0.json": "a/one",
    "nul": "nothing",
}


async def test_migrate_renames_invalid_prompts_in_place(directory):
    storage = FileSystemStorage(directory)
    before = {path: path.read_bytes() for path in directory.rglob("*.json") if path.is_file()}
    moved = await storage.migrate(NAMES)
    assert {old_id for old_id, _ in moved} == INVALID
    assert moved["old", "01.02.003"] == ("old", "1.2.3")
    assert storage.check_sync() == []
    for new_id, version in moved.values():
        assert (await storage.load(new_id, version)).template.content == "Hello {{name}}!"
    assert not (directory / "my prompt").exists()
    untouched = [path for path in before if path.exists() and path.parent.name in {"chat", "full", "greeting"}]
    assert all(path.read_bytes() == before[path] for path in untouched)
    assert len(untouched) == 5
    assert await storage.migrate(NAMES) == {}


@pytest.mark.filterwarnings("ignore:cannot read", "ignore:the file .* cannot be used")
def test_migrate_copies_from_another_directory(directory, tmp_path):
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    storage = FileSystemStorage(tmp_path / "new", format="yaml")
    moved = storage.migrate_sync(lambda *old: tuple(NAMES.get(name, name) for name in old), source=directory)
    assert len(moved) == 13
    assert storage.check_sync() == []
    assert len(storage.list_sync()) == 13
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before


@pytest.mark.filterwarnings("ignore:cannot read")
def test_migrate_refuses_invalid_new_names_and_loses_nothing(directory):
    before = (directory / "my prompt" / "1.0.0.json").read_bytes()
    with pytest.raises(PromptValidationError, match="cannot be an id"):
        FileSystemStorage(directory).migrate_sync({"my prompt": "also wrong"})
    assert (directory / "my prompt" / "1.0.0.json").read_bytes() == before
