"""Prompts, files and cases that several tests use."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prompt_manager.core.models import Prompt, PromptFormat, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager import PromptManager

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
EXAMPLES = ROOT / "examples"

#: A value that must not appear in any message, warning or context.
SECRET = "s3cr3t-Value"  # noqa: S105


def create_text_prompt(**changes: Any) -> Prompt:
    """Return a text prompt that greets ``name``."""
    return Prompt(**{"id": "greeting", "format": PromptFormat.TEXT, "template": "Hello {{name}}!", **changes})


def create_chat_prompt(**changes: Any) -> Prompt:
    """Return a chat prompt with a system message and a user message about ``topic``."""
    messages = [
        {"role": Role.SYSTEM, "content": "You are a helpful assistant."},
        {"role": Role.USER, "content": "Tell me about {{topic}}."},
    ]
    given = {"id": "explain", "format": PromptFormat.CHAT, "chat_template": {"messages": messages}}
    return Prompt(**{**given, **changes})


def create_chat_prompt_in_registry(manager: PromptManager) -> Prompt:
    """Register a chat prompt with the variables ``company`` and ``user_query``, and return it from the manager."""
    messages = [
        {"role": "system", "content": "You answer for {{company}}."},
        {"role": "user", "content": "{{user_query}}"},
    ]
    manager.registry.register_sync(create_chat_prompt(id="customer_support", chat_template={"messages": messages}))
    return manager.get_prompt_sync("customer_support")


def chat_of(*messages: Mapping[str, Any], **changes: Any) -> Prompt:
    """Return a chat prompt with these messages."""
    return create_chat_prompt(chat_template={"messages": list(messages)}, **changes)


def cases(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the names and cases in the JSON files of a folder of ``tests/data``."""
    contents = {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((DATA / folder).glob("*.json"))
    }
    return [
        (f"{stem}: {case['name']}", case)
        for stem, content in contents.items()
        for case in (content["cases"] if isinstance(content, dict) else content)
    ]


def yaml_cases(name: str) -> list[Any]:
    """Return the cases of a table in ``tests/data/yaml`` as parameters: the text of a file, and the expected lines."""
    found = []
    for case in (DATA / "yaml" / name).read_text(encoding="utf-8").split("@@ ")[1:]:
        title, *lines = case.splitlines(keepends=True)
        expected = []
        while lines and lines[0].startswith("@ "):
            expected.append(lines.pop(0).removeprefix("@ ").rstrip("\n"))
        text = "".join(lines).removesuffix("<no line break>\n")
        found.append(pytest.param(text, expected, id=title.strip()))
    return found


def secrets_in(value: object) -> list[str]:
    """Return all texts in a value that contain the word ``secret``."""
    if isinstance(value, str):
        return [value] if "secret" in value else []
    if isinstance(value, dict):
        value = list(value.values())
    return [secret for item in value for secret in secrets_in(item)] if isinstance(value, list) else []


def everything_said_by(error: BaseException) -> str:
    """Return all text of an exception that could be printed, logged or pickled."""
    text = f"{error} {error!r} {getattr(error, 'message', '')} {getattr(error, 'context', '')}"
    return text + "".join(everything_said_by(each) for each in getattr(error, "errors", ()))


def run_python(code: str, *flags: str, timeout: float = 60) -> str:
    """Run code in a new interpreter in the root of the repository, and return its output. It must succeed."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write_titled_blocks(page: str, folder: Path, *, language: str = r"\w+") -> None:
    """Write each block of a Markdown page that has a title to the file of that name."""
    for title, content in re.findall(rf'^```{language} title="([^"]+)"\n(.*?)^```$', page, re.MULTILINE | re.DOTALL):
        (folder / title).parent.mkdir(parents=True, exist_ok=True)
        (folder / title).write_text(content, encoding="utf-8")
