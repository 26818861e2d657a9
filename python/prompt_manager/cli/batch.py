"""The command ``batch``."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prompt_manager._providers import BATCH_TARGETS, PROVIDERS
from prompt_manager.cli.options import directory_options, json_option, select, version_options
from prompt_manager.cli.output import write_json, write_note, write_text, write_warning
from prompt_manager.cli.project import find_project, import_module_of
from prompt_manager.cli.tables.kinds import TEXT_KINDS, kind_of
from prompt_manager.cli.values import check_text
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.cli.batch_jobs import BatchOptions, RowJob, TableJob
    from prompt_manager.cli.batch_parts import OutputParts
    from prompt_manager.core.manager import PromptManager

__all__ = ["batch"]


def _file(ctx: click.Context, param: click.Parameter, value: str) -> Path:
    """A file whose format is known. Used as a callback of click."""
    check_text(ctx, param, value)
    try:
        kind_of(Path(value))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return Path(value)


def _column(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The name of a new column. Used as a callback of click."""
    if value == "":
        raise click.BadParameter("a column needs a name", ctx, param)
    return check_text(ctx, param, value)


def _renames(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The variables of columns, from ``COLUMN=VARIABLE``. Used as a callback of click."""
    found: dict[str, str] = {}
    for text in values:
        check_text(ctx, param, text)
        column, equals, variable = text.rpartition("=")
        if not equals or not column or not variable:
            raise click.BadParameter(f"{text!r} must be written as COLUMN=VARIABLE", ctx, param)
        if column in found:
            raise click.BadParameter(f"the column {column!r} is renamed twice", ctx, param)
        if variable in found.values():
            raise click.BadParameter(f"two columns are renamed to {variable!r}", ctx, param)
        found[column] = variable
    return found


@click.command(
    "batch",
    epilog="\b\nExamples:\n"
    "  prompt-manager batch greeting people.csv -o texts.jsonl --to text\n"
    "  prompt-manager batch triage tickets.parquet -o requests.parquet \\\n"
    "    --to openai-request --model gpt-5 --on-error column\n"
    "  prompt-manager batch triage tickets.jsonl -o requests.jsonl \\\n"
    "    --to anthropic-request --resume",
)
@version_options
@click.argument("source", metavar="INPUT", callback=_file)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    callback=_file,
    help="The file to write. It appears when it is complete.",
)
@click.option(
    "--to",
    metavar="TARGET",
    type=click.Choice(BATCH_TARGETS),
    required=True,
    help=f"What to make of a row: text, messages, a provider's conversation ({', '.join(PROVIDERS)}), or a whole "
    "request (openai-request, ...).",
)
@click.option("--model", metavar="NAME", callback=check_text, help="The model of a request.")
@click.option(
    "--rename",
    metavar="COLUMN=VARIABLE",
    multiple=True,
    callback=_renames,
    help="The variable of a column that has another name.",
)
@click.option(
    "--column",
    metavar="NAME",
    callback=_column,
    help="The name of the new column.  [default: text, messages or request]",
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "column"]),
    default="raise",
    show_default=True,
    help="End at the first row that cannot be rendered, or put the messages of such rows into a column.",
)
@click.option(
    "--error-column",
    metavar="NAME",
    default="error",
    show_default=True,
    callback=_column,
    help="The name of the column for errors.",
)
@click.option("--resume", is_flag=True, help="Go on after what a run that did not end has written.")
@click.option(
    "--batch-size",
    metavar="ROWS",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="The rows that are in memory at once, and the most that are lost when the process is killed.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="The most threads that render tables.  [default: one for each processor]",
)
@click.option(
    "--tokens",
    metavar="COUNTER",
    callback=check_text,
    help="Add the column tokens with the number of tokens of each result: tiktoken:o200k_base or another encoding of "
    "tiktoken, or MODULE:FUNCTION of your code, which takes a text and returns a number.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="The most tokens of a result. One with more is the error of its row.",
)
@click.option("--no-output-instructions", is_flag=True, help="Leave out the text that asks for the output schema.")
@click.option("--no-structured-output", is_flag=True, help="Do not ask the provider to enforce the output schema.")
@click.option("--not-strict", is_flag=True, help="Change what the provider would reject, and warn, instead of failing.")
@directory_options
@json_option
def batch(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    directory: str,
    schemas: str | None,
    source: Path,
    output: Path,
    resume: bool,
    batch_size: int,
    tokens: str | None,
    max_tokens: int | None,
    no_output_instructions: bool,
    no_structured_output: bool,
    not_strict: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Render a prompt for every row of a file.

    The columns give the variables of their names. The output has the columns of the input, and the result. The
    endings of the files tell their formats: .csv, .tsv, .jsonl, .ndjson; with pyarrow or polars also .parquet, .pq,
    .arrow, .ipc and .feather.
    """
    from prompt_manager.cli.batch_jobs import BatchOptions
    from prompt_manager.cli.batch_parts import OutputParts
    from prompt_manager.cli.batch_task import task_of
    from prompt_manager.cli.progress import count_rows
    from prompt_manager.cli.prompts import find, load

    selection = select(prompt_id, version, label)
    if not source.is_file():
        problem = "it is no file" if source.exists() else "there is no such file"
        raise click.ClickException(f"cannot read {source}: {problem}")
    if output.exists() and output.samefile(source):
        raise click.ClickException(
            f"{output} is the input, which the output would replace\n  hint: choose another --output"
        )
    if max_tokens is not None and tokens is None:
        raise click.UsageError("--max-tokens needs --tokens", click.get_current_context())
    manager = load(directory, schemas)
    # By default, a request has instructions only where it cannot send a strict schema.
    chosen = BatchOptions(
        strict=not not_strict,
        output_instructions=False if no_output_instructions else None,
        structured_output=not no_structured_output,
        tokens=_counter(tokens),
        max_tokens=max_tokens,
        **options,
    )
    with _warnings_once():
        with _hints_of_the_command(chosen):
            job = _job(manager, find(manager, selection), (source, output), batch_size, chosen)
        parts = OutputParts(output, task_of(job, tokens), resume=resume)
        with _kept_parts(parts), _hints_of_the_command(chosen), count_rows(job.source.count()) as show:
            for chunk in job.chunks(parts.rows):
                made, rows, errors = job.render(chunk, parts.rows)
                parts.add(partial(job.write, made), rows, errors)
                show(parts.rows)
            parts.complete(job.merge)
    _report(parts, as_json=as_json)


def _counter(tokens: str | None) -> Callable[[str], int] | str | None:
    """What counts tokens: an encoding of tiktoken, or a function of the project.

    Raises:
        click.UsageError: it is written in another way, or there is no such encoding or function.
    """
    if tokens is None:
        return None
    ctx = click.get_current_context()
    module, colon, name = tokens.partition(":")
    if not module or not colon or not name:
        raise click.UsageError("--tokens must be tiktoken:ENCODING or MODULE:FUNCTION", ctx)
    from prompt_manager.bulk._tokens import token_rule

    try:
        if module == "tiktoken":
            token_rule(tokens, None)
            return tokens
        found = getattr(import_module_of(find_project(), module), name)
    except (Exception, SystemExit) as error:  # the project's code, and tiktoken, which loads encodings from the network
        reason = f"{type(error).__name__}: {error}"
        raise click.UsageError(f"--tokens {tokens} cannot be used: {reason}", ctx) from error
    if not callable(found):
        raise click.UsageError(f"--tokens {tokens} is no function", ctx)
    return found  # type: ignore[no-any-return] # a function of the project


def _job(
    manager: PromptManager, prompt: CompiledPrompt, files: tuple[Path, Path], batch_size: int, options: BatchOptions
) -> RowJob | TableJob:
    """What renders the rows of the first file for the second."""
    from prompt_manager.cli.batch_jobs import RowJob, Source, TableJob

    source, output = files
    names = {variable: column for column, variable in options.rename.items()}
    variables = {names.get(variable["name"], variable["name"]): variable for variable in prompt.variables()}
    rows = Source(source, kind_of(source), batch_size, variables, tuple(options.rename))
    kind = kind_of(output)
    make = RowJob if kind in TEXT_KINDS else TableJob
    try:
        return make(manager, prompt, rows, options, kind=kind)
    except ValueError as error:
        raise click.UsageError(str(error), click.get_current_context()) from error


@contextmanager
def _kept_parts(parts: OutputParts) -> Iterator[None]:
    """If the block fails, tell which rows are kept for ``--resume``."""
    try:
        yield
    except KeyboardInterrupt:
        if parts.rows:
            write_note(_kept(parts))
        raise
    except click.ClickException as error:
        if not parts.rows:
            raise
        raise click.ClickException(f"{error.message}\n  {_kept(parts)}") from error
    except PromptManagerError as error:
        if parts.rows:
            error.add_note(f"  {_kept(parts)}")
        raise


def _kept(parts: OutputParts) -> str:
    count = "1 row is" if parts.rows == 1 else f"{parts.rows:,} rows are"
    return f"{count} kept in {parts.directory}; go on with --resume"


@contextmanager
def _hints_of_the_command(options: BatchOptions) -> Iterator[None]:
    """Add hints with the command's options to an error whose hints have arguments of Python."""
    try:
        yield
    except PromptManagerError as error:
        if renamed := re.search(r'rename=\{"(.+)": "(.+)"\}', str(error)):
            column = "COLUMN" if renamed[1] == "a column" else renamed[1]
            error.add_note(f"  hint: on the command line, pass --rename {column}={renamed[2]}")
        if "to_messages=True" in str(error):
            error.add_note("  hint: on the command line, batch has no such option; write the prompt with messages")
        if "row" in error.context and options.on_error == "raise":
            error.add_note("  hint: on the command line, --on-error column puts the errors of rows into a column")
        raise


@contextmanager
def _warnings_once() -> Iterator[None]:
    """Write each warning about the results to standard error once, however many rows it is about."""
    known: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in known:
            known.add(str(message))
            write_warning(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def _report(parts: OutputParts, *, as_json: bool) -> None:
    """Write how many rows there are, and the first errors."""
    if as_json:
        errors = [{"row": row, "error": message} for row, message in parts.errors]
        counts = {"rows": parts.rows, "resumed": parts.resumed, "failed": parts.failed, "errors": errors}
        write_json({"output": str(parts.output), **counts})
        return
    write_text(f"{parts.output}: {parts.rows:,} {'row' if parts.rows == 1 else 'rows'}\n")
    if parts.failed:
        more = parts.failed - len(parts.errors)
        lines = [f"  {message}" for _, message in parts.errors] + ([f"  and {more:,} more"] if more else [])
        count = "1 row has" if parts.failed == 1 else f"{parts.failed:,} rows have"
        write_warning("\n".join([f"{count} an error", *lines]))
