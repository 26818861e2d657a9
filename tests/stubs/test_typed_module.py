"""Typed modules: what they contain, what they do at run time, and what mypy and pyright find with them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from helpers import DATA
from prompt_manager import Prompt, PromptManager
from prompt_manager.stubs import typed_module
from type_checkers import CHECKERS, checked, write_settings

if TYPE_CHECKING:
    from pathlib import Path

STUBS = DATA / "stubs"


#: A program that the checkers have no complaint about, one with a fault in each marked line, and small modules.
PROGRAMS = ("right.py", "wrong.py", "typed_prompts.py", "of_none.py", "of_one.py", "of_two.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with typed modules, the programs, and the settings of both checkers."""
    root = tmp_path_factory.mktemp("typed")
    modules = {"typed_prompts.py": PromptManager.from_directory_sync(STUBS / "prompts")}
    modules |= {f"of_{name}.py": with_prompts(count) for count, name in enumerate(("none", "one", "two"))}
    for name, manager in modules.items():
        (root / name).write_text(typed_module(manager), encoding="utf-8")
    for name in ("right.py", "wrong.py"):
        (root / name).write_bytes((STUBS / name).read_bytes())
    write_settings(root)
    return root


def with_prompts(count: int) -> PromptManager:
    manager = PromptManager()
    for number in range(count):
        manager.create_prompt_sync(Prompt(id=f"p{number}", template="Hi {{name}}", status="active"))
    return manager


@pytest.fixture(scope="module", params=CHECKERS)
def report(request: pytest.FixtureRequest, folder: Path) -> str:
    """What a checker finds in all programs. One run is enough, and it takes a while."""
    return checked(folder, request.param, *PROGRAMS, status=1)


def lines_with_errors(report: str, name: str) -> set[int]:
    return {int(line) for line in re.findall(rf"{re.escape(name)}:(\d+):.*error", report)}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "wrong.py"])
def test_right_programs_and_typed_modules_pass(name, report):
    assert lines_with_errors(report, name) == set(), report


def test_each_wrong_line_is_found_and_no_other(report):
    lines = (STUBS / "wrong.py").read_text(encoding="utf-8").splitlines()
    wanted = {number for number, line in enumerate(lines, 1) if "  # " in line}
    assert len(wanted) >= 20
    found = lines_with_errors(report, "wrong.py")
    missed = [lines[number - 1] for number in sorted(wanted - found)]
    assert (missed, found - wanted) == ([], set()), report


def test_what_the_types_allow_renders():
    manager = PromptManager.from_directory_sync(STUBS / "prompts", unknown_variables="error")
    assert manager.render_sync("greeting", {"name": "Ada", "role": None}) == "Hi Ada, friend!"
    assert manager.render_sync("2fa", {"code": 1234, "reason": "sign-in"}, output_instructions=False)
    values = {"ticket": "a", "customer": {}, "tags": (n for n in "ab"), "history": None, "opened": None, "key": None}
    assert manager.render_messages_sync("support/triage", {**values, "customer": {"name": "Ada"}})


def executed(source: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "typed_prompts"}
    exec(compile(source, "typed_prompts.py", "exec"), names)  # noqa: S102 - the module under test
    return names


def test_at_run_time_there_is_only_the_class():
    names = executed(typed_module(PromptManager.from_directory_sync(STUBS / "prompts")))
    public = {name for name in names if not name.startswith("__")} - {"annotations", "TYPE_CHECKING"}
    assert public == {"PromptManager", "Prompts"}
    prompts_class = names["Prompts"]
    assert isinstance(prompts_class, type)
    assert prompts_class.__bases__ == (PromptManager,)
    assert {name for name in vars(prompts_class) if not name.startswith("__")} == set()
    manager = prompts_class.from_directory_sync(STUBS / "prompts")
    assert type(manager) is prompts_class
    assert manager.render_sync("nothing") == "Say hello."


def test_a_module_of_no_prompts_is_the_class_alone():
    source = typed_module(PromptManager())
    ast.parse(source)
    assert executed(source)["Prompts"]


#: Texts that would end a literal, a comment or a line, or that reorder it on the screen.
HOSTILE = [
    '"',
    '"""',
    "\\",
    "\\N{DIGIT ONE}",
    "'''",
    "{x}",
    "# end",
    "\x00\x1b[31m",
    "\u202eabc",
    "a\nb\r\nc",
    "\u2028",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_text_of_a_prompt_becomes_code(text):
    manager = PromptManager()
    variables = {
        "name": {"type": "string", "description": f"{text} first{text}"},
        "kind": {"type": "enum", "values": [text, "other"]},
    }
    prompt = Prompt(
        id="hi",
        template="{{name}} {{kind}}",
        variables=variables,
        status="active",
        metadata={"description": f"{text}{text}"},
    )
    manager.create_prompt_sync(prompt)
    source = typed_module(manager)
    assert all(char == "\n" or char.isprintable() for char in source)
    (literal,) = {
        node.slice.elts[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Tuple)
        and isinstance(node.slice.elts[0], ast.Constant)
        and len(node.slice.elts) == 2
        and isinstance(node.slice.elts[1], ast.Constant)
        and node.slice.elts[1].value == "other"
    }
    assert literal == text
    assert executed(source)["Prompts"]


def test_the_same_prompts_make_the_same_module():
    sources = {typed_module(PromptManager.from_directory_sync(STUBS / "prompts")) for _ in range(2)}
    assert len(sources) == 1
