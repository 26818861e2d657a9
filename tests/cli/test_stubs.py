"""``prompt-manager stubs``: where the module goes, ``--check``, and files that it must not touch."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from helpers import EXAMPLES
from prompt_manager.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

FILE = "app/typed_prompts.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one prompt, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "hi.yaml").write_text("template: Hi {{name}}\n", encoding="utf-8")
    return tmp_path


def configure(project: Path, *lines: str) -> None:
    (project / "pyproject.toml").write_text("\n".join(["[tool.prompt-manager]", *lines, ""]), encoding="utf-8")


def stubs(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["stubs", *arguments])


@pytest.mark.usefixtures("project")
def test_the_module_goes_to_standard_output():
    result = stubs()
    assert result.exit_code == 0
    assert 'Literal["hi"]' in result.stdout
    assert json.loads(stubs("--json").stdout) == {"module": result.stdout}


def test_the_module_goes_to_the_file_of_the_project(project):
    configure(project, f'stubs = "{FILE}"')
    assert stubs().stdout == f"{FILE} written\n"
    assert (project / FILE).read_text(encoding="utf-8") == stubs("-o", "-").stdout
    assert json.loads(stubs("--json").stdout) == {"file": FILE, "changed": False}


def test_an_option_names_another_file(project):
    configure(project, f'stubs = "{FILE}"')
    stubs("-o", "other.py")
    assert (project / "other.py").exists()
    assert not (project / FILE).exists()


def test_check_fails_until_the_file_is_up_to_date(project):
    configure(project, f'stubs = "{FILE}"')
    assert stubs("--check").exit_code == 1
    assert not (project / FILE).exists()
    stubs()
    assert (stubs("--check").exit_code, stubs("--check").output) == (0, "")
    (project / "prompts" / "hi.yaml").write_text("template: Hi {{nome}}\n", encoding="utf-8")
    before = (project / FILE).read_bytes()
    result = stubs("--check")
    assert result.exit_code == 1
    assert "-        name: Any\n+        nome: Any\n" in result.stdout
    assert result.stderr == f"error: {FILE} is not up to date\n  hint: run prompt-manager stubs\n"
    assert (project / FILE).read_bytes() == before


def test_a_file_with_other_line_ends_is_up_to_date(project):
    stubs("-o", "typed.py")
    (project / "typed.py").write_bytes((project / "typed.py").read_bytes().replace(b"\n", b"\r\n"))
    assert stubs("-o", "typed.py", "--check").exit_code == 0


@pytest.mark.usefixtures("project")
def test_check_needs_a_file():
    result = stubs("--check")
    assert result.exit_code == 2
    assert "name it with -o, or set stubs in [tool.prompt-manager] of pyproject.toml" in result.stderr


@pytest.mark.parametrize("text", ["import os\n", "# A module of mine\n"])
def test_a_file_that_somebody_else_wrote_stays(text, project):
    (project / "typed.py").write_text(text, encoding="utf-8")
    result = stubs("-o", "typed.py")
    assert result.exit_code == 1
    assert "was not made by prompt-manager stubs" in result.stderr
    assert (project / "typed.py").read_text(encoding="utf-8") == text


def test_a_broken_prompt_leaves_the_file_as_it_is(project):
    stubs("-o", "typed.py")
    before = (project / "typed.py").read_bytes()
    (project / "prompts" / "hi.yaml").write_text("template: Hi {{#if name}}\n", encoding="utf-8")
    assert stubs("-o", "typed.py").exit_code == 1
    assert (project / "typed.py").read_bytes() == before
    assert stubs("-o", "new.py").exit_code == 1
    assert not (project / "new.py").exists()


APP = """
from pydantic import BaseModel
from prompt_manager import Prompt, TemplateEngine
from {package}.typed_prompts import Prompts

class Ticket(BaseModel):
    title: str

engine = TemplateEngine()
engine.register_helper("shout", str.upper)
manager = Prompts.from_directory_sync({directory!r}, template_engine=engine)
manager.register_schema("ticket", Ticket)
{more}
"""


@pytest.mark.parametrize(
    ("package", "directory", "more", "found"),
    [
        ("own", "prompts", 'manager.registry.register_sync(Prompt(id="code", template="{{x}}"))', True),
        ("other", "elsewhere", "", False),
    ],
)
def test_the_project_s_manager_has_helpers_and_models(package, directory, more, found, project):
    """It is an instance of the class that is being written, so the module must exist before it is imported."""
    (project / "elsewhere").mkdir()
    (project / package).mkdir()
    source = APP.format(package=package, directory=directory, more=more)
    (project / package / "prompts.py").write_text(source, encoding="utf-8")
    (project / "prompts" / "hi.yaml").write_text(
        "template: '{{shout name}}'\noutput_schema: ticket\n", encoding="utf-8"
    )
    configure(project, f'stubs = "{package}/typed_prompts.py"', f'app = "{package}.prompts:manager"')
    result = stubs()
    assert result.exit_code == 0, result.output
    text = (project / package / "typed_prompts.py").read_text(encoding="utf-8")
    assert f"from {package}.prompts import Ticket" in text
    assert "-> ParsedOutput[Ticket]" in text
    assert ('Literal["code"]' in text) is found
    assert stubs("--check").exit_code == 0


@pytest.mark.usefixtures("project")
def test_the_examples_have_a_module():
    result = stubs("--dir", str(EXAMPLES / "prompts"), "--schemas", str(EXAMPLES / "schemas"))
    assert result.exit_code == 0
    assert "class SummaryVariables(TypedDict):" in result.stdout
    assert "class DocumentSummaryOutput(TypedDict):" in result.stdout
