"""The programs, files and errors in the README are correct."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from helpers import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def output_of(program):
    """Run a program of the README in the root of the repository, and return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=program,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_program_runs_as_printed():
    greeting, openai, anthropic = output_of(blocks("python")[0]).splitlines()
    assert greeting == "Hello Ada! Your role is engineer."
    assert openai.startswith("[{'role': 'system', 'content': ")
    assert openai.endswith("{'role': 'user', 'content': 'How do I reset my password?'}]")
    assert anthropic.startswith("{'system': ")
    assert "Acme" in openai
    assert "Acme" in anthropic


def test_the_first_program_is_short():
    program = blocks("python")[0]
    assert len([line for line in program.splitlines() if line.strip()]) <= 10


def test_the_program_with_a_request_and_a_plugin_runs_as_printed():
    _, program = blocks("python")
    assert output_of(program).splitlines() == [
        "['max_completion_tokens', 'messages', 'model', 'temperature']",
        "['messages', 'system']",
    ]


def test_the_prompt_file_in_the_readme_loads(directory):
    from prompt_manager import PromptManager

    (file,) = blocks("yaml")
    manager = PromptManager.from_directory_sync(directory({"support/triage.yaml": file}))
    messages = manager.render_messages_sync("support/triage", {"company": "Acme", "ticket": "Help!"})
    assert messages == [
        {"role": "system", "content": "You triage tickets for Acme.\nBe brief and kind. The urgency is low."},
        {"role": "user", "content": "Help!"},
    ]


def test_the_error_in_the_readme_is_correct(directory):
    from prompt_manager import PromptManager
    from prompt_manager.exceptions import StorageReadError

    shown = next(block for block in blocks("text") if "closed" in block)
    file = "id: greeting\nformat: text\nversion: 1.0.0\nstatus: active\ntemplate: |\n  Hi, {{#if name}}{{name}}!\n"
    root = directory({"greeting.yaml": file})
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(root)
    said = str(caught.value).replace(str(root), "prompts").strip()
    assert said.splitlines()[1:] == shown.strip().splitlines()[1:]


def test_every_linked_file_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
