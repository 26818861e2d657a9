"""``export``, ``schema``, ``plugins`` and ``completion``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from terminal import ENVIRONMENT

from prompt_manager import PromptManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

FILES = {
    "prompts/a.yaml": "template: 'Hi {{name}}. {{> one}}'\n"
    "variables: {name: string, lang: {type: string, default: de}}\n",
    "prompts/b.yaml": """\
id: b
version: 1.0.0
messages: [{role: user, content: "{{n}}"}]
variables:
  n: {type: enum, values: [1, 2], description: How many}
output_schema: answer
labels: [production]
---
id: b
version: 2.0.0
template: "{{x}}"
output_schema: {type: object, properties: {sum: {type: integer}}}
input_schema: numbers
""",
    "prompts/c.yaml": "messages: [{role: user, content: '{{> two lang=name}}'}]\n",
    "prompts/partials/one.hbs": "One {{> two}}",
    "prompts/partials/two.hbs": "two {{lang}}",
    "prompts/partials/unused.hbs": "not used",
    "prompts/schemas/s.yaml": "schemas:\n"
    "  - {name: answer, fields: [{name: text, type: string, required: false, default: ''}]}\n"
    "  - {name: numbers, fields: [{name: x, type: integer}]}\n",
}


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write(FILES)


def test_an_export_renders_alone(tmp_path: Path, result_of: Text) -> None:
    out = tmp_path / "out" / "all.yaml"
    out.parent.mkdir()
    assert result_of("export", "a", "c", "-o", str(out)) == ""
    manager = PromptManager.from_directory_sync(out.parent)
    assert manager.render_sync("a", {"name": "Ada"}) == "Hi Ada. One two de"
    assert manager.render_messages_sync("c", {"name": "Bo"}) == [{"role": "user", "content": "two Bo"}]


def test_an_export_has_the_latest_versions_or_all(result_of: Text) -> None:
    def versions(*arguments: str) -> list[tuple[str, str]]:
        found = json.loads(result_of("export", "--format", "json", *arguments))
        return [(prompt["id"], prompt["version"]) for prompt in found]

    assert versions() == [("a", "1.0.0"), ("b", "2.0.0"), ("c", "1.0.0")]
    assert versions("--all-versions") == [("a", "1.0.0"), ("b", "1.0.0"), ("b", "2.0.0"), ("c", "1.0.0")]
    assert versions("b@1.0.0", "b", "b@production") == [("b", "1.0.0"), ("b", "2.0.0")]


def test_json_lines_have_one_prompt_each(result_of: Text) -> None:
    assert result_of("export", "--json") == result_of("export", "--format", "json")
    first, second, _ = map(json.loads, result_of("export", "--format", "jsonl").splitlines())
    assert (first["id"], second["id"]) == ("a", "b")
    assert first["template"]["partials"] == {"one": "One {{> two}}", "two": "two {{lang}}"}


def test_an_export_of_no_prompt_is_an_error(failure_of: Text) -> None:
    assert failure_of("export", "d").startswith("there is no prompt 'd'")
    assert "leave out --all-versions" in failure_of("export", "b@1.0.0", "--all-versions", status=2)
    assert failure_of("export", "-o", "gone/x.yaml").startswith("cannot write the file gone/x.yaml: no such file")


def test_the_schema_of_a_prompt_is_json_schema(result_of: Text) -> None:
    found = json.loads(result_of("schema", "b@1.0.0"))
    assert found["input"]["properties"] == {"n": {"enum": [1, 2], "description": "How many"}}
    assert found["input"]["required"] == ["n"]
    assert found["output"]["properties"] == {"text": {"type": "string", "default": ""}}
    assert json.loads(result_of("schema", "a", "--input"))["properties"]["lang"] == {"type": "string", "default": "de"}
    latest = json.loads(result_of("schema", "b"))
    assert latest["input"]["properties"] == {"x": {"type": "integer"}}
    assert latest["output"] == {"type": "object", "properties": {"sum": {"type": "integer"}}}


@pytest.mark.parametrize("which", ["b@1.0.0", "b"])
def test_a_strict_schema_requires_every_field(result_of: Text, which: str) -> None:
    strict = json.loads(result_of("schema", which, "--output", "--strict"))
    assert strict["required"] == list(strict["properties"])
    assert strict["additionalProperties"] is False


def test_a_prompt_without_an_output_schema_has_none(result_of: Text, failure_of: Text) -> None:
    assert json.loads(result_of("schema", "a"))["output"] is None
    assert failure_of("schema", "a", "--output").startswith("prompt 'a' has no output schema")


def test_plugins_are_listed(result_of: Text) -> None:
    names = ["anthropic", "bedrock", "gemini", "langchain", "litellm", "openai"]
    assert [line.split()[0] for line in result_of("plugins").splitlines()[1:]] == names
    assert [plugin["name"] for plugin in json.loads(result_of("plugins", "--json"))] == names


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_script(result_of: Text, shell: str) -> None:
    script = result_of("completion", shell)
    assert "_PROMPT_MANAGER_COMPLETE" in script
    assert "prompt-manager" in script


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["prompt-manager", "ex"], ["export"]),
        (["prompt-manager", "label", "s"], ["set"]),
        (["prompt-manager", "show", ""], ["a", "b", "c"]),
        (["prompt-manager", "label", "set", "b"], ["b"]),
        (["prompt-manager", "render", "a", "--to", "open"], ["openai", "openai-responses"]),
    ],
)
def test_bash_completes_commands_options_and_ids(project: Path, words: list[str], offered: list[str]) -> None:
    code = "import sys; sys.argv[0] = 'prompt-manager'; from prompt_manager.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env={
            **ENVIRONMENT,
            "_PROMPT_MANAGER_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert [line.partition(",")[2] for line in done.stdout.split()] == offered, done.stderr
