"""The command ``new``: a new prompt file."""

from __future__ import annotations

from pathlib import Path

import click

from prompt_manager.cli.options import directory_options, json_option
from prompt_manager.cli.output import write_json, write_text
from prompt_manager.cli.values import check_text

__all__ = ["new"]

_TEXT = """\
version: 1.0.0
status: draft
template: |
  Answer the question of {{name}}.

  {{question}}
variables:
  name: {type: string, description: "The name of the user"}
  question: {type: string, description: "What the user wants to know"}
"""

_CHAT = """\
version: 1.0.0
status: draft
messages:
  - role: system
    content: |
      You answer the questions of {{name}}.
  - role: user
    content: "{{question}}"
variables:
  name: {type: string, description: "The name of the user"}
  question: {type: string, description: "What the user wants to know"}
"""

_TEST = """\
- name: asks the question
  variables: {name: Ada, question: "What time is it?"}
  contains: What time is it?
"""


@click.command(
    "new", epilog="\b\nExamples:\n  prompt-manager new support/refund --format chat\n  prompt-manager new hello"
)
@click.argument("prompt_id", metavar="ID", callback=check_text)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "chat"]),
    default="text",
    show_default=True,
    help="A text, or a chat of several messages.",
)
@click.option("--with-test", is_flag=True, help="Create a test file beside it.")
@directory_options
@json_option
def new(*, prompt_id: str, kind: str, with_test: bool, directory: str, schemas: str | None, as_json: bool) -> None:
    """Create a prompt file to start from.

    The id is the path of the file below the directory of the prompts. The prompt is a draft: write it, and set its
    status to active. If there is a prompt of this id, nothing is written.
    """
    from prompt_manager._shown_path import shown_path
    from prompt_manager.cli.files import NewFiles
    from prompt_manager.cli.schema import language_server_line
    from prompt_manager.cli.written import places

    file = _file(prompt_id, Path(directory))
    if Path(directory).is_dir():
        for place in places(directory, schemas):
            if place.id == prompt_id:
                raise click.ClickException(
                    f"there is a prompt {prompt_id!r} in {place.shown}\n"
                    f"  hint: write its next version with prompt-manager bump {prompt_id}"
                )
    files = NewFiles()
    files.created[file] = language_server_line("prompt", file) + (_CHAT if kind == "chat" else _TEXT)
    if with_test:
        files.created[file.with_name(f"{file.stem}.test.yaml")] = language_server_line("test", file) + _TEST
    files.write()
    written = [str(shown_path(path)) for path in files.created]
    if as_json:
        write_json({"files": written})
    else:
        write_text("".join(f"wrote {path}\n" for path in written))


def _file(prompt_id: str, directory: Path) -> Path:
    """The file of a prompt with this id.

    Raises:
        click.UsageError: this is no valid id, or a load takes the file for something else.
    """
    from prompt_manager._native import file_kind, prompt_mistakes

    ctx = click.get_current_context()
    for _, mistake in prompt_mistakes({"id": prompt_id, "format": "text", "status": "draft"}):
        raise click.UsageError(mistake.message, ctx) from mistake
    ending = Path(prompt_id).suffix
    if ending in {".yaml", ".yml"}:
        message = f"`{prompt_id}` is the name of a file, not an id\n  hint: write {prompt_id.removesuffix(ending)}"
        raise click.UsageError(message, ctx)
    below = Path(f"{prompt_id}.yaml")
    file = directory / below
    first, *rest = prompt_id.lower().split("/")
    if file_kind(below) != "prompts" or (first in {"partials", "schemas"} and rest):
        raise click.UsageError(
            f"the file {file} would not be a prompt file: its name is taken for something else\n"
            "  hint: choose another id",
            ctx,
        )
    return file
