"""``show`` and ``list``: prompts as they are written, where variables are used, filters and the tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from terminal import on_a_terminal, widest

from helpers import EXAMPLES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

LONG_LINE = "{{name}} " + "and so on " * 30

FILES = {
    "prompts/greeting.yaml": f"""\
version: 1.0.0
messages:
  - role: system
    content: |
      {LONG_LINE.strip()}
      {{{{#if vip}}}}Thank {{{{name}}}}.{{{{/if}}}} {{{{> sign/off}}}}
  - {{role: user, content: "Ask {{{{question}}}}"}}
  - {{role: placeholder, name: history, optional: true}}
variables: {{name: any, question: any, vip: {{type: boolean, default: false}}, company: any}}
labels: [production]
""",
    "prompts/greeting-2.yaml": "id: greeting\nversion: 2.0.0\ntemplate: new {{x}}\nlabels: [staging]\n",
    "prompts/partials/sign/off.hbs": "Yours, {{company}}\n",
    "prompts/support/refund.yaml": "template: Refund\nstatus: draft\nmetadata: {tags: [money], category: service}\n",
    "prompts/support/deep/er.yaml": "template: Deeper\nmetadata: {tags: [money, deep], description: The deepest}\n",
}


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write(FILES)


def test_show_tells_where_variables_are_used(result_of: Text) -> None:
    shown = result_of("show", "greeting@1.0.0")
    rows = {line.split()[0]: line.split()[1:] for line in shown.split("\nvariables\n")[1].split("\n\n")[0].splitlines()}
    assert rows == {
        "name": ["any", "required", "5:9"],
        "question": ["any", "required", "7:34"],
        "vip": ["boolean", "default", "false", "6:13"],
        "company": ["any", "required", "6:41", "sign/off"],
        "history": ["list", "optional", "messages[2]"],
    }
    uses = {
        variable["name"]: variable["uses"]
        for variable in json.loads(result_of("show", "greeting@1.0.0", "--json"))["variables"]
    }
    assert uses["company"] == [{"template": "messages[0]", "partial": "sign/off", "line": 6, "column": 41}]
    assert uses["history"] == [{"template": "messages[2]", "partial": None, "line": None, "column": None}]


def test_show_prints_the_file_and_all_versions_and_labels(result_of: Text) -> None:
    for chosen in ("greeting@1.0.0", "greeting@production"):
        shown = result_of("show", chosen)
        assert "\n  version   1.0.0\n" in shown
        assert "\n  labels    production 1.0.0, staging 2.0.0\n  versions  1.0.0, 2.0.0\n" in shown
        assert "\n  file      prompts/greeting.yaml:1\n" in shown
    assert "\n  version   2.0.0\n" in result_of("show", "greeting")


@pytest.mark.parametrize("columns", [80, 200])
def test_templates_are_never_wrapped(project: Path, columns: int) -> None:
    shown = on_a_terminal("show", "greeting@production", directory=project, columns=columns, NO_COLOR="1")
    assert f"\n    {LONG_LINE.strip()}\n" in shown
    assert widest(shown.replace(LONG_LINE.strip(), "")) <= columns


@pytest.mark.parametrize(
    ("prompt_id", "message"),
    [
        ("greeting@3.0.0", "prompt 'greeting' has no version 3.0.0"),
        ("greeting@3", "`3` is not a version"),
        ("greeting@producton", "prompt 'greeting' has no label 'producton'\n  hint: did you mean 'production'?"),
        ("gretting@production", "there is no prompt 'gretting'"),
    ],
)
def test_a_version_or_label_that_is_missing_is_an_error(failure_of: Text, prompt_id: str, message: str) -> None:
    assert failure_of("show", prompt_id).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("greeting@",), "'greeting@' must be written as ID, ID@VERSION or ID@LABEL"),
        (("greeting@1.0.0", "--label", "production"), "'greeting@1.0.0' names a version: leave out --version and"),
        (("greeting@1.0.0", "--version", "1.0.0"), "'greeting@1.0.0' names a version: leave out --version and"),
    ],
)
def test_a_version_is_named_once(failure_of: Text, arguments: tuple[str, ...], message: str) -> None:
    assert failure_of("show", *arguments, status=2).startswith(message)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ((), ["greeting", "support/deep/er", "support/refund"]),
        (("--status", "draft"), ["support/refund"]),
        (("--format", "text", "--status", "active"), ["greeting", "support/deep/er"]),
        (("--tag", "money"), ["support/deep/er", "support/refund"]),
        (("--tag", "money", "--tag", "deep"), ["support/deep/er"]),
        (("--category", "service"), ["support/refund"]),
        (("--label", "production"), ["greeting"]),
        (("--text", "deepest"), ["support/deep/er"]),
    ],
)
def test_list_has_filters(result_of: Text, filters: tuple[str, ...], ids: list[str]) -> None:
    assert [prompt["id"] for prompt in json.loads(result_of("list", "--json", *filters))] == ids


def test_list_with_a_label_shows_the_version_that_it_points_at(result_of: Text) -> None:
    assert [prompt["version"] for prompt in json.loads(result_of("list", "--json", "--label", "production"))] == [
        "1.0.0"
    ]


def test_a_filter_that_nothing_matches_is_said(run: Callable[..., object]) -> None:
    done = run("list", "--tag", "nothing")
    assert (done.exit_code, done.stdout) == (0, "")  # type: ignore[attr-defined]
    assert done.stderr == "warning: no prompt matches in prompts\n"  # type: ignore[attr-defined]


TREE = """\
├── greeting  2.0.0  staging
└── support/
    ├── deep/
    │   └── er  1.0.0
    └── refund  1.0.0  draft
"""


def test_list_shows_a_tree(result_of: Text) -> None:
    assert result_of("list", "--tree") == TREE


def test_a_tree_is_drawn_without_unicode_where_it_must_be(project: Path) -> None:
    shown = on_a_terminal("list", "--tree", directory=project, PYTHONIOENCODING="ascii", NO_COLOR="1")
    for symbol, plain in (("├── ", "|-- "), ("└── ", "`-- "), ("│", "|")):
        assert symbol not in shown
        assert plain in shown


def test_colours_are_for_terminals_without_no_color(project: Path) -> None:
    plain = on_a_terminal("list", directory=project, NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\x1b" not in on_a_terminal("list", directory=project, TERM="dumb")
    coloured = on_a_terminal("list", directory=project)
    assert "\x1b[1mgreeting\x1b[0m" in coloured
    assert widest(coloured) == widest(plain)


@pytest.mark.parametrize("columns", [80, 200])
def test_the_examples_fit_a_terminal(columns: int) -> None:
    for prompt_id in ("summary", "assistant/orders"):
        shown = on_a_terminal(
            "show", prompt_id, "--dir", str(EXAMPLES / "prompts"), directory=ROOT, columns=columns, NO_COLOR="1"
        )
        before_the_templates = shown.split("\ntemplate\n")[0].split("\nmessages\n")[0]
        assert widest(before_the_templates) <= columns
