"""The commands: their arguments, and what becomes of an error. What they do is in the modules beside this one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from prompt_manager.cli.output import give_up_output, write_error, write_json, write_text, write_warning
from prompt_manager.cli.values import Assignment, check_text, read_assignments, read_files
from prompt_manager.exceptions import IncompatibleFormatError, PromptManagerError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["App", "app"]

Command = TypeVar("Command", bound="Callable[..., Any]")

#: Whose form a prompt can be shown in.
_PROVIDERS = ("openai", "responses", "anthropic", "litellm")

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


def _report_usage(error: click.UsageError) -> None:
    """Say what is wrong with the arguments, and how they should be."""
    text = error.format_message()
    if error.ctx is not None:
        # click writes the line as "Usage: ..."; ours are in lower case.
        usage = error.ctx.get_usage().replace("Usage:", "usage:", 1)
        text += f"\n{usage}\n  hint: {error.ctx.command_path} --help"
    write_error(text)


class App(click.Group):
    """A group of commands that turns every error into a line on standard error and an exit status."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run with these arguments, by default the process's, and exit."""
        sys.exit(self.run(*args, **kwargs))

    def run(self, *args: Any, **kwargs: Any) -> int:
        """Run with these arguments, by default the process's; gives the exit status."""
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
        # click gives an exit status where something asked to exit, such as --help; our commands give nothing.
        return status if isinstance(status, int) else 0


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's order
    if wanted:
        from prompt_manager import __version__

        write_text(f"{ctx.find_root().info_name} {__version__}\n")
        ctx.exit()


@click.group(cls=App, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version of the command and exit.",
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """List, show and render the prompts of a directory.

    Results go to standard output, everything else to standard error. The exit status is 0, 1 for a job that failed,
    2 for wrong usage.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(WRONG_USAGE)


def _of_directory(command: Command) -> Command:
    """Give a command the options that say where the prompts are."""
    command = click.option(
        "--schemas",
        metavar="DIR",
        help="Directory of the schemas that the prompts name. Without it, the names are not checked.",
    )(command)
    return click.option(
        "--dir",
        "directory",
        metavar="DIR",
        default="prompts",
        show_default=True,
        envvar="PROMPT_MANAGER_DIR",
        show_envvar=True,
        help="Directory of the prompts.",
    )(command)


def _of_version(command: Command) -> Command:
    """Give a command a prompt and the options that say which version of it."""
    command = click.option(
        "--label", metavar="LABEL", callback=check_text, help="The version that this label points at."
    )(command)
    command = click.option(
        "--version", metavar="VERSION", callback=check_text, help="This version; the latest by default."
    )(command)
    return click.argument("prompt_id", metavar="ID", callback=check_text)(command)


def _check_version(version: str | None, label: str | None) -> None:
    if version is not None and label is not None:
        raise click.UsageError("--version and --label exclude each other", click.get_current_context())


@app.command("list")
@_of_directory
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def list_prompts(*, directory: str, schemas: str | None, as_json: bool) -> None:
    """List the prompts: the latest version of each.

    On a terminal descriptions are wrapped; into a pipe or a file goes one line for each prompt.
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
@_of_version
@_of_directory
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def show_prompt(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Show a prompt, its variables, and its template as written."""
    from prompt_manager.cli.prompts import describe, find, load

    _check_version(version, label)
    manager = load(directory, schemas)
    description = describe(manager, find(manager, prompt_id, version, label))
    if as_json:
        write_json(description)
    else:
        from prompt_manager.cli.views import prompt_view

        write_text(prompt_view(description))


def _hint_at_json(error: PromptManagerError, prompt: CompiledPrompt, assignments: Sequence[Assignment]) -> None:
    """Where a value of ``--var`` has the wrong type because it is text, say how to write it."""
    cause = error.__cause__ if isinstance(error.__cause__, PromptManagerError) else error
    name = str(cause.context.get("variable"))
    types = {variable["name"]: variable["type"] for variable in prompt.variables()}
    is_text = {assignment.name: assignment.is_text for assignment in assignments}
    if is_text.get(name) and types.get(name) in {"integer", "float", "boolean", "list", "dict"}:
        error.add_note(f"  hint: --var {name}=... gives text; write --var '{name}:=...' to give JSON")


@app.command(
    "render",
    epilog="\b\nExample:\n  render summary --var title=Minutes --var max_points:=3 --vars rest.json",
)
@_of_version
@_of_directory
@click.option(
    "--var",
    "assignments",
    metavar="NAME=TEXT",
    callback=read_assignments,
    multiple=True,
    help="The value of a variable; NAME:=JSON for what is not text. Wins over --vars.",
)
@click.option(
    "--vars",
    "files",
    metavar="FILE",
    multiple=True,
    help="A JSON object with values by name; - reads standard input.",
)
@click.option(
    "--to",
    "target",
    type=click.Choice(["text", "messages", *_PROVIDERS]),
    default="text",
    show_default=True,
    help="Text (of a chat, a transcript), or JSON: a chat's messages, or a provider's form.",
)
@click.option("--not-strict", is_flag=True, help="Change what the provider would refuse, and warn.")
@click.option("--to-messages", is_flag=True, help="Give a provider a text as a user's message.")
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
    """Render a prompt with the values of its variables.

    Text is written to the letter: what a file or a pipe gets ends as the template does.
    """
    from prompt_manager.cli.prompts import convert, find, load

    _check_version(version, label)
    for flag, given in (("--not-strict", not_strict), ("--to-messages", to_messages)):
        if given and target not in _PROVIDERS:
            raise click.UsageError(f"{flag} needs --to {' or '.join(_PROVIDERS)}", click.get_current_context())
    values = read_files(files) | {assignment.name: assignment.value for assignment in assignments}
    prompt = find(load(directory, schemas), prompt_id, version, label)
    try:
        if target == "text":
            write_text(prompt.render(values))
        elif target == "messages":
            write_json(prompt.render_messages(values))
        else:
            write_json(convert(prompt, target, values, strict=not not_strict, to_messages=to_messages))
    except PromptManagerError as error:
        _hint_at_json(error, prompt, assignments)
        if schemas is None and isinstance(error, SchemaError):
            error.add_note("  hint: name the directory of the schemas with --schemas")
        if isinstance(error, IncompatibleFormatError):
            error.add_note("  hint: here, that is --to-messages")
        raise
