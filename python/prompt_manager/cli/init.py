"""The command ``init``: the first prompts of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prompt_manager.cli.options import json_option
from prompt_manager.cli.output import write_json, write_text

if TYPE_CHECKING:
    from prompt_manager.cli.files import NewFiles

__all__ = ["init"]

_GREETING = """\
template: |
  Hello {{name}}!
  {{#if topic}}Would you like to continue with {{topic}}?{{else}}What would you like to do today?{{/if}}
variables:
  name: {type: string, description: "The name of the user"}
  topic: {type: string, required: false, description: "What the user did last"}
metadata:
  description: The first message to a user
"""

_GREETING_TEST = """\
- name: greets a new user
  variables: {name: Ada}
  text: |
    Hello Ada!
    What would you like to do today?

- name: remembers the topic
  variables: {name: Ada, topic: the report}
  contains: continue with the report

- name: needs a name
  variables: {}
  raises: Missing variable 'name'
"""

_TRIAGE = """\
messages:
  - role: system
    content: |
      You sort the tickets that customers of {{company}} write.
      {{> tone}}
  - role: user
    content: "{{ticket}}"
variables:
  company: {type: string, description: "Who the tickets are for"}
  ticket: {type: string, description: "The ticket, as the customer wrote it"}
output_schema: triage
metadata:
  description: Finds out what a ticket is about, and whether it is urgent
"""

_TRIAGE_TEST = """\
- name: names the company
  variables: {company: Acme, ticket: "My order is late."}
  contains: customers of Acme
  not_contains: "{{"

- name: reads an answer
  variables: {company: Acme, ticket: "My order is late."}
  parses:
    answer: '{"category": "delivery", "urgent": true}'
    expected: {category: delivery, urgent: true}
"""

_TONE = """\
Answer briefly and to the point.
"""

_SCHEMA = """\
schemas:
  - name: triage
    description: What a ticket is about
    fields:
      - name: category
        type: enum
        validators: [{type: enum, allowed_values: [billing, delivery, product, other]}]
        description: What the ticket is about
      - name: urgent
        type: boolean
        description: Whether the customer cannot wait until tomorrow
"""

_WORKFLOW = """\
name: Prompts
on: [push, pull_request]
permissions:
  contents: read
jobs:
  prompts:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: pip install "{distribution}[cli]"
      - run: prompt-manager check --format github
      - run: prompt-manager test
"""

_WORKFLOW_PATH = Path(".github", "workflows", "prompts.yml")


@click.command(
    "init", epilog="\b\nExamples:\n  prompt-manager init\n  prompt-manager init --prompts src/my_app/prompts"
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--prompts",
    metavar="DIR",
    default="prompts",
    show_default=True,
    help="Directory of the prompts, below the project's directory.",
)
@click.option("--no-ci", is_flag=True, help="Leave out the GitHub workflow that checks and tests the prompts.")
@click.option("--no-editor", is_flag=True, help="Leave out the schemas with which editors complete and check files.")
@json_option
def init(*, directory: Path, prompts: str, no_ci: bool, no_editor: bool, as_json: bool) -> None:
    """Create the first prompts of a project.

    DIR is the project's directory, by default the current one. It gets two prompts, a partial, a schema, tests, a
    GitHub workflow, the schemas of the files for editors, and the table [tool.prompt-manager] in pyproject.toml.
    Everything passes "check" and "test". If one of the files exists, nothing is written.
    """
    from prompt_manager._shown_path import shown_path
    from prompt_manager.cli.files import NewFiles
    from prompt_manager.cli.schema import DIRECTORY, line_at

    below = Path(prompts)
    if below.is_absolute() or ".." in below.parts or not below.parts:
        message = f"--prompts {prompts} must be a directory below the project's directory"
        raise click.UsageError(message, click.get_current_context())
    files = NewFiles()
    for path, text in _prompt_files().items():
        kind = "schema" if path.startswith("schemas/") else "test" if path.endswith(".test.yaml") else "prompt"
        has_line = not no_editor and path.endswith(".yaml")
        line = line_at(kind, len((below / path).parts) - 1) if has_line else ""
        files.created[directory / below / path] = line + text
    if not no_editor:
        _add_schemas(files, directory / DIRECTORY)
    if not no_ci:
        files.created[directory / _WORKFLOW_PATH] = _workflow()
    _add_table(files, directory / "pyproject.toml", below)
    files.write()
    written = [str(shown_path(path)) for path in (*files.created, *files.replaced)]
    if as_json:
        write_json({"files": written})
        return
    change = "" if directory in {Path(), Path.cwd()} else f"cd {directory} && "
    lines = [f"  {path}" for path in written]
    write_text("\n".join(["wrote", *lines, "", f"next: {change}prompt-manager check && prompt-manager test", ""]))


def _prompt_files() -> dict[str, str]:
    return {
        "greeting.yaml": _GREETING,
        "greeting.test.yaml": _GREETING_TEST,
        "support/triage.yaml": _TRIAGE,
        "support/triage.test.yaml": _TRIAGE_TEST,
        "partials/tone.hbs": _TONE,
        "schemas/triage.yaml": _SCHEMA,
    }


def _add_schemas(files: NewFiles, directory: Path) -> None:
    """Add the schemas of the kinds of files that are not there yet."""
    from prompt_manager.schemas import KINDS, file_schema_text

    for kind in KINDS:
        file = directory / f"{kind}.schema.json"
        if not file.exists():
            files.created[file] = file_schema_text(kind)


def _workflow() -> str:
    from prompt_manager._native import DISTRIBUTION

    return _WORKFLOW.replace("{distribution}", DISTRIBUTION)


def _add_table(files: NewFiles, pyproject: Path, prompts: Path) -> None:
    """Add ``[tool.prompt-manager]`` to pyproject.toml, or create the file."""
    from prompt_manager.cli.project import read_table

    table = f'[tool.prompt-manager]\nprompts = "{prompts.as_posix()}"\n'
    if not pyproject.is_file():
        files.created[pyproject] = table
        return
    found: dict[str, Any] | None = read_table(pyproject)
    if found is None:
        before = pyproject.read_bytes()
        text = before.decode("utf-8")
        line_break = "\r\n" if "\r\n" in text else "\n"
        space = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        files.replaced[pyproject] = (before, before + (space + table).replace("\n", line_break).encode())
    elif found.get("prompts", "prompts") != prompts.as_posix():
        raise click.ClickException(
            f"[tool.prompt-manager] in {pyproject} already has other prompts: {found.get('prompts', 'prompts')!r}\n"
            "  hint: pass this directory with --prompts, or add prompts there with prompt-manager new"
        )
