"""The command ``render``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from prompt_manager._providers import PROVIDERS
from prompt_manager.cli.options import directory_options, select, version_options
from prompt_manager.cli.output import write_json, write_text
from prompt_manager.cli.values import Assignment, check_text, read_assignments, read_values
from prompt_manager.exceptions import IncompatibleFormatError, PromptManagerError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.cli.options import Selection
    from prompt_manager.core.manager import PromptManager

__all__ = ["render_prompt"]

#: Options that only a conversion for a provider has.
_OF_PROVIDERS = ("not_strict", "to_messages", "request")


def _add_json_hint(error: PromptManagerError, prompt: CompiledPrompt, assignments: Sequence[Assignment]) -> None:
    """Add a hint to the error if ``--var NAME=TEXT`` was used for a variable that is not a string."""
    cause = error.__cause__ if isinstance(error.__cause__, PromptManagerError) else error
    name = str(cause.context.get("variable"))
    types = {variable["name"]: variable["type"] for variable in prompt.variables()}
    is_text = {assignment.name: assignment.is_text for assignment in assignments}
    if is_text.get(name) and types.get(name) in {"integer", "float", "boolean", "list", "dict"}:
        error.add_note(f"  hint: --var {name}=... passes text; use --var '{name}:=...' to pass JSON")


def _check_usage(target: str, options: Mapping[str, Any]) -> None:
    """Refuse options that have no effect together."""
    ctx = click.get_current_context()
    *others, last = PROVIDERS
    for name in _OF_PROVIDERS:
        if options[name] and target not in PROVIDERS:
            flag = f"--{name.replace('_', '-')}"
            message = f"{flag} needs --to with a provider: {', '.join(others)} or {last}"
            raise click.UsageError(message, ctx)
    if options["model"] is not None and not options["request"]:
        raise click.UsageError("--model needs --request: only a whole request names a model", ctx)
    if options["request"] and options["to_messages"]:
        raise click.UsageError("--to-messages is not for --request, which always sends messages", ctx)


@click.command(
    "render",
    epilog="\b\nExamples:\n"
    "  prompt-manager render greeting --var name=Ada --var role=engineer\n"
    "  prompt-manager render summary --var max_points:=3 --vars values.json\n"
    "  prompt-manager render greeting --to openai --request --model gpt-5",
)
@version_options
@directory_options
@click.option(
    "--var",
    "assignments",
    metavar="NAME=TEXT",
    callback=read_assignments,
    multiple=True,
    help="Set a variable to a text. Use NAME:=JSON for other types.",
)
@click.option(
    "--vars",
    "files",
    metavar="FILE",
    multiple=True,
    help="Read variables from a JSON object in a file. Use - for standard input.",
)
@click.option("--no-input", is_flag=True, help="Do not ask for variables that are missing.")
@click.option(
    "--to",
    "target",
    type=click.Choice(["text", "messages", *PROVIDERS]),
    default="text",
    show_default=True,
    help="Output format: plain text (for a chat, a transcript), or JSON with the chat's messages or with the "
    "provider's request format.",
)
@click.option("--request", is_flag=True, help="Write the provider's whole request, with settings, tools and schema.")
@click.option("--model", metavar="NAME", callback=check_text, help="The model of the request.")
@click.option(
    "--no-output-instructions",
    is_flag=True,
    help="Leave out the text that asks for the format of the output schema.",
)
@click.option("--not-strict", is_flag=True, help="Change what the provider would reject, and warn, instead of failing.")
@click.option("--to-messages", is_flag=True, help="Convert a text prompt to a user message for the provider.")
@click.option("--watch", is_flag=True, help="Render again whenever a file changes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Write a text as a JSON string. Other targets are JSON anyway.")
def render_prompt(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    directory: str,
    schemas: str | None,
    assignments: tuple[Assignment, ...],
    files: tuple[str, ...],
    target: str,
    no_input: bool,
    watch: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Render a prompt with values for its variables.

    On a terminal, you are asked for variables that are missing. In a file or a pipe, the text is written exactly as
    rendered, without an added line break at the end.
    """
    from prompt_manager.cli.prompts import find, load

    selection = select(prompt_id, version, label)
    _check_usage(target, options)
    values = read_values(files, assignments)
    manager = load(directory, schemas, watch=watch)
    if not no_input and sys.stdin.isatty() and sys.stderr.isatty():
        from prompt_manager.cli.ask import ask_for

        values |= ask_for(find(manager, selection), values)

    def rendered() -> Any:
        prompt = find(manager, selection)
        try:
            return _rendered(manager, prompt, selection, values, target=target, **options)
        except PromptManagerError as error:
            _add_json_hint(error, prompt, assignments)
            missing = [name for name in error.context.get("variables", ()) if name not in values]
            if missing:
                error.add_note(f"  hint: on the command line, give a value with --var {missing[0]}=TEXT")
            if schemas is None and isinstance(error, SchemaError):
                error.add_note("  hint: on the command line, name the directory of the schemas with --schemas")
            if isinstance(error, IncompatibleFormatError):
                error.add_note("  hint: on the command line, use --to-messages")
            raise

    write = write_text if target == "text" and not as_json else write_json
    if watch:
        from prompt_manager.cli.watch import repeat

        repeat(manager, rendered, write)
    else:
        write(rendered())


def _rendered(
    manager: PromptManager,
    prompt: CompiledPrompt,
    selection: Selection,
    values: Mapping[str, Any],
    *,
    target: str,
    request: bool,
    model: str | None,
    no_output_instructions: bool,
    not_strict: bool,
    to_messages: bool,
) -> Any:
    """Render to the target: a text, or data for JSON."""
    from prompt_manager.cli.prompts import build_request, convert

    if target == "text":
        return prompt.render(values, not no_output_instructions)
    if target == "messages":
        return prompt.render_messages(values, not no_output_instructions)
    # By default, a request has instructions only where it cannot send a strict schema.
    instructions = False if no_output_instructions else None
    if request:
        provider: Any = target
        return build_request(
            manager, selection, provider, values, model=model, strict=not not_strict, output_instructions=instructions
        )
    return convert(
        prompt, target, values, strict=not not_strict, to_messages=to_messages, output_instructions=instructions
    )
