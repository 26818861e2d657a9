"""``render``: questions on a terminal, whole requests, and rendering again when a file changes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import pytest
from terminal import ENVIRONMENT, Terminal

from prompt_manager._providers import PROVIDERS
from prompt_manager.integrations.types import Provider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

FILES = {
    "prompts/greeting.yaml": """\
template: "{{greeting}} {{name}}, {{count}} {{mood}} {{#if vip}}VIP{{/if}}"
variables:
  greeting: {type: string, default: Hello}
  name: {type: string, description: "Who is \\e[31mgreeted"}
  count: integer
  mood: {type: enum, values: [good, bad]}
  vip: {type: boolean, required: false}
""",
    "prompts/answer.yaml": """\
messages:
  - {role: system, content: "Answer {{name}}."}
  - {role: user, content: "{{name}} asks"}
variables: [name]
settings: {max_tokens: 100}
output_schema: answer
""",
    "prompts/schemas/answer.yaml": "schemas: [{name: answer, fields: [{name: text, type: string}]}]\n",
}


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write(FILES)


def test_missing_variables_are_asked_for_on_a_terminal(project: Path) -> None:
    terminal = Terminal("render", "greeting", directory=project)
    terminal.wait_for("name: Who is \\x1b[31mgreeted\n> ")
    terminal.type("Zoë")
    terminal.wait_for("count (integer, as JSON)\n> ")
    terminal.type("three")
    terminal.wait_for("Error: this is not JSON: ")
    terminal.type("3")
    terminal.wait_for("mood (good, bad)\n> ")
    terminal.type("fine")
    terminal.wait_for("Error: 'fine' is none of the values\n")
    terminal.type("bad")
    status, written = terminal.end()
    assert status == 0
    assert written.endswith("Hello Zoë, 3 bad \n")
    assert "greeting" not in written
    assert "vip" not in written


def test_a_date_is_typed_without_quotes(project: Path, write: Write) -> None:
    write({"prompts/due.yaml": "template: 'Due {{day}}, {{id}}'\nvariables: {day: date, id: uuid}\n"})
    terminal = Terminal("render", "due", directory=project)
    terminal.wait_for("day (date)\n> ")
    terminal.type("2026-01-02")
    terminal.wait_for("id (uuid)\n> ")
    terminal.type("1" * 32)
    status, written = terminal.end()
    assert status == 0
    assert written.endswith(f"Due 2026-01-02, {'1' * 32}\n")


def test_given_variables_are_not_asked_for(project: Path) -> None:
    given = ("--var", "name=Ada", "--var", "count:=1", "--var", "mood=good")
    assert Terminal("render", "greeting", *given, directory=project).end() == (0, "Hello Ada, 1 good \n")


MISSING = """\
Missing variables 'name', 'count', 'mood' for prompt 'greeting'
  hint: on the command line, give a value with --var name=TEXT
"""


@pytest.mark.parametrize("arguments", [("--no-input",), ("--no-input", "--to", "text")])
def test_nothing_is_asked_if_the_caller_says_so(project: Path, arguments: tuple[str, ...]) -> None:
    status, written = Terminal("render", "greeting", *arguments, directory=project).end()
    assert (status, written) == (1, f"error: {MISSING}")


def test_nothing_is_asked_in_a_pipe(failure_of: Text) -> None:
    assert failure_of("render", "greeting") == MISSING


def test_an_interrupt_ends_the_questions(project: Path) -> None:
    terminal = Terminal("render", "greeting", directory=project)
    terminal.wait_for("> ")
    terminal.interrupt()
    status, written = terminal.end()
    assert status == 130
    assert "Traceback" not in written


def test_the_providers_are_those_of_a_manager() -> None:
    assert get_args(Provider) == tuple(PROVIDERS)


def test_render_writes_whole_requests(result_of: Text) -> None:
    given = ("render", "answer", "--var", "name=Ada", "--request", "--model", "m", "--to")
    for provider in PROVIDERS:
        request = json.loads(result_of(*given, provider))
        assert request["modelId" if provider == "bedrock" else "model"] == "m"
        # Gemini and Bedrock have the settings in a mapping.
        settings = request | request.get("config", {}) | request.get("inferenceConfig", {})
        assert 100 in settings.values(), provider
    chat = json.loads(result_of(*given, "openai"))
    assert chat["messages"][0] == {"role": "system", "content": "Answer Ada."}
    assert chat["response_format"]["type"] == "json_schema"


def test_a_text_may_be_a_json_string(result_of: Text) -> None:
    given = ("--var", "name=Ada", "--var", "count:=1", "--var", "mood=good")
    assert json.loads(result_of("render", "greeting", *given, "--json")) == "Hello Ada, 1 good "


def test_output_instructions_can_be_left_out(result_of: Text) -> None:
    given = ("render", "answer", "--var", "name=Ada")
    plain = [{"role": "system", "content": "Answer Ada."}, {"role": "user", "content": "Ada asks"}]
    for target in ("messages", "openai"):
        assert json.loads(result_of(*given, "--to", target)) != plain
        assert json.loads(result_of(*given, "--to", target, "--no-output-instructions")) == plain
    assert "JSON" in result_of(*given)
    assert "JSON" not in result_of(*given, "--no-output-instructions")
    litellm = (*given, "--to", "litellm", "--request", "--model", "m")
    assert json.loads(result_of(*litellm))["messages"] != plain
    assert json.loads(result_of(*litellm, "--no-output-instructions"))["messages"] == plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--request",),
            "--request needs --to with a provider: openai, openai-responses, anthropic, litellm, gemini or bedrock",
        ),
        (("--to", "openai", "--model", "m"), "--model needs --request"),
        (("--to", "openai", "--request", "--to-messages"), "--to-messages is not for --request"),
    ],
)
def test_options_without_effect_are_wrong_usage(failure_of: Text, arguments: tuple[str, ...], message: str) -> None:
    assert failure_of("render", "answer", *arguments, status=2).startswith(message)


def test_watch_renders_again_when_a_file_changes(project: Path, write: Write) -> None:
    write({"prompts/hi.yaml": "template: first\n"})
    terminal = Terminal("render", "hi", "--watch", directory=project)
    terminal.wait_for("first\n")
    write({"prompts/hi.yaml": "template: second\n"})
    terminal.wait_for("second\n")
    assert "\nchanged at " in terminal.text
    write({"prompts/hi.yaml": "template: '{{#if'\n"})
    terminal.wait_for("The last good prompts stay in use.\n")
    assert "at prompts/hi.yaml:1:" in terminal.text
    write({"prompts/hi.yaml": "template: third {{name}}\n"})
    terminal.wait_for("error: Missing variable 'name' for prompt 'hi'\n")
    write({"prompts/hi.yaml": "template: fourth\n"})
    terminal.wait_for("fourth\n")
    terminal.interrupt()
    status, written = terminal.end()
    assert status == 130
    assert "Traceback" not in written


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
def test_watch_writes_lines_to_a_pipe(project: Path, write: Write) -> None:
    write({"prompts/hi.yaml": "template: first\n"})
    process = subprocess.Popen(
        [sys.executable, "-m", "prompt_manager", "render", "hi", "--watch"],
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"first\n"
    write({"prompts/hi.yaml": "template: second\n"})
    assert process.stdout.readline() == b"second\n"
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (130, b"")
    assert said.startswith(b"changed at ")
    assert b"Traceback" not in said


def test_watch_needs_a_directory(failure_of: Text) -> None:
    said = failure_of("render", "hi", "--dir", "nowhere", "--watch")
    assert said.startswith("cannot read the directory ")
    assert "--dir or PROMPT_MANAGER_DIR" in said
