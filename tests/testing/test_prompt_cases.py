"""Cases beside prompts: how they are read, what they compare, and how `--update` writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from prompt_manager import PromptManager
from prompt_manager._native import replace_file
from prompt_manager.cli.app import app
from prompt_manager.exceptions import PromptValidationError, StorageReadError, StorageWriteError
from prompt_manager.testing.cases import read_cases
from prompt_manager.testing.compare import run_case
from prompt_manager.testing.find import find_test_files
from prompt_manager.testing.update import rewrite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Write = Callable[[dict[str, str]], Path]

FILES = {
    "greeting.yaml": 'template: "Hello {{name}}!"\nvariables: {name: string}\n',
    "support/triage.yaml": """\
messages:
  - {role: system, content: "You work for {{company}}."}
  - {role: user, content: "{{ticket}}"}
output_schema: triage
""",
    "versions.yaml": """\
prompts:
  - {id: bye, version: 1.0.0, template: "Bye", labels: [production]}
  - {id: bye, version: 2.0.0, template: "Goodbye"}
""",
    "named.yaml": "id: other/name\ntemplate: Named\n",
    "picture.yaml": "messages:\n  - role: user\n    content:\n"
    "      - {type: image, media_type: image/png, data: iVBORw0K}\n",
    "schemas/triage.yaml": "schemas:\n  - name: triage\n    fields:\n      - {name: urgent, type: boolean}\n",
}

ADA = "  variables: {name: Ada}\n"
TICKET = "  prompt: support/triage\n  variables: {company: Acme, ticket: Late}\n"


def failures(directory: Path, text: str, name: str = "greeting.test.yaml") -> list[str]:
    """Run the cases of a text, and return what fails."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    manager = PromptManager.from_directory_sync(directory, unknown_variables="error")
    return [failure.message for case in read_cases(path, directory) for failure in run_case(manager, case)]


@pytest.fixture
def prompts(directory: Write) -> Path:
    return directory(FILES)


PASSING = {
    "text": ADA + "  text: Hello Ada!\n",
    "contains": ADA + "  contains: [Hello, Ada]\n",
    "not_contains": ADA + "  not_contains: Bob\n",
    "matches": ADA + "  matches: '^Hello \\w+!$'\n",
    "max_chars": ADA + "  max_chars: 10\n",
    "raises a message": "  raises: Missing variable 'name'\n",
    "raises a class": "  raises: TemplateRenderError\n",
    "raises a base class": "  prompt: gone\n  raises: PromptError\n",
    "raises for an undeclared variable": "  variables: {name: Ada, nmae: x}\n  raises: Unknown variable 'nmae'\n",
    "version": "  prompt: bye\n  version: 1.0.0\n  text: Bye\n",
    "latest": "  prompt: bye\n  text: Goodbye\n",
    "label": "  prompt: bye\n  label: production\n  text: Bye\n",
    "parses": "  prompt: support/triage\n  parses: {answer: '```{\"urgent\": true}```', expected: {urgent: true}}\n",
    "request": ADA
    + "  request: {provider: anthropic, model: m, max_tokens: 5, expected: "
    + "{model: m, max_tokens: 5, messages: [{role: user, content: Hello Ada!}]}}\n",
    "request for gemini": ADA
    + "  request: {provider: gemini, model: m, config: {seed: 5}, expected: "
    + "{model: m, config: {seed: 5}, contents: [{role: user, parts: [{text: Hello Ada!}]}]}}\n",
    "request for bedrock": ADA
    + "  request: {provider: bedrock, model: m, expected: "
    + "{modelId: m, messages: [{role: user, content: [{text: Hello Ada!}]}]}}\n",
    "bytes in a request": "  prompt: picture\n  request: {provider: bedrock, model: m, expected: "
    "{modelId: m, messages: [{role: user, content: [{image: {format: png, source: {bytes: iVBORw0K}}}]}]}}\n",
}


@pytest.mark.parametrize("case", PASSING.values(), ids=PASSING)
def test_a_case_that_is_met_passes(prompts: Path, case: str) -> None:
    assert failures(prompts, f"- name: case\n{case}") == []


FAILING = {
    "text": (ADA + "  text: Hello Bob!\n", "the text differs"),
    "a final line break": (ADA + "  text: |\n    Hello Ada!\n", "no line break at the end"),
    "no text yet": (ADA + "  text:\n", "`text` has no value yet"),
    "contains": (ADA + "  contains: [Hello, Bob]\n", "does not contain 'Bob'; it is:\n  Hello Ada"),
    "not_contains": (ADA + "  not_contains: Ada\n", "contains 'Ada'"),
    "matches": (ADA + "  matches: ^Ada\n", "does not match '^Ada'"),
    "max_chars": (ADA + "  max_chars: 9\n", "10 characters, more than 9"),
    "raises nothing": (ADA + "  raises: Missing\n", "raises nothing"),
    "raises another error": ("  raises: SchemaError\n", "Missing variable 'name'"),
    "a prompt that is gone": ("  prompt: greting\n  text: x\n", "did you mean 'greeting'?"),
    "a wrong message": (TICKET + "  messages: [{role: user, content: Late}]\n", "the messages differ"),
    "true is not 1": (
        "  prompt: support/triage\n  parses: {answer: '{\"urgent\": true}', expected: {urgent: 1}}\n",
        "the parses differs",
    ),
    "a provider that does not exist": (ADA + "  request: {provider: opnai}\n", "'opnai'"),
    "an argument that does not exist": (ADA + "  request: {provider: openai, modle: m}\n", "did you mean 'model'?"),
    "an argument of a wrong type": (ADA + "  request: {provider: openai, model: 3}\n", "must be a str, not int"),
    "an argument of the case": (
        ADA + "  request: {provider: openai, model: m, version: 1.0.0}\n",
        "`version` does not belong into `request`: write it in the case",
    ),
    "an undeclared variable": ("  variables: {name: Ada, nmae: x}\n  text: x\n", "Unknown variable 'nmae'"),
}


@pytest.mark.parametrize(("case", "message"), FAILING.values(), ids=FAILING)
def test_a_case_that_is_not_met_fails(prompts: Path, case: str, message: str) -> None:
    assert message in "\n".join(failures(prompts, f"- name: case\n{case}"))


def test_an_expectation_that_raises_does_not_hide_the_others(prompts: Path) -> None:
    case = "- name: case\n" + ADA + "  request: {provider: openai}\n  text: Bye\n"
    found = failures(prompts, case)
    assert ["no model is given" in found[0], "the text differs" in found[1], len(found)] == [True, True, 2]


def test_a_case_belongs_to_the_prompt_beside_it(prompts: Path) -> None:
    case = "- name: case\n  variables: {company: A, ticket: T}\n  contains: You work for A.\n"
    assert failures(prompts, case, "support/triage.test.yaml") == []
    assert failures(prompts, "- {name: case, text: Named}\n", "named.test.yaml") == []


WRONG = {
    "no list": ("name: x\n", ["1:1: expected a list of cases"]),
    "two names": (
        "- {name: a, text: x}\n- {name: a, text: y}\n",
        ["2:3: two cases have the name 'a'; the first is in line 1"],
    ),
    "all mistakes": (
        "- {name: a, txt: x}\n- {text: 5}\n- 7\n",
        [
            "1:13: unknown key 'txt'; did you mean 'text'?",
            "1:3: the case expects nothing",
            "2:10: `text` must be a string",
            "2:3: a case needs a `name`",
            "3:3: expected a case",
        ],
    ),
    "a wrong pattern": ("- {name: a, matches: '('}\n", ["1:22: `matches` must be a regular expression"]),
    "raises and text": ("- {name: a, raises: x, text: y}\n", ["`raises` cannot be combined"]),
    "version and label": ("- {name: a, text: y, version: 1.0.0, label: b}\n", ["cannot be used together"]),
    "a bare template": (
        "- {name: a, variables: {x: {{y}}}, text: 5}\n",
        ["1:29: expected a string as the key, found a mapping; write a value", "1:42: `text` must be"],
    ),
    "no YAML": ("- [", ["this is not YAML"]),
}


@pytest.mark.parametrize(("text", "messages"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_reports_every_mistake(prompts: Path, text: str, messages: list[str]) -> None:
    path = prompts / "x.test.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PromptValidationError) as raised:
        read_cases(path, prompts)
    for message in messages:
        place, _, problem = message.rpartition(": ") if message[0].isdigit() else ("", "", message)
        assert problem in str(raised.value)
        assert place in str(raised.value)


def test_only_test_files_are_found(prompts: Path) -> None:
    for name in ("a.test.yaml", "b.TEST.yml", "support/c.test.yaml", ".hidden/d.test.yaml"):
        path = prompts / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("[]", encoding="utf-8")
    assert [path.name for path in find_test_files(prompts)] == ["a.test.yaml", "b.TEST.yml", "c.test.yaml"]
    with pytest.raises(StorageReadError, match="is not a test file"):
        find_test_files(prompts / "greeting.yaml")
    with pytest.raises(StorageReadError, match="there is no file"):
        find_test_files(prompts / "gone")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("test", *arguments))


WRITTEN = """\
# Kept.
- name: first  # kept
  text: >-
    old
    text

  variables: {name: Ada}   # kept

- text: old
  name: second
  variables: {name: "two\\nlines "}
- name: third
  prompt: support/triage
  variables: {company: "ア", ticket: "  indented\\n\\nlast\\n"}
  messages:
  - role: user
    content: old
  request:
    provider: openai
    model: gpt-5
  # kept
"""

UPDATED = """\
# Kept.
- name: first  # kept
  text: Hello Ada!

  variables: {name: Ada}   # kept

- text: |-
    Hello two
    lines !
  name: second
  variables: {name: "two\\nlines "}
- name: third
"""


def test_update_changes_only_expected_values(prompts: Path) -> None:
    path = prompts / "greeting.test.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    before = run("--dir", str(prompts))
    assert before.exit_code == 1
    done = run("--dir", str(prompts), "--update")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "-  text: >-" in done.stdout
    assert done.stdout.endswith("3 passed\n")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(UPDATED)
    assert text.count("kept") == 3
    assert run("--dir", str(prompts)).exit_code == 0
    again = run("--dir", str(prompts), "--update")
    assert (again.stdout, path.read_text(encoding="utf-8")) == ("3 passed\n", text)


def test_update_keeps_line_breaks_and_the_byte_order_mark(tmp_path: Path) -> None:
    before = b"\xef\xbb\xbf- name: a\r\n  text: old\r\n- name: b\r\n  text: x\r\n"
    after = rewrite(tmp_path / "x.test.yaml", before, [(0, ("text",), "a\nb\n")])
    assert after == b"\xef\xbb\xbf- name: a\r\n  text: |\r\n    a\r\n    b\r\n- name: b\r\n  text: x\r\n"


def test_update_refuses_what_it_cannot_change_in_place(tmp_path: Path) -> None:
    with pytest.raises(PromptValidationError, match="each key on its own line"):
        rewrite(tmp_path / "x.test.yaml", b"- {name: a, text: old}\n", [(0, ("text",), "new")])


def test_update_refuses_a_file_that_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.test.yaml"
    path.write_bytes(b"new")
    with pytest.raises(StorageWriteError, match="has changed since it was read"):
        replace_file(path, b"old", b"newer")
    assert [path.read_bytes(), list(tmp_path.iterdir())] == [b"new", [path]]


def test_the_command_writes_json_and_junit(prompts: Path, tmp_path: Path) -> None:
    text = f"- name: good\n{ADA}  text: Hello Ada!\n- name: 'bad <&>\\x01'\n{ADA}  text: 'a\x85b'\n"
    (prompts / "greeting.test.yaml").write_text(text, encoding="utf-8")
    report = tmp_path / "junit.xml"
    done = run("--dir", str(prompts), "--json", "--junit", str(report))
    assert done.exit_code == 1
    assert [case["passed"] for case in json.loads(done.stdout)] == [True, False]
    suites = ET.parse(report).getroot()  # noqa: S314 - our own file
    assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
    assert "the text differs" in str(suites.findtext(".//failure"))


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes work differently on Windows")
def test_junit_output_replaces_a_file_and_follows_links(prompts: Path, tmp_path: Path) -> None:
    report, link = tmp_path / "junit.xml", tmp_path / "link.xml"
    report.write_text("old", encoding="utf-8")
    before = report.stat().st_ino
    link.symlink_to(report)
    run("--dir", str(prompts), "--junit", str(link))
    assert link.is_symlink()
    assert report.read_text(encoding="utf-8").startswith("<?xml")
    # It is another file with the same name: a reader never sees half of it.
    assert report.stat().st_ino != before
    assert run("--dir", str(prompts), "--junit", "/dev/null").exit_code == 0
    assert "cannot write the file" in run("--dir", str(prompts), "--junit", str(tmp_path / "gone" / "a.xml")).stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [(("gone",), 1, "there is no file or directory gone"), (("--nope",), 2, "No such option")],
)
def test_wrong_arguments_have_a_message(prompts: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    done = run("--dir", str(prompts), *arguments)
    assert done.exit_code == status
    assert message in done.stderr


def test_a_broken_directory_is_an_error(directory: Write) -> None:
    root = directory({"a.yaml": "template: '{{'\n", "a.test.yaml": "- {name: x, text: y}\n"})
    done = run(str(root))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


def test_pytest_collects_the_cases(prompts: Path, tmp_path: Path) -> None:
    text = f"- name: good\n{ADA}  text: Hello Ada!\n- name: bad\n{ADA}  text: Bye\n"
    (prompts / "greeting.test.yaml").write_text(text, encoding="utf-8")
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "other.test.yaml").write_text("for another tool", encoding="utf-8")
    (tmp_path / "test_app.py").write_text(
        "def test_it(prompts):\n    assert prompts.render_sync('greeting', {'name': 'Eve'}) == 'Hello Eve!'\n",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout
    assert "greeting.test.yaml:4: bad" in done.stdout
    assert "+Hello Ada!" in done.stdout
    assert "Traceback" not in done.stdout


def test_no_prompt_controls_the_terminal_of_the_report(directory: Write) -> None:
    root = directory({"red.yaml": 'template: "\\e[31mred"\n', "red.test.yaml": '- name: "\\e[32m"\n  text: "blue"\n'})
    done = run("--dir", str(root))
    assert (done.exit_code, "\x1b" in done.stdout) == (1, False)
    assert "+\\x1b[31mred" in done.stdout
    assert "\x1b" not in run("--dir", str(root), "--update").stdout
