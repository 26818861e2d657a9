"""The command line: which commands there are, and how errors become messages and exit statuses."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from prompt_manager.cli import INTERRUPTED
from prompt_manager.cli.output import give_up_output, write_error, write_text
from prompt_manager.cli.version import version_line
from prompt_manager.exceptions import PromptManagerError

__all__ = ["App", "app"]

FAILED = 1
WRONG_USAGE = 2

#: The module of each command, and its name there. A command is imported when it is used.
_COMMANDS = {
    "batch": ("batch", "batch"),
    "bump": ("bump", "bump"),
    "check": ("check", "check"),
    "completion": ("completion", "completion"),
    "diff": ("diff", "diff"),
    "export": ("export", "export"),
    "history": ("history", "history"),
    "init": ("init", "init"),
    "label": ("label", "label"),
    "list": ("listing", "list_prompts"),
    "new": ("new", "new"),
    "plugins": ("plugins", "plugins"),
    "render": ("render", "render_prompt"),
    "schema": ("schema", "schema"),
    "show": ("show", "show_prompt"),
    "stubs": ("stubs", "stubs"),
    "test": ("test", "test_prompts"),
}


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

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in alphabetical order."""
        return sorted({*_COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"prompt_manager.cli.{module}"), name)
        return command

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
        write_text(version_line())
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
    """Write, check, test, render and compare prompts.

    Results go to standard output. Warnings and errors go to standard error. The exit status is 0 for success, 1 if the
    command failed, and 2 for wrong usage.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(WRONG_USAGE)
