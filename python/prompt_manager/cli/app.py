"""The commands of the command line, their options, and how errors become messages and exit statuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from prompt_manager.cli.check import check
from prompt_manager.cli.options import check_version, directory_options, json_option, version_options
from prompt_manager.cli.output import give_up_output, write_error, write_json, write_text, write_warning
from prompt_manager.cli.test import test_prompts
from prompt_manager.cli.values import Assignment, read_assignments, read_values
from prompt_manager.exceptions import IncompatibleFormatError, PromptManagerError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["App", "app"]

#: The providers that ``render --to`` can convert for.
_PROVIDERS = ("openai", "responses", "anthropic", "litellm")

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


def _report_usage(error: click.UsageError) -> None:
    """Write the error, the usage line, and a hint to ``--help``."""
    text = error.format_message()
    if error.ctx is not None:
        # click writes "Usage: ..."; our messages are in lower case.
        usage = error.ctx.get_usage().replace("Usage:", "usage:", 1)
        text += f"\n{usage}\n  hint: {error.ctx.command_path} --help"
    write_error(text)


class App(click.Group):
    """A group of commands that turns every error into a message on standard error and an exit status."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run with these arguments, by default those of the process, and exit."""
        sys.exit(self.run(*args, **kwargs))

    def run(self, *args: Any, **kwargs: Any) -> int:
        """Run with these arguments, by default those of the process, and return the exit status."""
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.UsageError as error:
            _report_usage(error)
            return WRONG_USAGE
        except click.ClickException as error:
            write_error(error.format_message())
            return FAILED
        except PromptManagerError as error:
            write_error("\n".join([str(error), *getattr(error, "__notes__", ())]))
            return FAILED
        except OSError as error:
            give_up_output()
            write_error(f"cannot write the result: {error.strerror}")
            return FAILED
        except click.Abort:
            return INTERRUPTED
        # click returns an exit status for options that exit, such as --help. Our commands return nothing.
        return status if isinstance(status, int) else 0


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's order
    if wanted:
        from prompt_manager import __version__

        write_text(f"{ctx.find_root().info_name} {__version__}\n")
        ctx.exit()


@click.group(cls=App, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """List, show, render and test the prompts of a directory.

    Results go to standard output. Warnings and errors go to standard error. The exit status is 0 for success, 1 if the
    command failed, and 2 for wrong usage.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(WRONG_USAGE)


@app.command("list")
@directory_options
@json_option
def list_prompts(*, directory: str, schemas: str | None, as_json: bool) -> None:
    """List the latest version of each prompt.

    A terminal shows long descriptions on several lines. In a pipe or a file, each prompt is one line.
    """
    from prompt_manager.cli.prompts import latest, load, summarize

    summaries = [summarize(prompt) for prompt in latest(load(directory, schemas))]
    if as_json:
        write_json(summaries)
    elif not summaries:
        write_warning(f"there are no prompts in {directory}")
    else:
        from prompt_manager.cli.views import list_view

        write_text(list_view(summaries))


@app.command("show")
@version_options
@directory_options
@json_option
def show_prompt(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Show the metadata, variables and template of a prompt."""
    from prompt_manager.cli.prompts import describe, find, load

    check_version(version, label)
    manager = load(directory, schemas)
    description = describe(manager, find(manager, prompt_id, version, label))
    if as_json:
        write_json(description)
    else:
        from prompt_manager.cli.views import prompt_view

        write_text(prompt_view(description))


def _add_json_hint(error: PromptManagerError, prompt: CompiledPrompt, assignments: Sequence[Assignment]) -> None:
    """Add a hint to the error if ``--var NAME=TEXT`` was used for a variable that is not a string."""
    cause = error.__cause__ if isinstance(error.__cause__, PromptManagerError) else error
    name = str(cause.context.get("variable"))
    types = {variable["name"]: variable["type"] for variable in prompt.variables()}
    is_text = {assignment.name: assignment.is_text for assignment in assignments}
    if is_text.get(name) and types.get(name) in {"integer", "float", "boolean", "list", "dict"}:
        error.add_note(f"  hint: --var {name}=... passes text; use --var '{name}:=...' to pass JSON")


@app.command(
    "render",
    epilog="\b\nExamples:\n"
    "  prompt-manager render greeting --var name=Ada --var role=engineer\n"
    "  prompt-manager render summary --var max_points:=3 --vars values.json",
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
@click.option(
    "--to",
    "target",
    type=click.Choice(["text", "messages", *_PROVIDERS]),
    default="text",
    show_default=True,
    help="Output format: plain text (for a chat, a transcript), or JSON with the chat's messages or with the "
    "provider's request format.",
)
@click.option("--not-strict", is_flag=True, help="Change what the provider would reject, and warn, instead of failing.")
@click.option("--to-messages", is_flag=True, help="Convert a text prompt to a user message for the provider.")
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
    not_strict: bool,
    to_messages: bool,
) -> None:
    """Render a prompt with values for its variables.

    In a file or a pipe, the text is written exactly as rendered, without an added line break at the end.
    """
    from prompt_manager.cli.prompts import convert, find, load

    check_version(version, label)
    for flag, given in (("--not-strict", not_strict), ("--to-messages", to_messages)):
        if given and target not in _PROVIDERS:
            message = f"{flag} needs --to with a provider: {', '.join(_PROVIDERS[:-1])} or {_PROVIDERS[-1]}"
            raise click.UsageError(message, click.get_current_context())
    values = read_values(files, assignments)
    prompt = find(load(directory, schemas), prompt_id, version, label)
    try:
        if target == "text":
            write_text(prompt.render(values))
        elif target == "messages":
            write_json(prompt.render_messages(values))
        else:
            write_json(convert(prompt, target, values, strict=not not_strict, to_messages=to_messages))
    except PromptManagerError as error:
        _add_json_hint(error, prompt, assignments)
        if schemas is None and isinstance(error, SchemaError):
            error.add_note("  hint: on the command line, name the directory of the schemas with --schemas")
        if isinstance(error, IncompatibleFormatError):
            error.add_note("  hint: on the command line, use --to-messages")
        raise


app.add_command(check)
app.add_command(test_prompts)
