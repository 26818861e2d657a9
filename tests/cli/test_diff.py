"""``diff``: between versions, labels, git revisions and files; in colours, as Markdown and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from terminal import on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Commit = Callable[..., None]
    Run = Callable[..., Result]
    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

OLD = """\
version: 1.0.0
messages:
  - role: system
    content: |
      You help {{company}}.
      Be brief.
  - {role: user, content: "{{question}}"}
"""

NEW = OLD.replace("1.0.0", "1.0.1").replace("Be brief.", "Be kind.\n      - not rude")

TWO = "id: a\ntemplate: x\n---\nid: b\ntemplate: y\n"

CHANGE = """\
support 1.0.0 → 1.0.1: patch (message 1 (system) was changed)

messages
  message 1 (system) changed
    @@ -1,2 +1,3 @@
     You help {{company}}.
    -Be brief.
    +Be kind.
    +- not rude
"""


@pytest.fixture
def changed(project: Path, write: Write, commit: Commit) -> Path:
    """A project with one prompt that changed since the tag v1, and one that did not."""
    write({"prompts/support.yaml": OLD, "prompts/other.yaml": "template: Same\n"})
    commit(tag="v1")
    write({"prompts/support.yaml": NEW})
    return project


@pytest.mark.usefixtures("changed")
def test_prompts_are_compared_with_the_last_commit(result_of: Text, commit: Commit) -> None:
    assert result_of("diff") == CHANGE
    assert result_of("diff", "support") == CHANGE
    assert result_of("diff", "other") == "other 1.0.0 → 1.0.0: none (the model receives the same)\n"
    commit()
    assert result_of("diff") == "no prompt differs\n"
    assert result_of("diff", "--base", "v1") == CHANGE
    assert result_of("diff", "--base", "HEAD~1") == CHANGE
    assert result_of("diff", "support", "v1") == CHANGE
    assert result_of("diff", "support", "v1", "HEAD") == CHANGE
    assert result_of("diff", "support", "git:HEAD", "git:v1").startswith("support 1.0.1 → 1.0.0: patch")


def test_versions_and_labels_are_compared(result_of: Text, write: Write) -> None:
    write({"prompts/support.yaml": OLD, "prompts/new.yaml": f"id: support\nlabels: [staging]\n{NEW}"})
    assert result_of("diff", "support", "1.0.0", "1.0.1").split("\n\n")[0] == CHANGE.split("\n\n", maxsplit=1)[0]
    assert result_of("diff", "support", "1.0.0", "staging") == result_of("diff", "support", "1.0.0")
    assert "\nlabels\n  + staging\n" in result_of("diff", "support", "1.0.0")


def test_a_label_wins_over_a_revision_of_its_name(result_of: Text, write: Write, commit: Commit) -> None:
    write({"prompts/support.yaml": f"labels: [v1]\n{OLD}", "prompts/new.yaml": f"id: support\n{NEW}"})
    commit(tag="v1")
    assert result_of("diff", "support", "v1").startswith("support 1.0.0 → 1.0.1: patch")
    assert result_of("diff", "support", "git:v1").startswith("support 1.0.1 → 1.0.1: none")


def test_files_are_compared(result_of: Text, failure_of: Text, write: Write) -> None:
    write(
        {
            "a.yaml": f"id: support\n{OLD}",
            "b.yaml": f"id: support\n{NEW}",
            "two.yaml": TWO,
        }
    )
    assert result_of("diff", "a.yaml", "b.yaml") == CHANGE
    assert failure_of("diff", "a.yaml", "two.yaml").startswith("two.yaml has 2 prompts, and only files with one prompt")


def test_files_may_include_what_the_project_has(result_of: Text, write: Write) -> None:
    text = 'id: mail\ntemplate: "{{shout name}}{{> tone}}"\n'
    app = (
        "from prompt_manager import PromptManager, TemplateEngine\n"
        "engine = TemplateEngine()\n"
        "engine.register_helper('shout', str.upper)\n"
        "manager = PromptManager.from_directory_sync('prompts', template_engine=engine)\n"
    )
    write(
        {
            "prompts/partials/tone.hbs": "Be brief.\n",
            "prompts/mail.yaml": text,
            "earlier/mail.yaml": text.replace("}}{{", "}}: {{"),
            "app_of_diff.py": app,
            "pyproject.toml": '[tool.prompt-manager]\napp = "app_of_diff:manager"\n',
        }
    )
    assert "-{{shout name}}: {{> tone}}\n" in result_of("diff", "earlier/mail.yaml", "prompts/mail.yaml")


@pytest.mark.usefixtures("changed")
def test_new_and_removed_prompts_are_named(project: Path, result_of: Text, write: Write) -> None:
    (project / "prompts" / "other.yaml").unlink()
    write({"prompts/a.yaml": "template: New\n"})
    assert result_of("diff").split("\n\n")[0] == "a 1.0.0: added"
    assert result_of("diff").startswith("a 1.0.0: added\n\nother 1.0.0: removed\n\nsupport 1.0.0")
    assert result_of("diff", "a") == "a 1.0.0: added\n"
    assert [each["change"] for each in json.loads(result_of("diff", "--json"))] == ["added", "removed", "changed"]
    assert "### `other` 1.0.0: removed\n" in result_of("diff", "--markdown")


@pytest.mark.usefixtures("changed")
def test_the_exit_status_tells_of_differences_if_asked(run: Run) -> None:
    assert run("diff").exit_code == 0
    assert run("diff", "--exit-code").exit_code == 1
    assert run("diff", "other", "--exit-code").exit_code == 0


MARKDOWN = """\
### `support` 1.0.0 → 1.0.1: patch

- message 1 (system) was changed

```diff
# messages
message 1 (system) changed
@@ -1,2 +1,3 @@
   You help {{company}}.
-Be brief.
+Be kind.
+- not rude
```
"""


@pytest.mark.usefixtures("changed")
def test_markdown_is_for_a_comment_of_a_pull_request(result_of: Text) -> None:
    assert result_of("diff", "--markdown") == MARKDOWN


def test_no_text_of_a_prompt_ends_the_block_of_markdown(result_of: Text, write: Write, commit: Commit) -> None:
    write({"prompts/a.yaml": "template: |\n  x\n"})
    commit()
    write({"prompts/a.yaml": "template: |\n  x\n  ````\n  <script>@ada\n"})
    shown = result_of("diff", "--markdown")
    assert "\n`````diff\n" in shown
    assert shown.endswith("\n`````\n")
    write({"prompts/a.yaml": "template: |\n  x\n"})
    assert result_of("diff", "--markdown") == "No prompt differs.\n"


def test_a_diff_is_coloured_on_a_terminal(changed: Path) -> None:
    shown = on_a_terminal("diff", directory=changed)
    for line in (
        "\x1b[1msupport\x1b[0m 1.0.0 → 1.0.1: \x1b[1;32mpatch\x1b[0m (message 1 (system) was changed)",
        "\x1b[1;4mmessages\x1b[0m",
        "\x1b[36m    @@ -1,2 +1,3 @@\x1b[0m",
        "\x1b[31m    -Be brief.\x1b[0m",
        "\x1b[32m    +- not rude\x1b[0m",
        "     You help {{company}}.",
    ):
        assert f"{line}\n" in shown
    assert on_a_terminal("diff", directory=changed, NO_COLOR="1") == CHANGE


def test_a_context_line_that_begins_with_a_dash_has_no_colour(project: Path, write: Write, commit: Commit) -> None:
    write({"prompts/a.yaml": "template: |\n  - one\n    - two\n  end\n"})
    commit()
    write({"prompts/a.yaml": "template: |\n  - one\n    - two\n  END\n"})
    shown = on_a_terminal("diff", directory=project)
    assert "\n   - one\n     - two\n\x1b[31m  -end\x1b[0m\n" in shown


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope",), "there is no prompt 'nope'"),
        (("support", "nope"), "prompt 'support' has no label 'nope'"),
        (("support", "9.0.0"), "prompt 'support' has no version 9.0.0"),
        (("support", "git:nope"), "cannot read prompts at nope: there is no revision 'nope'"),
        (("support", "git:--output=x"), "cannot read prompts at --output=x: there is no revision"),
        (("--base", "nope"), "cannot read prompts at nope: there is no revision 'nope'"),
    ],
)
def test_what_cannot_be_compared_is_an_error(failure_of: Text, arguments: tuple[str, ...], message: str) -> None:
    assert failure_of("diff", *arguments).startswith(message)


def test_a_revision_whose_prompts_are_broken_is_an_error(failure_of: Text, write: Write, commit: Commit) -> None:
    write({"prompts/a.yaml": "template: '{{#if'\n"})
    commit()
    write({"prompts/a.yaml": "template: Hi\n"})
    said = failure_of("diff")
    assert said.startswith("the prompts at HEAD cannot be read: a problem in prompts\n")
    assert "at prompts/a.yaml:1:" in said


def test_without_git_there_are_no_revisions(failure_of: Text, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"prompts/a.yaml": "template: Hi\n"})
    assert failure_of("diff") == "cannot read prompts at HEAD: the directory is not in a git repository\n"
    monkeypatch.setenv("PATH", "")
    assert failure_of("diff") == "git is not installed, and earlier revisions are read with it\n"
