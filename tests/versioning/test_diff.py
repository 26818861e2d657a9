"""The differences between two versions, and the version bump that they propose."""

from __future__ import annotations

import pytest

from helpers import cases, chat_of, create_text_prompt
from prompt_manager import PromptManager
from prompt_manager._native import raise_version
from prompt_manager.core.models import Prompt
from prompt_manager.exceptions import PromptNotFoundError, PromptValidationError, VersionNotFoundError
from prompt_manager.versioning import diff

CASES = [pytest.param(case, id=name) for name, case in cases("versions") if "bump" in case]


@pytest.mark.parametrize("case", CASES)
def test_a_diff_proposes_a_bump_with_its_reason(case):
    found = diff(Prompt(**case["old"]), Prompt(**case["new"]))
    assert (found.bump, list(found.reasons)) == (case["bump"], case["reasons"])
    assert found.same_content is (case["bump"] == "none")
    assert case["reasons"][0] in str(found)


def test_templates_are_compared_line_by_line():
    lines = [f"line {n}" for n in range(20)]
    old = create_text_prompt(template="\n".join(lines))
    new = create_text_prompt(template="\n".join([*lines[:10], "another", *lines[11:]]))
    assert diff(old, new).template == (
        "@@ -8,7 +8,7 @@\n line 7\n line 8\n line 9\n-line 10\n+another\n line 11\n line 12\n line 13\n"
    )


def test_a_diff_shows_a_changed_final_line_break():
    found = diff(create_text_prompt(template="x"), create_text_prompt(template="x\n"))
    assert found.template == "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n"


def test_chats_are_compared_message_by_message():
    system, question = {"role": "system", "content": "Be brief.\nBe kind."}, {"role": "user", "content": "{{q}}"}
    example = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    old = chat_of(system, *example, question)
    new = chat_of(
        {**system, "content": "Be brief.\nBe fair."}, question, example[1], {"role": "user", "content": "So?"}
    )
    changes = [(each.change, each.role, each.old, each.new) for each in diff(old, new).messages]
    assert ("changed", "system", 1, 1) in changes
    assert changes == sorted(changes, key=lambda change: (change[3] or change[2], change[3] is None))
    texts = {(each.role, each.change): each.text for each in diff(old, new).messages}
    assert texts["system", "changed"] == "@@ -1,2 +1,2 @@\n Be brief.\n-Be kind.\n+Be fair.\n"


def test_a_moved_message_is_shown_with_both_positions():
    first, second, third = ({"role": "user", "content": text} for text in ("one", "two", "three"))
    assistant = {"role": "assistant", "content": "x"}
    (change,) = diff(chat_of(assistant, first, second, third), chat_of(first, second, third, assistant)).messages
    assert (change.change, change.role, change.old, change.new) == ("moved", "assistant", 1, 4)


def test_tool_calls_are_compared_as_json():
    def calling(argument):
        call = {"id": "c", "function": {"name": "f", "arguments": {"a": argument}}}
        return chat_of({"role": "assistant", "tool_calls": [call]})

    (change,) = diff(calling("{{x}}"), calling("{{y}}")).messages
    assert '-          "a": "{{x}}"' in change.text
    assert '+          "a": "{{y}}"' in change.text


def test_changes_have_old_and_new_values():
    old = create_text_prompt(
        template={"content": "{{a}}", "variables": {"a": "string", "gone": {"required": False}}},
        settings={"temperature": 0.2, "model": "m"},
        labels=["production"],
        metadata={"author": "Ada", "temperature": 1},
    )
    new = create_text_prompt(
        version="2.0.0",
        template={"content": "{{a}}", "variables": {"a": {"type": "string", "default": "x"}}},
        settings={"temperature": 0.7, "model": "m"},
        labels=["staging"],
        status="active",
        output_schema="reply",
        tools=[{"name": "f"}],
    )
    found = diff(old, new)
    assert [(each.name, each.change) for each in found.variables] == [("a", "changed"), ("gone", "removed")]
    assert found.variables[0].old.required
    assert found.variables[0].new.default == "x"
    assert [(each.key, each.old, each.new) for each in found.settings] == [("temperature", 0.2, 0.7)]
    assert [(each.key, each.old, each.new) for each in found.schemas] == [("output_schema", None, "reply")]
    assert [(each.key, each.old, each.new) for each in found.other] == [
        ("metadata.author", "Ada", None),
        ("status", "draft", "active"),
    ]
    assert [(each.name, each.change, each.old) for each in found.tools] == [("f", "added", None)]
    assert (found.labels_added, found.labels_removed) == (("staging",), ("production",))


def test_a_diff_prints_readably():
    old = create_text_prompt(status="active", labels=["production"], settings={"temperature": 0})
    new = old.replace(
        version="2.0.0",
        template={"content": "Hi {{name}}, {{mood}}!", "partials": {"sign": "Bye"}},
        settings={"temperature": 1},
        labels=[],
    )
    assert (
        str(diff(old, new))
        == """\
greeting 1.0.0 → 2.0.0: major (variable `mood` was added and is required)

template
  @@ -1 +1 @@
  -Hello {{name}}!
  +Hi {{name}}, {{mood}}!

partials
  sign added
    @@ -0,0 +1 @@
    +Bye

variables
  + mood: any, required

settings
  temperature: 0.0 → 1.0

labels
  - production"""
    )


def test_a_diff_cannot_be_changed():
    found = diff(create_text_prompt(), create_text_prompt(template="x"))
    with pytest.raises(ValueError, match="frozen"):
        found.bump = "none"


async def test_a_manager_compares_two_versions():
    manager = PromptManager()
    for version, template in (("1.0.0", "Hello {{name}}!"), ("1.1.0", "Hello {{name}}.")):
        manager.create_prompt_sync(create_text_prompt(version=version, template=template, status="active"))
    found = await manager.compare_versions("greeting", "1.0.0", "1.1.0")
    assert found == manager.compare_versions_sync("greeting", "1.0.0", "1.1.0")
    assert (found.old_version, found.new_version, found.bump) == ("1.0.0", "1.1.0", "patch")
    with pytest.raises(VersionNotFoundError, match=r"no version 9\.0\.0"):
        manager.compare_versions_sync("greeting", "1.0.0", "9.0.0")
    with pytest.raises(PromptNotFoundError, match="greting"):
        await manager.compare_versions("greting", "1.0.0", "1.1.0")


RAISED = [
    # bumps by hand: version, major, minor, patch
    ("1.2.3", "2.0.0", "1.3.0", "1.2.4"),
    ("0.1.2", "1.0.0", "0.2.0", "0.1.3"),
    ("2.0.0-rc.1", "2.0.0", "2.0.0", "2.0.0"),
    ("1.3.0-rc.1", "2.0.0", "1.3.0", "1.3.0"),
    ("1.2.3-rc.1", "2.0.0", "1.3.0", "1.2.3"),
]
FOLLOWED = [
    ("1.2.3", "2.0.0", "1.3.0", "1.2.4"),
    ("0.1.2", "0.2.0", "0.2.0", "0.1.3"),
    ("2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-rc.2", "2.0.0-rc.2"),
    ("2.0.0-rc", "2.0.0-rc.1", "2.0.0-rc.1", "2.0.0-rc.1"),
    ("2.0.0-9", "2.0.0-10", "2.0.0-10", "2.0.0-10"),
    ("1.2.3-beta.4", "2.0.0-beta.1", "1.3.0-beta.1", "1.2.3-beta.5"),
    ("1.2.3-4", "2.0.0-1", "1.3.0-1", "1.2.3-5"),
    ("0.0.1-a.1", "0.1.0-a.1", "0.1.0-a.1", "0.0.1-a.2"),
]


@pytest.mark.parametrize(
    ("row", "found"), [*[(row, False) for row in RAISED], *[(row, True) for row in FOLLOWED]], ids=str
)
def test_raise_version_returns_the_next_version(row, found):
    version, *raised = row
    assert [raise_version(version, bump, found=found) for bump in ("major", "minor", "patch")] == raised
    assert raise_version(version, "none", found=True) == version


@pytest.mark.parametrize(
    ("version", "bump", "why"),
    [
        ("1.0", "major", "three numbers"),
        ("x", "major", "is not a version"),
        ("1.0.0", "huge", "unknown bump"),
        ("18446744073709551615.0.0", "major", "too large"),
    ],
)
def test_an_impossible_bump_is_an_error(version, bump, why):
    with pytest.raises(PromptValidationError, match=why):
        raise_version(version, bump, found=False)
