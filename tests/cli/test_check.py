"""``prompt-manager check``: paths, rules that are chosen, comments that hide findings, formats and the exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from terminal import Terminal, widest

from helpers import EXAMPLES
from prompt_manager import PromptManager
from prompt_manager._native import fix_file
from prompt_manager.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

FAULTY = 'template: "Dear {{nick}}"\nvariables: [company]\n'
BROKEN = 'template: "{{#if x}}open"\n'
CUT = "template: Sum up ticket #{{n}} for {{who}}\n"
GOOD = "template: Hello {{name}}!\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return tmp_path


def write(root: Path, **files: str) -> None:
    """Write files by name, where ``__`` is a directory and the extension is that of a prompt, if there is none."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path = path if path.suffix else path.with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def codes(*arguments: str) -> list[str]:
    return [finding["code"] for finding in json.loads(check("--json", *arguments).stdout)]


def test_prompts_without_faults_have_no_findings(project):
    write(project, prompts__good=GOOD)
    result = check()
    assert (result.exit_code, result.stdout, result.stderr) == (0, "no findings\n", "")


def test_the_examples_have_no_findings():
    result = check(str(EXAMPLES / "prompts"), "--schemas", str(EXAMPLES / "schemas"))
    assert (result.exit_code, result.stdout) == (0, "no findings\n")


def test_a_finding_has_place_line_caret_and_hint(project):
    write(project, prompts__a=FAULTY)
    result = check()
    assert result.exit_code == 1
    assert result.stdout == (
        "prompts/a.yaml:1:19: warning PM009 prompt `a` uses `nick`, which its `variables` do not declare"
        " [undeclared-variable]\n"
        '  1 | template: "Dear {{nick}}"\n'
        "    |                   ^\n"
        "  hint: add `nick` to `variables`\n\n"
        "prompts/a.yaml:2:13: warning PM010 prompt `a` declares the variable `company` and never uses it"
        " [unused-variable]\n"
        "  2 | variables: [company]\n"
        "    |             ^\n"
        "  hint: use it in the template, or remove it\n\n"
        "2 findings\n"
    )


def test_the_caret_is_below_its_character_after_wide_ones(project):
    write(project, prompts__a='template: "日本 {{nick}}"\nvariables: [company]\n')
    line, caret = check().stdout.splitlines()[1:3]
    assert line == '  1 | template: "日本 {{nick}}"'
    # Each of the two characters takes two cells.
    assert caret.index("^") == line.index("nick") + 2


@pytest.mark.parametrize("columns", [80, 200])
def test_findings_fit_a_terminal(project, columns):
    text = "日本 " * 30 + "{{nick}} " + "word " * 30
    write(project, prompts__a=f'template: "{text}"\nvariables: [company]\n')
    status, written = Terminal("check", directory=project, columns=columns).end()
    assert status == 1
    assert widest(written) <= columns
    line, caret = next(pair for pair in pairwise(written.splitlines()) if pair[1].endswith("^"))
    assert cell_len(line[: line.index("nick")]) == caret.index("^")
    assert "declares the variable" in " ".join(written.split())


def test_an_error_on_a_terminal_breaks_no_word(project):
    write(project, prompts__a=GOOD)
    status, written = Terminal("show", "nobody-" * 15, directory=project).end()
    assert (status, "nobody-" * 15 in written) == (1, True)
    status, written = Terminal("check", "--select", "x", directory=project).end()
    assert status == 2
    assert widest(written) <= 80


def test_a_failed_test_fits_a_terminal(project):
    write(
        project,
        prompts__a=GOOD,
        **{"prompts__a.test.yaml": "- name: a\n  variables: {name: A}\n  contains: " + "x " * 90},
    )
    status, written = Terminal("test", directory=project).end()
    assert (status, widest(written) <= 80) == (1, True)


def test_every_fault_of_a_broken_directory_is_found(project):
    write(project, prompts__a=FAULTY, prompts__b=BROKEN, prompts__c="template: [", prompts__d=CUT, prompts__e=GOOD)
    (project / "prompts/f.yaml").write_bytes(b"template: \xff\xfe\n")
    found = codes()
    assert {"PM003", "PM009", "PM010", "PM011"} < {*found}
    assert len([file for file in json.loads(check("--json").stdout) if file["file"] == "prompts/f.yaml"]) == 1
    assert check().exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--select", "PM009"), ["PM009"]),
        (("--select", "pm009,unused-variable"), ["PM009", "PM010"]),
        (("--ignore", "PM009"), ["PM010"]),
        (("--ignore", "PM009", "--ignore", "PM010"), []),
        (("--select", "PM009", "--ignore", "undeclared-variable"), []),
    ],
)
def test_rules_are_chosen_by_code_or_name(project, arguments, expected):
    write(project, prompts__a=FAULTY)
    assert codes(*arguments) == expected


def test_a_rule_that_does_not_exist_is_wrong_usage(project):
    write(project, prompts__a=GOOD)
    result = check("--ignore", "unusedvariable")
    assert result.exit_code == 2
    assert "there is no rule 'unusedvariable'" in result.stderr
    assert "did you mean unused-variable?" in result.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('template: "{{nick}}"  # pm: ignore[PM009]\nvariables: [company]\n', ["PM010"]),
        ('template: "{{nick}}"  # pm: ignore\nvariables: [company]\n', ["PM010"]),
        ('# pm: ignore[PM009, PM010]\ntemplate: "{{nick}}"\n# pm:ignore[unused-variable]\nvariables: [company]\n', []),
        ('template: "{{nick}}"  # pm: ignore[PM010]\nvariables: [company]\n', ["PM009", "PM010"]),
        ("template: |\n  {{! pm: ignore[PM009] }}\n  {{nick}}\nvariables: [company]\n", ["PM010"]),
        # A comment behind a line is about this line only.
        ('id: a  # pm: ignore\ntemplate: "{{nick}}"\nvariables: [company]\n', ["PM009", "PM010"]),
    ],
)
def test_a_comment_hides_the_findings_of_its_line(project, text, expected):
    write(project, prompts__a=text)
    assert codes() == expected


def test_a_path_in_the_project_is_checked_with_its_neighbours(project):
    write(
        project,
        prompts__a__x="template: '{{> tone}} {{name}}'\n",
        prompts__b__y=FAULTY,
        **{"prompts__partials__tone.hbs": "Be brief."},
    )
    assert codes("prompts/a") == []
    assert codes("prompts/a/x.yaml") == []
    assert codes("prompts/b") == codes("prompts/b/y.yaml") == ["PM009", "PM010"]
    assert codes("prompts/a", "prompts/b", "prompts") == ["PM009", "PM010"]


def test_github_gets_one_annotation_for_each_finding(project):
    write(project, prompts__a=CUT)
    assert check("--format", "github").stdout == (
        "::warning file=prompts/a.yaml,line=1,col=25,title=PM011 yaml-comment::YAML takes `#{{n}} for {{who}}` for a"
        " comment, so it is not part of template of prompt `a`%0Ahint: put the text in quotes, or write it as a"
        " block with `|`\n"
    )


def test_sarif_has_the_rules_and_the_results(project):
    write(project, prompts__a=FAULTY)
    log = json.loads(check("--format", "sarif").stdout)
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ids == sorted({*ids})
    assert [result["ruleId"] for result in run["results"]] == ["PM009", "PM010"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location == {
        "artifactLocation": {"uri": "prompts/a.yaml"},
        "region": {"startLine": 1, "startColumn": 19},
    }


def test_a_misspelt_variable_is_one_finding(project):
    write(project, prompts__a='template: "Dear {{nmae}}"\nvariables: [name]\n')
    (finding,) = json.loads(check("--json").stdout)
    assert (finding["code"], finding["hint"]) == ("PM016", "did you mean `name`?")


def test_rules_that_are_off_by_default_run_when_they_are_asked_for(project):
    write(project, prompts__a='template: "Sum up: {{document}} {{nick}}"\nvariables: [document]\n')
    assert codes() == ["PM009"]
    assert codes("--extend-select", "unfenced-variable") == ["PM026", "PM009"]
    assert codes("--select", "PM026") == ["PM026"]


def test_a_provider_refuses_what_it_would_refuse(project):
    schema = "{type: object, properties: {tags: {type: object}}}"
    write(
        project,
        prompts__a="messages: [{role: system, content: Hi}]\n",
        prompts__b=f"template: Hi\noutput_schema: {schema}\n",
    )
    assert codes() == []
    assert codes("--provider", "openai") == ["PM021"]
    assert codes("--provider", "anthropic", "--provider", "openai") == ["PM022", "PM021", "PM021"]


def test_a_schema_that_nobody_defines_is_found_without_a_directory_of_schemas(project):
    write(project, prompts__a="template: Hi {{name}}\ninput_schema: person\n")
    assert codes() == ["PM005"]
    code = (
        "from prompt_manager import PromptManager\n"
        "from prompt_manager.validation import Schema\n"
        "manager = PromptManager()\n"
        "manager.register_schema(Schema(name='person', fields=[{'name': 'name', 'type': 'string'}]))\n"
    )
    table = '[tool.prompt-manager]\napp = "app_with_schema:manager"\n'
    write(project, **{"app_with_schema.py": code, "pyproject.toml": table})
    assert codes() == []


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], check=True)


class TestChangedVersions:
    @pytest.fixture
    def repository(self, project: Path) -> Path:
        """A repository with two prompts in its last commit."""
        write(project, prompts__a="template: Hello {{name}}!\n", prompts__b="status: draft\ntemplate: Hi\n")
        git("init", "-q", "-b", "main")
        git("add", ".")
        git("commit", "-q", "-m", "Add two prompts")
        return project

    @pytest.mark.parametrize(
        ("file", "text", "expected"),
        [
            ("a", "template: Good day {{name}}!\n", ["PM027"]),
            ("a", "version: 1.1.0\ntemplate: Good day {{name}}!\n", []),
            ("a", "# greets\nmetadata: {author: Ada}\ntemplate: 'Hello {{name}}!'\n", []),
            ("a", "status: draft\ntemplate: Good day {{name}}!\n", []),
            ("b", "status: draft\ntemplate: Ho\n", []),
            ("c", "template: New\n", []),
        ],
    )
    def test_an_active_version_must_keep_its_content(self, repository, file, text, expected):
        write(repository, **{f"prompts__{file}": text})
        assert codes() == expected
        git("add", ".")
        git("commit", "-q", "-m", "Change a prompt")
        assert codes() == []
        assert codes("--base", "HEAD~1") == expected
        assert codes("--base", "HEAD~1", "--ignore", "PM027") == []

    def test_a_prompt_that_moves_to_another_file_keeps_its_version(self, repository):
        (repository / "prompts/a.yaml").unlink()
        write(repository, prompts__sub__moved="id: a\ntemplate: Changed {{name}}\n")
        (finding,) = json.loads(check("--json").stdout)
        assert (finding["code"], finding["file"]) == ("PM027", "prompts/sub/moved.yaml")

    @pytest.mark.usefixtures("repository")
    def test_a_commit_that_does_not_exist_is_wrong_usage(self):
        for name in ("gone", "--output=x"):
            result = check("--base", name)
            assert result.exit_code == 2
            assert f"git does not know the commit '{name}'" in result.stderr

    def test_outside_a_repository_only_a_given_commit_is_an_error(self, project):
        write(project, prompts__a=GOOD)
        assert codes() == []
        assert check("--base", "HEAD").exit_code == 2


class TestProject:
    def test_the_table_gives_the_directories(self, project, monkeypatch):
        write(project, src__p__a=FAULTY, **{"pyproject.toml": '[tool.prompt-manager]\nprompts = "src/p"\n'})
        assert codes() == ["PM009", "PM010"]
        monkeypatch.chdir(project / "src")
        assert [finding["file"] for finding in json.loads(check("--json").stdout)] == ["p/a.yaml"] * 2

    def test_helpers_and_partials_of_the_app_are_known(self, project):
        code = (
            "from prompt_manager import PromptManager, TemplateEngine\n"
            "engine = TemplateEngine()\n"
            "engine.register_helper('shout', str.upper)\n"
            "engine.register_partial('tone', 'Be brief.')\n"
            "manager = PromptManager.from_directory_sync('prompts', template_engine=engine)\n"
        )
        write(
            project,
            prompts__a="template: '{{> tone}} {{shout name}}'\n",
            **{
                "app_of_check_one.py": code,
                "pyproject.toml": '[tool.prompt-manager]\napp = "app_of_check_one:manager"\n',
            },
        )
        assert check().stdout == "no findings\n"

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            (
                "\n1 / 0\n",
                "cannot import app 'MODULE:manager': ZeroDivisionError: division by zero\n  at MODULE.py:2\n",
            ),
            ("manager = 1\n", "app 'MODULE:manager' must be a PromptManager, not int"),
            ("", "cannot import app 'MODULE:manager': AttributeError"),
        ],
        ids=["raises", "no manager", "no such name"],
    )
    def test_prompts_are_checked_without_an_app_that_fails(self, project, request, code, message):
        module = f"app_of_{request.node.callspec.id.replace(' ', '_')}"
        table = f'[tool.prompt-manager]\napp = "{module}:manager"\n'
        write(
            project,
            prompts__a="template: '{{shout x}}'\n",
            prompts__b=FAULTY,
            **{f"{module}.py": code, "pyproject.toml": table},
        )
        result = check("--json")
        assert [finding["code"] for finding in json.loads(result.stdout)] == ["PM009", "PM010"]
        assert message.replace("MODULE", module) in result.stderr

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ("prompts = 3", "prompts of [tool.prompt-manager] in pyproject.toml must be a string"),
            ("schemas = ['a']", "schemas of [tool.prompt-manager] in pyproject.toml must be a string"),
            ("app = 'my_app'", "app of [tool.prompt-manager] in pyproject.toml must be a module and a name"),
            ("prompst = 'p'", "has the unknown key 'prompst'\n  hint: did you mean 'prompts'?"),
            ("prompts = ", "pyproject.toml is not TOML"),
        ],
    )
    def test_a_wrong_table_is_wrong_usage(self, project, table, message):
        write(project, prompts__a=GOOD, **{"pyproject.toml": f"[tool.prompt-manager]\n{table}\n"})
        result = check()
        assert result.exit_code == 2
        assert message in result.stderr

    def test_a_pyproject_of_another_tool_is_passed_over(self, project, monkeypatch):
        write(
            project,
            p__a=FAULTY,
            **{
                "pyproject.toml": '[tool.prompt-manager]\nprompts = "p"\n',
                "inner__pyproject.toml": "[tool.ruff]\n",
            },
        )
        monkeypatch.chdir(project / "inner")
        assert codes() == ["PM009", "PM010"]

    @pytest.mark.parametrize("name", ["prompts/a.json", "other/README.md"])
    def test_a_named_file_that_is_not_checked_is_wrong_usage(self, project, name):
        write(project, prompts__a=GOOD, **{"prompts__a.json": "{,", "other__README.md": "x"})
        result = check(name)
        assert result.exit_code == 2
        assert f"{name} is not a file of prompts\n  hint: prompt files end in .yaml" in result.stderr

    @pytest.mark.usefixtures("project")
    def test_a_project_without_prompts_is_wrong_usage(self):
        result = check()
        assert result.exit_code == 2
        assert "there is no directory 'prompts'" in result.stderr


def test_all_commands_use_the_directories_of_the_project(project):
    write(project, src__texts__greeting="template: Hello {{name}}!\ninput_schema: person\n")
    (project / "src" / "types").mkdir()
    schema = "schemas: [{name: person, fields: [{name: name, type: string}]}]\n"
    (project / "src" / "types" / "person.yaml").write_text(schema, encoding="utf-8")
    (project / "src" / "texts" / "greeting.test.yaml").write_text(
        "- {name: greets, variables: {name: Ada}, text: Hello Ada!}\n", encoding="utf-8"
    )
    table = '[tool.prompt-manager]\nprompts = "src/texts"\nschemas = "src/types"\n'
    (project / "pyproject.toml").write_text(table, encoding="utf-8")
    run = CliRunner().invoke
    assert run(app, ["render", "greeting", "--var", "name=Ada"]).stdout == "Hello Ada!"
    assert run(app, ["render", "greeting", "--var", "name:=1"]).exit_code == 1
    assert run(app, ["test"]).stdout == "1 passed\n"
    assert [each["id"] for each in json.loads(run(app, ["list", "--json"]).stdout)] == ["greeting"]


ALIASES = {
    "a declaration of two prompts": """prompts:
  - {id: a, template: "{{name}}", variables: &shared {name: string, items: list}}
  - {id: b, template: "{{#each items}}{{this}}{{/each}}", variables: *shared}
""",
    "a merged declaration": """prompts:
  - id: a
    template: "{{name}}"
    variables: &shared
      name: string
      items: list
  - id: b
    template: "{{#each items}}{{this}}{{/each}}"
    variables: {<<: *shared, own: string}
""",
    "a declaration in the metadata": """template: Hello
variables: &names
  name: string
metadata: {custom: *names}
""",
    "a template of two prompts": """prompts:
  - {id: a, template: &shared "{{nmae}}", variables: {name: string}}
  - {id: b, template: *shared, variables: {nmae: string}}
""",
}


def test_a_directory_without_prompt_files_is_a_warning(project):
    (project / "empty" / "deep").mkdir(parents=True)
    for arguments in (["empty"], ["prompts"]):
        (project / "prompts").mkdir(exist_ok=True)
        result = check(*arguments)
        assert (result.exit_code, result.stdout) == (0, "no findings\n")
        assert result.stderr == f"warning: there are no prompt files in {arguments[0]}\n"


class TestFix:
    def test_the_output_says_what_is_fixed_and_what_is_left(self, project):
        write(project, prompts__a="template: '{{nmae}}'\nvariables: [name]\n", prompts__b=CUT)
        result = check("--fix")
        assert result.exit_code == 1
        assert result.stdout.startswith("prompts/a.yaml:1:14: fixed PM016 prompt `a` uses `nmae`, which its")
        assert result.stdout.endswith("\n\n1 finding, 1 fixed\n")
        assert check("--fix", "prompts/a.yaml").stdout == "no findings\n"

    def test_only_rules_that_are_selected_are_fixed(self, project):
        write(project, prompts__a="template: '{{nick}}'\nvariables: [company]\n")
        assert check("--fix", "--select", "PM009").stdout.endswith("\n\nno findings, 1 fixed\n")
        assert (project / "prompts/a.yaml").read_text() == "template: '{{nick}}'\nvariables: [company, nick]\n"

    @pytest.mark.parametrize("text", ALIASES.values(), ids=ALIASES)
    def test_what_an_alias_repeats_is_left_to_the_author(self, project, text):
        write(project, prompts__a=text)
        assert check("--fix").exit_code == 1
        assert (project / "prompts/a.yaml").read_text() == text

    @pytest.mark.parametrize("entries", ["[name,]", "[name, city , ]", "{name: any,\n  city: any,\n  }"])
    def test_a_comma_behind_the_last_variable_goes_with_it(self, project, entries):
        write(project, prompts__a=f"template: Hello\nvariables: {entries}\n")
        assert "\n\nno findings, " in check("--fix").stdout
        assert PromptManager.from_directory_sync(project / "prompts").render_sync("a", {}) == "Hello"

    def test_a_file_that_changes_meanwhile_is_refused(self, project, monkeypatch):
        write(project, prompts__a="template: '{{nmae}}'\nvariables: [name]\n")
        path = project / "prompts/a.yaml"
        changed = path.read_text() + "# more\n"

        def change_first(file, found):
            path.write_text(changed)
            fix_file(file, found)

        monkeypatch.setattr("prompt_manager._native.fix_file", change_first)
        result = check("--fix")
        assert result.exit_code == 1
        assert "it has changed since it was read" in result.stderr
        assert path.read_text() == changed
        assert [file.name for file in path.parent.iterdir()] == ["a.yaml"]


def test_watch_checks_again_when_a_file_changes(project):
    write(project, prompts__a=FAULTY)
    command = [sys.executable, "-m", "prompt_manager", "check", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=project) as process:
        assert process.stdout is not None
        for text, last in ((GOOD, "2 findings\n"), (CUT, "no findings\n"), (GOOD, "1 finding\n")):
            line = ""
            while line != last:
                line = process.stdout.readline()
            write(project, prompts__a=text)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
