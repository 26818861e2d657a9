"""Renders the rows of a file chunk by chunk: to tables for Parquet and Arrow, to Python rows for CSV and JSON Lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from prompt_manager._native import nearest
from prompt_manager._text_values import may_be, typed_value
from prompt_manager.bulk._renderer import check_target
from prompt_manager.bulk._rows import rendered_rows, shift_row, shift_row_in_message, with_row
from prompt_manager.bulk._tokens import TOKENS, token_rule
from prompt_manager.cli.tables.kinds import TEXT_KINDS, BrokenRow, Rows
from prompt_manager.cli.tables.library import table_library
from prompt_manager.cli.tables.text import escaped, json_text, merge_text, read_text, write_text_part
from prompt_manager.exceptions import PromptManagerError, TemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.bulk import BatchRenderer
    from prompt_manager.cli.tables.kinds import FileKind
    from prompt_manager.cli.tables.library import TableLibrary
    from prompt_manager.core.manager import PromptManager

__all__ = ["BatchOptions", "RowJob", "TableJob"]


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What to make of a row, as the options of ``manager.batch``."""

    to: str
    model: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    error_column: str = "error"
    on_error: Literal["raise", "column"] = "raise"
    strict: bool = True
    output_instructions: bool | None = None
    structured_output: bool = True
    threads: int | None = None
    tokens: Callable[[str], int] | str | None = None
    max_tokens: int | None = None


@dataclass
class Source:
    """The rows of the input."""

    path: Path
    kind: FileKind
    size: int
    #: The variables that columns give, by the names of the columns.
    variables: Mapping[str, Mapping[str, Any]]
    #: The columns that give a variable of another name.
    renamed: Sequence[str] = ()

    @cached_property
    def library(self) -> TableLibrary:
        """The library for the format of the input."""
        return table_library(f"reading {self.path}")

    def count(self) -> int | None:
        """The number of rows, if it is known without reading them."""
        return None if self.kind in TEXT_KINDS else self.library.count(self.path, self.kind)

    def tables(self, skip: int) -> Iterator[Any]:
        """The rows as tables of the library."""
        return self.library.read(self.path, self.kind, self.size, skip)

    def rows(self, skip: int) -> Iterator[Rows]:
        """The rows as Python values. The cells of a CSV file get the types of their variables."""
        if self.kind not in TEXT_KINDS:
            yield from map(self.library.rows, self.tables(skip))
            return
        if self.kind == "jsonl":
            self._check_renamed()
        for chunk in read_text(self.path, self.kind, self.size, skip):
            if self.kind != "jsonl":
                for name in chunk.columns:
                    if name in self.variables:
                        _give_type(chunk.rows, name, self.variables[name])
            yield chunk

    def _check_renamed(self) -> None:
        """Refuse JSON Lines in which no row has a column that is renamed. Usually, the first rows have all of them."""
        missing, known = set(self.renamed), set[str]()
        chunks = read_text(self.path, self.kind, self.size, 0)
        while missing and (chunk := next(chunks, None)) is not None:
            known.update(chunk.columns)
            missing.difference_update(chunk.columns)
        if missing:
            raise no_column(min(missing), known, self.path)


def no_column(name: str, columns: Iterable[str], path: Path) -> click.ClickException:
    """The error for a column that ``--rename`` names and a file does not have."""
    near = nearest(name, list(columns))
    hint = f"\n  hint: did you mean {near!r}?" if near else ""
    return click.ClickException(f"--rename names the column {name!r}, which {path} does not have{hint}")


def _give_type(rows: list[dict[str, Any]], column: str, variable: Mapping[str, Any]) -> None:
    """Read the texts of a column as values of a variable. A text that is no such value stays: the render refuses it."""
    if variable["type"] in {"string", "any"} and not variable["values"]:
        return
    for row in rows:
        text = row[column]
        try:
            row[column] = typed_value(text, variable) if text else None
        except ValueError:
            continue


class _Job:
    """The columns that a job reads and adds."""

    def __init__(self, manager: PromptManager, prompt: CompiledPrompt, source: Source, options: BatchOptions) -> None:
        self.manager, self.prompt, self.source, self.options = manager, prompt, source, options
        self.renderer: BatchRenderer = renderer_of(manager, prompt, options)
        self.column: str = self.renderer.explain().output
        #: The variables that each row must give.
        self.required: frozenset[str] = frozenset(self.renderer._batch.required)
        self.rule = token_rule(options.tokens, options.max_tokens)

    def check_columns(self, columns: Sequence[str]) -> None:
        """Refuse a table that has a column with the name of a new one, or that ``--rename`` cannot be used for.

        The rows of JSON Lines may have different columns.
        """
        self._check_new_columns(columns)
        if self.source.kind == "jsonl":
            return
        path, rename, known = self.source.path, self.options.rename, self.renderer.explain().columns
        for name in rename:
            if name not in columns:
                raise no_column(name, columns, path)
        given = [rename.get(name, name) for name in columns]
        for name in given:
            if given.count(name) > 1 and (known is None or name in known):
                raise click.ClickException(
                    f"{path} has two columns for the variable {name!r}\n"
                    "  hint: drop one of them, or give it the name of no variable with --rename"
                )

    def _check_new_columns(self, columns: Sequence[str]) -> None:
        new = {self.column: "--column"}
        if self.options.on_error == "column":
            new[self.options.error_column] = "--error-column"
        if self.rule is not None and TOKENS in columns:
            raise click.ClickException(f"{self.source.path} already has a column {TOKENS!r}\n  hint: drop or rename it")
        for name, option in new.items():
            if name in columns:
                raise click.ClickException(
                    f"{self.source.path} already has a column {name!r}\n  hint: name the new column with {option}"
                )


class _TableChunk(NamedTuple):
    """Some rows of the input as a table, and the errors of those that no table can hold as they are."""

    table: Any
    problems: Mapping[int, PromptManagerError]


class TableJob(_Job):
    """Renders tables to tables."""

    def __init__(self, *args: Any, kind: FileKind) -> None:
        super().__init__(*args)
        self._kind = kind
        self._library = table_library(f"writing .{kind} files")

    def chunks(self, skip: int) -> Iterator[Any]:
        """The rows of the input, without the first ones."""
        source = self.source
        if source.kind in TEXT_KINDS:
            return map(self._table, source.rows(skip))
        return (_TableChunk(table, {}) for table in source.tables(skip))

    def _table(self, chunk: Rows) -> _TableChunk:
        """Python rows as a table. A column that these rows lack is null, and not an error of the whole table."""
        source = self.source
        columns = chunk.columns
        if source.kind == "jsonl":
            needed = [name for name, variable in source.variables.items() if variable["name"] in self.required]
            columns = list(dict.fromkeys([*chunk.columns, *source.renamed, *needed]))
        if chunk.rows and not columns:
            raise click.ClickException(
                f"{source.path} has rows without columns, which a table of Arrow cannot hold\n"
                "  hint: write the result to a .jsonl file"
            )
        problems: dict[int, PromptManagerError] = {}
        rows = []
        for at, given in enumerate(chunk.rows):
            row, problem = self._checked(given)
            rows.append(row)
            if problem is not None:
                problems[at] = problem
        return _TableChunk(self._library.table(Rows(columns, rows)), problems)

    def _checked(self, row: dict[str, Any]) -> tuple[dict[str, Any], PromptManagerError | None]:
        """The row as a table can hold it, without the values of a type that its columns do not have, and its error."""
        if isinstance(row, BrokenRow):
            return escaped(row), TemplateRenderError(row.problem)
        wrong = [
            name
            for name, variable in self.source.variables.items()
            if not may_be(row.get(name), variable) or (name not in row and variable["name"] in self.required)
        ]
        problem = self._row_job.problem(row) if wrong else None
        return ({**row, **dict.fromkeys(wrong)} if problem else row), problem

    @cached_property
    def _row_job(self) -> RowJob:
        return RowJob(self.manager, self.prompt, self.source, self.options, kind="jsonl")

    def render(self, chunk: Any, first: int) -> tuple[Any, int, list[tuple[int, str]]]:
        """Render a chunk whose first row has this number: the result, the number of rows, and the errors."""
        table, problems = _TableChunk(*chunk)
        self.check_columns(self._library.columns(table))
        try:
            if self.options.on_error == "raise" and problems:
                at = min(problems)
                if at:
                    self.renderer(table.slice(0, at))
                raise with_row(problems[at], at)
            made = self.renderer(table)
        except PromptManagerError as error:
            raise shift_row(error, first) from error
        if self.options.on_error == "raise":
            return made, len(made), []
        name = self.options.error_column
        texts = [text and shift_row_in_message(text, first) for text in self._library.texts(made, name)]
        if problems:
            made = self._library.with_nulls(made, [self.column, *([TOKENS] if self.rule else [])], problems)
            for at, problem in problems.items():
                texts[at] = f"row {first + at}: {problem.message}"
        errors = [(first + at, text) for at, text in enumerate(texts) if text]
        return self._library.with_texts(made, name, texts) if errors else made, len(made), errors

    def write(self, made: Any, file: IO[bytes]) -> None:
        """Write a chunk as a part."""
        self._library.write_part(file, self._kind, made)

    def merge(self, parts: Sequence[Path], file: IO[bytes]) -> None:
        """Write all parts as one file."""
        self._library.merge(parts, file, self._kind)


class RowJob(_Job):
    """Renders Python rows, for files that have no types of Arrow."""

    def __init__(self, *args: Any, kind: FileKind) -> None:
        super().__init__(*args)
        self._kind = kind
        known = self.renderer.explain().columns
        self._known = None if known is None else set(known)
        options = self.options
        self._core = self.prompt.observed()
        self._render = self.manager._row_render(
            self._core,
            options.to,
            options.model,
            strict=options.strict,
            output_instructions=options.output_instructions,
            structured_output=options.structured_output,
        )

    def chunks(self, skip: int) -> Iterator[Rows]:
        """The rows of the input, without the first ones."""
        source = self.source
        if source.kind in TEXT_KINDS:
            yield from source.rows(skip)
            return
        for number, table in enumerate(source.tables(skip)):
            if number == 0:
                self.check_columns(source.library.columns(table))
                # Checks the types of the columns, before the first row.
                self.renderer.explain(table.slice(0, 0))
            yield source.library.rows(table)

    def render(self, chunk: Rows, first: int) -> tuple[Rows, int, list[tuple[int, str]]]:
        """Render a chunk whose first row has this number: the result, the number of rows, and the errors."""
        self.check_columns(chunk.columns)
        if self.source.kind in {"csv", "tsv"}:
            self._check_header(chunk.columns)
        results = rendered_rows(
            self._core,
            self._render_row,
            chunk.rows,
            on_error="raise" if self.options.on_error == "raise" else "return",
            observers=self.manager._observers,
            target=check_target(self.options.to),
            first=first,
        )
        errors: list[tuple[int, str]] = []
        with_errors = self.options.on_error == "column"
        for number, (row, made) in enumerate(zip(chunk.rows, results, strict=True), first):
            problem, tokens = (made, None) if isinstance(made, PromptManagerError) else self._counted(made, number)
            row[self.column] = None if problem else made
            if self.rule is not None:
                row[TOKENS] = tokens
            if with_errors:
                row[self.options.error_column] = problem and problem.message
            if problem:
                errors.append((number, problem.message))
        new = [self.column, *([TOKENS] if self.rule else []), *([self.options.error_column] if with_errors else [])]
        return Rows([*chunk.columns, *new], chunk.rows), len(chunk.rows), errors

    def problem(self, row: Mapping[str, Any]) -> PromptManagerError | None:
        """The error of a row, if it cannot be rendered."""
        try:
            self._render_row(row)
        except PromptManagerError as error:
            return error
        return None

    def _render_row(self, row: Mapping[str, Any]) -> Any:
        if isinstance(row, BrokenRow):
            raise TemplateRenderError(row.problem)
        return self._render(self._values(row))

    def _counted(self, made: Any, number: int) -> tuple[PromptManagerError | None, int | None]:
        """The error of a row with too many tokens, and the tokens."""
        if self.rule is None:
            return None, None
        # What is no text and no messages is JSON in a table, and is counted as that here as well.
        tokens, error = self.rule.counted(made if check_target(self.options.to) is None else json_text(made))
        if error is None:
            return None, tokens
        numbered = with_row(error, number)
        if self.options.on_error == "raise":
            raise numbered from error
        return numbered, tokens

    def _check_header(self, columns: Sequence[str]) -> None:
        """Refuse a CSV file without a column for a variable. The rows of JSON Lines may have different columns."""
        path, given = self.source.path, [self.options.rename.get(name, name) for name in columns]
        for name in self.required:
            if name not in given:
                raise click.ClickException(
                    f"{path} has no column for the variable {name!r}\n"
                    f"  hint: add the column, or name one with --rename COLUMN={name}"
                )

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The variables that a row gives."""
        rename, known = self.options.rename, self._known
        values: dict[str, Any] = {}
        for column, value in row.items():
            name = rename.get(column, column)
            if known is not None and name not in known:
                continue
            if name in values:
                raise TemplateRenderError(f"two columns give the variable {name!r}", variable=name)
            values[name] = value
        return values

    def write(self, made: Rows, file: IO[bytes]) -> None:
        """Write a chunk as a part."""
        write_text_part(file, self._kind, made)

    def merge(self, parts: Sequence[Path], file: IO[bytes]) -> None:
        """Write all parts as one file."""
        merge_text(parts, file, self._kind)


def renderer_of(manager: PromptManager, prompt: CompiledPrompt, options: BatchOptions) -> BatchRenderer:
    """The renderer of tables."""
    return manager.batch(
        prompt.id,
        version=prompt.version,
        to=options.to,
        model=options.model,
        rename=options.rename,
        column=options.column,
        error_column=options.error_column,
        on_error=options.on_error,
        strict=options.strict,
        output_instructions=options.output_instructions,
        structured_output=options.structured_output,
        # A file of Arrow may have one dictionary for each column, and each part has another.
        dictionary=False,
        threads=options.threads,
        tokens=options.tokens,
        max_tokens=options.max_tokens,
    )
