"""Runs the commands of the command line in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from helpers import EXAMPLES
from prompt_manager.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from prompt_manager import PromptManager

PROMPTS = str(EXAMPLES / "prompts")

IDS = (
    "assistant/orders",
    "classification/intent",
    "code_review",
    "customer_support",
    "greeting",
    "multilingual/reminder_hi",
    "multilingual/support_ja",
    "retrieval/answer",
    "summary",
    "translation",
    "vision/receipt",
)

GREETING = ("render", "greeting", "--dir", PROMPTS)
SUMMARY = (
    "render",
    "summary",
    "--dir",
    PROMPTS,
    "--schemas",
    str(EXAMPLES / "schemas"),
    "--var",
    "title=Minutes",
    "--var",
    "text=We met.",
)
SUPPORT = ("render", "customer_support", "--dir", PROMPTS, "--var", "company=Acme", "--var", "user_query=Hi")

#: Two versions, a label, a draft without a template, and a chat that a strict conversion rejects.
VERSIONS = """\
id: versions
version: 1.0.0
format: text
template: "old {{x}}"
labels: [production]
---
id: versions
version: 2.0.0
format: text
template: {content: "new {{x}}\\n", partials: {tone: Be brief.}}
---
id: draft
format: text
status: draft
---
id: late
format: chat
chat_template:
  messages:
    - {role: user, content: "One", name: ada}
    - {role: system, content: "Two"}
"""


@pytest.fixture
def versions(directory: Callable[[dict[str, str]], Path]) -> str:
    return str(directory({"versions.yaml": VERSIONS}))


def run(*arguments: str, given: str | bytes | None = None, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(app, arguments, input=given)


def result_of(*arguments: str, given: str | None = None) -> str:
    """Run a command that succeeds without warnings, and return its output."""
    done = run(*arguments, given=given)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def failure_of(*arguments: str, status: int = 1, given: str | bytes | None = None) -> str:
    """Run a command that fails without output, and return its error message."""
    done = run(*arguments, given=given)
    assert (done.exit_code, done.stdout) == (status, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("error: ")


def test_list_has_a_row_for_each_prompt() -> None:
    header, *rows = result_of("list", "--dir", PROMPTS).splitlines()
    assert header.split() == ["ID", "VERSION", "FORMAT", "STATUS", "DESCRIPTION"]
    assert tuple(row.split()[0] for row in rows) == IDS
    assert rows[3].split(maxsplit=4) == [
        "customer_support",
        "1.3.0",
        "chat",
        "active",
        "First answer to a customer in the support chat",
    ]


def test_list_aligns_its_columns() -> None:
    header, *rows = result_of("list", "--dir", PROMPTS).splitlines()
    at = header.index("STATUS")
    assert {row[at : at + 6] for row in rows} == {"active"}


def test_list_writes_json() -> None:
    summaries = json.loads(result_of("list", "--dir", PROMPTS, "--json"))
    assert tuple(summary["id"] for summary in summaries) == IDS
    assert summaries[4] == {
        "id": "greeting",
        "version": "1.2.0",
        "format": "text",
        "status": "active",
        "description": None,
        "category": None,
        "author": None,
        "tags": [],
        "labels": [],
    }


def test_list_shows_the_latest_version(versions: str) -> None:
    rows = result_of("list", "--dir", versions).splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [["draft", "1.0.0"], ["late", "1.0.0"], ["versions", "2.0.0"]]


def test_list_of_an_empty_directory_warns(tmp_path: Path) -> None:
    done = run("list", "--dir", str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"warning: there are no prompts in {tmp_path}\n"
    assert result_of("list", "--dir", str(tmp_path), "--json") == "[]\n"


def test_the_environment_variable_sets_the_directory(versions: str) -> None:
    assert "late" in run("list", PROMPT_MANAGER_DIR=versions).stdout
    assert "greeting" in run("list", "--dir", PROMPTS, PROMPT_MANAGER_DIR=versions).stdout


def test_the_default_directory_is_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMPT_MANAGER_DIR", raising=False)
    monkeypatch.chdir(EXAMPLES)
    assert "greeting" in result_of("list")
    assert "greeting" in result_of("list", "--schemas", "schemas")


def test_show_prints_metadata_variables_and_tools() -> None:
    lines = [line.split() for line in result_of("show", "assistant/orders", "--dir", PROMPTS).splitlines()]
    for expected in (
        "assistant/orders",
        "Chat about one order, with tools to read, cancel and return it",
        "version 2.3.0",
        "format chat",
        "status active",
        "tags assistant, tools, chat",
        "settings temperature 0.2, max_tokens 800",
        "company string required 5:31 The shop",
        "return_days integer default 30 9:88 How long after delivery a return is possible",
        "history list optional messages[5]",
        "get_order Read an order with its current status. Changes nothing.",
        "partial style",
    ):
        assert expected.split() in lines


def test_show_prints_the_source_of_messages() -> None:
    shown = result_of("show", "assistant/orders", "--dir", PROMPTS)
    assert "\n  system\n    You help customers of {{company}} with one order, the one that they opened" in shown
    assert '"arguments": {"order_id": "{{order_id}}", "include": ["items", "shipments"]}' in shown
    assert '\n  tool\n    {{order_record}}\n    tool_call_id: "call_get_order"\n' in shown
    assert '\n  placeholder\n    name: "history"\n    optional: true\n' in shown


def test_show_prints_the_parts_of_a_message() -> None:
    shown = result_of("show", "vision/receipt", "--dir", PROMPTS)
    assert '    {"type": "image_url", "image_url": {"url": "{{receipt_url}}", "detail": "high"}}\n' in shown
    assert "    Read this receipt, which {{employee}} handed in.\n" in shown


@pytest.mark.parametrize(
    ("chosen", "version", "template"),
    [
        ((), "2.0.0", "new {{x}}"),
        (("--version", "1.0.0"), "1.0.0", "old {{x}}"),
        (("--label", "production"), "1.0.0", "old {{x}}"),
    ],
)
def test_show_prints_the_requested_version(versions: str, chosen: tuple[str, ...], version: str, template: str) -> None:
    shown = result_of("show", "versions", "--dir", versions, *chosen)
    assert f"  version   {version}\n" in shown
    assert "  versions  1.0.0, 2.0.0\n" in shown
    assert f"\ntemplate\n  {template}\n" in shown


def test_show_prints_a_draft_without_a_template(versions: str) -> None:
    assert "  status   draft\n" in result_of("show", "draft", "--dir", versions)


def test_show_writes_json() -> None:
    shown = json.loads(result_of("show", "summary", "--dir", PROMPTS, "--json"))
    assert (shown["id"], shown["version"], shown["versions"]) == ("summary", "2.1.0", ["2.1.0"])
    assert shown["tags"] == ["summary", "structured-output"]
    assert shown["output_schema"] == "document_summary"
    assert shown["template"]["content"].startswith("<document>\n<title>{{title}}</title>")
    assert shown["variables"][3] == {
        "name": "max_points",
        "type": "integer",
        "values": [],
        "required": False,
        "default": 5,
        "description": "Upper limit for the key points",
        "uses": [{"template": "template", "partial": None, "line": 10, "column": 20}],
    }


def test_files_cannot_control_the_terminal(directory: Callable[[dict[str, str]], Path]) -> None:
    text = 'id: red\nformat: text\ntemplate: "\\e[31m[bold]x"\nmetadata: {description: "\\e]0;title\\a [b]d[/b]"}\n'
    root = str(directory({"red.yaml": text}))
    assert "\\x1b]0;title\\x07 [b]d[/b]" in result_of("list", "--dir", root)
    assert "\n  \\x1b[31m[bold]x\n" in result_of("show", "red", "--dir", root)
    assert result_of("render", "red", "--dir", root) == "\x1b[31m[bold]x"


def test_render_writes_exactly_the_rendered_text(versions: str) -> None:
    assert result_of(*GREETING, "--var", "name=Ada", "--var", "role=engineer") == "Hello Ada! Your role is engineer."
    assert result_of("render", "versions", "--dir", versions, "--var", "x=1") == "new 1\n"
    assert result_of("render", "versions", "--dir", versions, "--var", "x=1", "--label", "production") == "old 1"
    assert result_of("render", "versions", "--dir", versions, "--var", "x=1", "--version", "1.0.0") == "old 1"


@pytest.mark.parametrize("prompt_id", IDS)
def test_render_prints_what_the_manager_renders(examples: PromptManager, prompt_id: str) -> None:
    file = EXAMPLES / "inputs" / f"{prompt_id}.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    schemas = str(EXAMPLES / "schemas")
    rendered = result_of("render", prompt_id, "--dir", PROMPTS, "--schemas", schemas, "--vars", str(file))
    assert rendered == examples.render_sync(prompt_id, values)


def test_render_writes_messages_and_provider_formats() -> None:
    system = json.loads(result_of(*SUPPORT, "--to", "messages"))[0]["content"]
    user = {"role": "user", "content": "Hi"}
    assert system.startswith("You answer the customers of Acme in its support chat.\n")
    openai = [{"role": "system", "content": system}, user]
    assert json.loads(result_of(*SUPPORT, "--to", "openai")) == openai
    assert json.loads(result_of(*SUPPORT, "--to", "anthropic")) == {"system": system, "messages": [user]}
    assert result_of(*SUPPORT, "--to", "openai") == json.dumps(openai, indent=2, ensure_ascii=False) + "\n"


def test_a_text_prompt_for_openai_is_a_json_string() -> None:
    rendered = result_of(*GREETING, "--var", "name=Zoë", "--var", "role=Köchin", "--to", "openai")
    assert rendered == '"Hello Zoë! Your role is Köchin."\n'


def test_to_messages_makes_a_text_prompt_a_user_message() -> None:
    arguments = (*GREETING, "--var", "name=Ada", "--var", "role=engineer", "--to-messages", "--to")
    message = {"role": "user", "content": "Hello Ada! Your role is engineer."}
    assert json.loads(result_of(*arguments, "anthropic")) == {"messages": [message]}
    assert json.loads(result_of(*arguments, "openai")) == [message]


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("name=", ""),
        ("name=a=b", "a=b"),
        ("name={{role}}", "{{role}}"),
        ("name=5", "5"),
        ("name:=5", "5"),
        ("name:=1.50", "1.5"),
        ('name:="5"', "5"),
        ("name:=true", "true"),
        ("name= :=5", " :=5"),
    ],
)
def test_a_variable_is_text_or_json(argument: str, text: str) -> None:
    assert result_of(*GREETING, "--var", argument, "--var", "role=r") == f"Hello {text}! Your role is r."


def test_values_of_several_sources_are_joined(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text('{"role": "r"}', encoding="utf-8")
    assert result_of(*GREETING, "--var", "name=a", "--vars", str(file)) == "Hello a! Your role is r."


def test_a_variable_of_the_command_line_overrides_one_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text('{"role": "r", "name": "b"}', encoding="utf-8")
    assert result_of(*GREETING, "--var", "name=a", "--vars", str(file)) == "Hello a! Your role is r."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--var", "name=a", "--var", "name=a"), "'name' is given twice"),
        (("--var", "name=a", "--var", "name:=1"), "'name' is given twice"),
        (("--vars", "ROLE", "--vars", "ROLE"), "the variable 'role' is in two files: ROLE and ROLE"),
        (("--vars", "TWICE"), "variables in TWICE cannot be used: it has the key 'role' twice"),
        (("--vars", "DEEP"), "variables in DEEP cannot be used: it has the key 'a' twice"),
        (("--var", 'name:={"a": 1, "a": 1}'), "the value after name:= is not JSON: it has the key 'a' twice"),
    ],
)
def test_a_variable_given_twice_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    files = {"ROLE": '{"role": "r"}', "TWICE": '{"role": 1, "role": 2}', "DEEP": '{"role": [{"a": 1, "a": 1}]}'}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    given = [str(tmp_path / each) if each in files else each for each in arguments]
    failure = failure_of(*GREETING, *given, status=2)
    assert said in failure.replace(f"{tmp_path}/", "")


def test_a_number_that_is_too_large_is_an_error() -> None:
    assert "the value after name:= is not JSON: 1e400 is too large for a number" in failure_of(
        *GREETING, "--var", "name:=[1e400]", "--var", "role=r", status=2
    )


def test_a_text_after_the_sign_for_json_is_an_error_with_the_right_sign() -> None:
    assert "\n  hint: give a text with name=TEXT\n" in failure_of(*GREETING, "--var", "name:=Ada", status=2)


def test_a_file_with_a_number_that_is_too_large_is_an_error() -> None:
    said = failure_of(*GREETING, "--vars", "-", given='{"name": -1e400, "role": "r"}')
    assert "are not JSON: -1e400 is too large for a number" in said


def test_variables_come_from_standard_input() -> None:
    given = '\ufeff{"name": "Zoë", "role": "r"}'
    assert result_of(*GREETING, "--vars", "-", given=given) == "Hello Zoë! Your role is r."


def test_not_strict_warns_instead_of_failing(versions: str) -> None:
    arguments = ("render", "late", "--dir", versions, "--to", "anthropic")
    assert "Anthropic does not accept `name`" in failure_of(*arguments)
    done = run(*arguments, "--not-strict")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"system": "Two", "messages": [{"role": "user", "content": "One"}]}
    name, system = done.stderr.splitlines()
    assert name == "warning: message 0 (user): Anthropic does not accept `name`; left out"
    assert system.startswith("warning: message 1 (system): ")


def test_warnings_of_a_load_go_to_standard_error(directory: Callable[[dict[str, str]], Path]) -> None:
    root = directory({"a.yaml": "id: a\nformat: text\ntemplate: {content: x, helpers: {up: y}}\n"})
    done = run("render", "a", "--dir", str(root))
    assert (done.exit_code, done.stdout) == (0, "x")
    assert done.stderr.startswith("warning: ")
    assert "`helpers` of prompt `a`" in done.stderr
    assert done.stderr.endswith(f"[PM013]\n  hint: prompt-manager check {root}\n")


def test_many_findings_of_a_load_are_one_line(directory: Callable[[dict[str, str]], Path]) -> None:
    unused = "template: Hello {{name}}\nvariables: [name, place]\n"
    root = directory({"a.yaml": unused, "b.yaml": unused, "c.yaml": "template: Ticket #{{n}}\n"})
    done = run("show", "a", "--dir", str(root))
    expected = f"warning: 3 findings in the prompts (PM010, PM011)\n  hint: prompt-manager check {root}\n"
    assert (done.exit_code, done.stderr) == (0, expected)


@pytest.mark.parametrize("command", ["show", "render"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope", "--dir", PROMPTS), "there is no prompt 'nope'"),
        (("greeting", "--dir", PROMPTS, "--version", "9.0.0"), "prompt 'greeting' has no version 9.0.0"),
        (("greeting", "--dir", PROMPTS, "--version", "new"), "`new` is not a version"),
        (("greeting", "--dir", PROMPTS, "--label", "x"), "prompt 'greeting' has no label 'x'"),
        (("greeting", "--dir", "nowhere"), "cannot read the directory nowhere"),
        (("summary", "--dir", PROMPTS, "--schemas", "nowhere"), "cannot read the directory nowhere"),
    ],
)
def test_missing_prompts_versions_and_directories_fail(command: str, arguments: tuple[str, ...], said: str) -> None:
    assert failure_of(command, *arguments).startswith(said)


def test_a_missing_directory_has_a_hint() -> None:
    assert "--dir or PROMPT_MANAGER_DIR" in failure_of("list", "--dir", "nowhere")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*GREETING, "--var", "name=Ada"), "Missing variable 'role' for prompt 'greeting'\n"),
        ((*SUPPORT[:-2], "--to", "openai"), "'user_query'"),
        ((*GREETING, "--var", "name=a", "--var", "role=b", "--to", "messages"), "format text"),
        ((*GREETING, "--var", "name=a", "--var", "role=b", "--to", "anthropic"), "requires CHAT format"),
        ((*GREETING, "--var", "name=a", "--var", "role=b", "--to", "anthropic"), "--to-messages"),
    ],
)
def test_a_failed_render_has_an_error_message(arguments: tuple[str, ...], said: str) -> None:
    assert said in failure_of(*arguments)


def test_a_draft_without_a_template_cannot_be_rendered(versions: str) -> None:
    assert "Template required" in failure_of("render", "draft", "--dir", versions)


@pytest.mark.parametrize("target", ["text", "openai"])
def test_text_for_a_number_has_a_hint_about_json(target: str) -> None:
    hint = "\n  hint: --var max_points=... passes text; use --var 'max_points:=...' to pass JSON\n"
    assert failure_of(*SUMMARY, "--var", "max_points=3", "--to", target).endswith(hint)
    assert "hint" not in failure_of(*SUMMARY, "--var", 'max_points:="3"', "--to", target)
    assert "at most 3 key points" in result_of(*SUMMARY, "--var", "max_points:=3", "--to", target)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"name": "Ada",}', " are not JSON: "),
        (b"name: Ada", " are not JSON: "),
        (b"", " are not JSON: "),
        (b'{"name": NaN}', " are not JSON: NaN is not a JSON number"),
        (
            b'{"name": %s}' % (b"1" * 5000),
            " are not JSON: Exceeds the limit (4300 digits) for integer string conversion",
        ),
        (b"[" * 100_000, " are not JSON: it is nested too deeply"),
        (b'{"name": "\xff"}', " are not UTF-8 (byte 10)"),
        (b"[1]", " must be a JSON object, not a list"),
        (b'"text"', " must be a JSON object, not a string"),
        (b"1", " must be a JSON object, not a number"),
        (b"true", " must be a JSON object, not a boolean"),
        (b"null", " must be a JSON object, not null"),
    ],
)
def test_a_bad_file_of_variables_fails(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "values.json"
    file.write_bytes(content)
    assert failure_of(*GREETING, "--vars", str(file)).startswith(f"variables in {file}{said}")
    assert failure_of(*GREETING, "--vars", "-", given=content).startswith(f"variables in standard input{said}")


def test_a_json_error_in_a_file_has_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text('{\n  "name": "Ada"\n  "role": "b"\n}', encoding="utf-8")
    assert failure_of(*GREETING, "--vars", str(file)).partition("\n  hint: ")[0].endswith(f"\n  at {file}:3:3")


def test_an_unreadable_file_of_variables_fails(tmp_path: Path) -> None:
    gone = tmp_path / "gone.json"
    said = f"cannot read variables from {gone}: No such file or directory\n"
    assert failure_of(*GREETING, "--vars", str(gone)) == said
    assert failure_of(*GREETING, "--vars", str(tmp_path)).startswith(f"cannot read variables from {tmp_path}: ")


def test_errors_in_prompt_files_have_line_and_column(
    directory: Callable[[dict[str, str]], Path],
) -> None:
    root = directory(
        {
            "good.yaml": "id: good\nformat: text\ntemplate: x\n",
            "bad.yaml": "id: bad\nformat: text\ntemplate: |\n  Hi {{#if name}}\n",
            "worse.yaml": "id: worse\nformat: txt\ntemplate: x\n",
        }
    )
    for command in (("list",), ("show", "good"), ("render", "good")):
        said = failure_of(*command, "--dir", str(root))
        assert said.startswith("2 problems in ")
        assert f"  at {root / 'bad.yaml'}:4:6\n" in said
        assert f"  at {root / 'worse.yaml'}:2:9\n" in said
        assert "Hi {{#if name}}\n" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "No such command 'nope'."),
        (("--nope",), "No such option"),
        (("list", "--nope"), "No such option"),
        (("list", "extra"), "Got unexpected extra argument (extra)"),
        (("show",), "Missing argument 'ID[@VERSION|@LABEL]'."),
        (("render",), "Missing argument 'ID[@VERSION|@LABEL]'."),
        ((*GREETING, "--var"), "Option '--var' requires an argument."),
        ((*GREETING, "--to", "pdf"), "Invalid value for '--to': 'pdf' is not one of"),
        ((*GREETING, "--var", "name"), "Invalid value for '--var': 'name' must be written as NAME=TEXT or"),
        ((*GREETING, "--var", "=x"), "Invalid value for '--var': '=x' must be written as"),
        ((*GREETING, "--var", ":=1"), "Invalid value for '--var': ':=1' must be written as"),
        ((*GREETING, "--var", "name:=x"), "Invalid value for '--var': the value after name:= is not JSON: expecting"),
        ((*GREETING, "--var", "name:=NaN"), "Invalid value for '--var': the value after name:= is not JSON: NaN"),
        ((*GREETING, "--var", "name=\udcff"), "Invalid value for '--var': 'name=\\udcff' is not UTF-8"),
        (("show", "\udcff"), "Invalid value for 'ID[@VERSION|@LABEL]': '\\udcff' is not UTF-8"),
        (("check", "--base", "\udcff"), "Invalid value for '--base': '\\udcff' is not UTF-8"),
        ((*GREETING, "--version", "1.0.0", "--label", "x"), "--version and --label cannot be used together"),
        (("show", "greeting", "--version", "1.0.0", "--label", "x"), "--version and --label cannot be used together"),
        (
            (*GREETING, "--to-messages"),
            "--to-messages needs --to with a provider: openai, openai-responses, anthropic, litellm, gemini or bedrock",
        ),
        (
            (*GREETING, "--not-strict"),
            "--not-strict needs --to with a provider: openai, openai-responses, anthropic, litellm, gemini or bedrock",
        ),
        (
            (*GREETING, "--not-strict", "--to", "messages"),
            "--not-strict needs --to with a provider: openai, openai-responses, anthropic, litellm, gemini or bedrock",
        ),
    ],
)
def test_wrong_usage_has_status_2(arguments: tuple[str, ...], said: str) -> None:
    assert failure_of(*arguments, status=2).startswith(said)


def test_wrong_usage_prints_the_usage_line() -> None:
    said = failure_of("render", "x", "--not-strict", status=2)
    assert "\nusage: app render [OPTIONS] ID[@VERSION|@LABEL]\n  hint: app render --help\n" in said


def test_no_command_prints_the_help_and_exits_with_2() -> None:
    done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("list",), ("show",), ("render",)])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_fits_80_columns(arguments: tuple[str, ...], flag: str) -> None:
    text = result_of(*arguments, flag)
    assert text.startswith("Usage: ")
    assert max(map(len, text.splitlines())) <= 80
