"""``prompt-manager schema``: JSON Schemas of prompts, and of files for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from prompt_manager.cli.options import directory_options, json_option, prompt_ids, select
from prompt_manager.cli.output import write_json, write_text
from prompt_manager.cli.values import check_text
from prompt_manager.schemas import KINDS, file_schema, file_schema_text, file_schemas

__all__ = ["DIRECTORY", "language_server_line", "line_at", "schema"]

#: Where a project keeps the schemas of its files, if its editors need them there.
DIRECTORY = ".schemas"

_ALL = "all"


@click.command(
    "schema",
    epilog="\b\nExamples:\n"
    "  prompt-manager schema summary\n"
    "  prompt-manager schema summary@production --output --strict\n"
    "  prompt-manager schema --files prompt\n"
    "  prompt-manager schema --files -o .schemas",
)
@click.argument(
    "prompt_id", metavar="[ID[@VERSION|@LABEL]]", required=False, callback=check_text, shell_complete=prompt_ids
)
@click.option("--input", "part", flag_value="input", help="Only the schema of the prompt's variables.")
@click.option("--output", "part", flag_value="output", help="Only the schema of the answer that the prompt asks for.")
@click.option(
    "--strict", is_flag=True, help="Write the answer's schema in the subset that strict structured output accepts."
)
@click.option(
    "--files",
    "kind",
    type=click.Choice([*KINDS, _ALL]),
    is_flag=False,
    flag_value=_ALL,
    help="Print the JSON Schema of a kind of file instead of a prompt's; without a kind, one for all.",
)
@click.option("-o", "output", metavar="DIR", help="Write the schema of each kind of file to a file in this directory.")
@directory_options
@json_option
def schema(
    *,
    prompt_id: str | None,
    part: str | None,
    strict: bool,
    kind: str | None,
    output: str | None,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Print the JSON Schemas of a prompt, or those of prompt, schema, test and label files.

    A prompt has a schema of its variables and one of its answer. Editors complete and check files with the schemas of
    --files, for example those that use yaml-language-server.
    """
    ctx = click.get_current_context()
    if prompt_id is None and kind is None:
        raise click.UsageError("name a prompt, or a kind of file with --files", ctx)
    if prompt_id is not None and kind is not None:
        raise click.UsageError("name a prompt or use --files, not both", ctx)
    if prompt_id is not None:
        if output is not None:
            raise click.UsageError("-o is for --files: the schema of a prompt is printed", ctx)
        write_json(_of_prompt(prompt_id, part, directory, schemas, strict=strict))
        return
    if part is not None or strict:
        raise click.UsageError("--input, --output and --strict are for the schema of a prompt", ctx)
    kind = kind or _ALL
    if output is None:
        write_json(file_schemas() if kind == _ALL else file_schema(kind))
        return
    written = [_write(Path(output), each) for each in (KINDS if kind == _ALL else (kind,))]
    if as_json:
        write_json({"files": written})
    else:
        write_text("".join(f"wrote {path}\n" for path in written))


def _of_prompt(text: str, part: str | None, directory: str, schemas: str | None, *, strict: bool) -> Any:
    """The schemas of a prompt, or one of them."""
    from prompt_manager.cli.prompt_schema import input_schema, output_schema
    from prompt_manager.cli.prompts import find, load

    selection = select(text)
    manager = load(directory, schemas)
    prompt = find(manager, selection)
    known = manager.registry._core.schemas
    if part == "input":
        return input_schema(prompt, known)
    answer = output_schema(prompt, known, strict=strict)
    if part is None:
        return {"input": input_schema(prompt, known), "output": answer}
    if answer is None:
        raise click.ClickException(f"prompt {prompt.id!r} has no output schema: its answer may be any text")
    return answer


def _write(directory: Path, kind: str) -> str:
    from prompt_manager._native import create_file, replace_file

    file = directory / f"{kind}.schema.json"
    text = file_schema_text(kind).encode()
    if file.exists():
        replace_file(file, file.read_bytes(), text)
    else:
        create_file(file, text)
    return str(file)


def language_server_line(kind: str, file: Path) -> str:
    """The comment that tells yaml-language-server the schema of a new file. Empty if the project keeps no schemas."""
    file = file.absolute()
    for level, parent in enumerate(file.parents):
        if (parent / DIRECTORY / f"{kind}.schema.json").is_file():
            return line_at(kind, level)
    return ""


def line_at(kind: str, level: int) -> str:
    """The comment for a file that is this many directories below the one that has the schemas."""
    return f"# yaml-language-server: $schema={'../' * level}{DIRECTORY}/{kind}.schema.json\n"
