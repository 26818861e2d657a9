"""`BatchRenderer`: renders a prompt for each row of Arrow tables, here or in another process."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import Batch, Registry, compile_prompt, nearest
from prompt_manager._providers import BATCH_TARGETS
from prompt_manager.bulk._checks import check_count, check_text
from prompt_manager.bulk._counted import CountedStream, Counting
from prompt_manager.bulk._tables import exportable, render_rows
from prompt_manager.bulk._tokens import TOKENS, token_rule
from prompt_manager.core._pickling import check_picklable
from prompt_manager.core.events import BatchEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Literal

    from prompt_manager._native import CompiledPrompt, Engine, RenderedStream
    from prompt_manager.core._observers import Observers

__all__ = ["BatchPlan", "BatchRenderer", "check_target"]


def check_target(to: str) -> str | None:
    """Return the provider that the results of a batch are for, or ``None``.

    Raises:
        ValueError: nothing has this name.
        TypeError: it is not a text.
    """
    if to not in BATCH_TARGETS:
        check_text(to, "`to`")
        near = nearest(to, list(BATCH_TARGETS))
        hint = f"; did you mean '{near}'?" if near else "."
        raise ValueError(f"`to` must not be '{to}'{hint} It is one of {', '.join(BATCH_TARGETS)}")
    return None if to in ("text", "messages") else to.removesuffix("-request")


class BatchPlan(NamedTuple):
    """What a :class:`BatchRenderer` does with a table; see :meth:`BatchRenderer.explain`."""

    #: The columns that are read. Without a table: the variables that columns may give; ``None`` for all columns.
    columns: list[str] | None
    #: The name of the new column.
    output: str
    #: The helpers in Python that the templates may call.
    helpers: list[str]
    #: Whether each row is rendered under the interpreter's lock, because the prompt calls Python code: a helper, a
    #: function of a schema, or a pydantic model as a schema.
    runs_python: bool
    #: The most threads that render a table.
    threads: int
    #: The average bytes of the new column for a row of the table. ``None`` without a table.
    bytes_per_row: int | None


class BatchRenderer:
    """Renders one prompt for each row of a table. ``manager.batch`` makes it.

    It can be pickled, with the prompt and what the prompt needs of partials, schemas and helpers, so that it can be
    handed to Ray, Spark, Dask or Hugging Face ``datasets`` as it is. Another process compiles the prompt once.
    """

    __slots__ = ("_batch", "_core", "_counting", "_engine", "_observers", "_options", "to")

    def __init__(
        self,
        core: CompiledPrompt,
        engine: Engine,
        *,
        to: str,
        on_error: Literal["raise", "column"] = "raise",
        observers: Observers | None = None,
        tokens: Callable[[str], int] | str | None = None,
        max_tokens: int | None = None,
        **options: Any,
    ) -> None:
        check_target(to)
        _check_options(options)
        if on_error not in ("raise", "column"):
            raise ValueError(f"`on_error` must be 'raise' or 'column', not {on_error!r}")
        self.to = to
        self._core = core
        self._engine = engine
        self._observers = observers
        self._options = {"on_error": on_error, "tokens": tokens, "max_tokens": max_tokens, **options}
        error_column = options["error_column"] if on_error == "column" else None
        self._batch = Batch(core, to, **{**options, "error_column": error_column})
        rule = token_rule(tokens, max_tokens)
        self._counting = None if rule is None else Counting(rule, self._batch.column, error_column)
        _check_different(self._batch.column, TOKENS if rule else None, error_column)

    @property
    def prompt_id(self) -> str:
        """The id of the prompt."""
        return self._core.id

    @property
    def version(self) -> str:
        """The version of the prompt."""
        return self._core.version

    @property
    def content_hash(self) -> str:
        """The content hash of the prompt."""
        return self._core.content_hash

    @property
    def __name__(self) -> str:
        # Ray and datasets show it as the name of a step.
        return f"{self._core.id}:{self.to}"

    def __call__(self, rows: Any) -> Any:
        """Render the rows of a table, and return the table with a new column.

        Args:
            rows: Anything with the Arrow PyCapsule interface: a table or record batch of pyarrow, a DataFrame of polars
                or pandas, a relation of DuckDB, a stream.

        Returns:
            A table of the same library for pyarrow, polars and pandas. A ``pyarrow.RecordBatchReader`` gives another,
            which renders while it is read. For other libraries a :class:`~prompt_manager.bulk.RenderedTable`, which has
            the Arrow PyCapsule interface.

        Raises:
            TemplateRenderError: a column is missing or has a wrong type, before the first row; or a row cannot be
                rendered, with its number, unless ``on_error="column"``.
            ConversionError: the provider would reject what a row gives.
            SchemaValidationError: a row does not fit the input schema.
            TypeError: ``rows`` is no table.
        """
        begin = perf_counter()
        table, counts = render_rows(self._batch, rows, self._counting)
        if self._observers is not None and counts is not None:
            self._tell(self._observers, begin, *counts)
        return table

    def map_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Render tables or record batches one after the other, as Spark's ``mapInArrow`` passes them.

        The numbers of rows in errors begin anew in each of them.
        """
        for rows in batches:
            yield self(rows)

    def stream(self, rows: Any) -> RenderedStream | CountedStream:
        """Render the rows of a table or stream while the result is read, so that memory holds one batch at a time."""
        stream = self._batch.stream(exportable(rows))
        return stream if self._counting is None else CountedStream(stream, self._counting)

    def explain(self, rows: Any = None) -> BatchPlan:
        """Return what the renderer will do. With a table: the columns that it reads, after a check of their types.

        Args:
            rows: A table, of which the first rows are rendered to estimate their size. A stream is used up.
        """
        batch = self._batch
        columns, size = batch.variables, None
        if rows is not None:
            columns, size = batch.explain(exportable(rows))
        return BatchPlan(columns, batch.column, batch.helpers, batch.runs_python, batch.threads, size)

    def _tell(self, observers: Observers, begin: float, count: int, failed: int) -> None:
        """Tell observers about the end of a batch."""
        event = BatchEvent(
            self.prompt_id,
            self.version,
            rows=count - failed,
            errors=failed,
            duration_ms=(perf_counter() - begin) * 1000,
            target=check_target(self.to),
        )
        observers.tell_now("on_batch_complete", event)

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle takes: the prompt, and what it needs of its engine and its schemas. Observers stay behind.

        Raises:
            PromptPicklingError: a helper or a schema's function, or the function for ``tokens``, cannot be pickled.
        """
        from prompt_manager.bulk._pickling import state_of

        if callable(tokens := self._options["tokens"]):
            check_picklable(
                "the function for `tokens`", tokens, "use a function that is defined at the top of a module"
            )
        return _restore, (state_of(self._core, self._engine, self._batch), self.to, self._options)

    def __repr__(self) -> str:
        return f"<BatchRenderer {self.prompt_id} {self.version} to {self.to}>"


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse options of another type, and those that no renderer can have."""
    for name in ("model", "column"):
        if options[name] is not None:
            check_text(options[name], f"`{name}`")
    check_text(options["error_column"], "`error_column`")
    for column, variable in options["rename"].items():
        check_text(column, "a column of `rename`")
        check_text(variable, "a variable of `rename`")
    if options["threads"] is not None:
        check_count(options["threads"], "`threads`")


def _check_different(*new: str | None) -> None:
    """Refuse new columns of which two have the same name."""
    names = [name for name in new if name is not None]
    for name in names:
        if names.count(name) > 1:
            kinds = "the results, the tokens and the errors"
            raise ValueError(f"two new columns would have the name {name!a}\n  hint: give {kinds} different names")


def _restore(state: Mapping[str, Any], to: str, options: Mapping[str, Any]) -> BatchRenderer:
    """The renderer that was pickled."""
    from prompt_manager.bulk._pickling import engine_of
    from prompt_manager.validation.loader import fill_schemas

    engine = engine_of(state)
    core = Registry(engine)
    fill_schemas(core.schemas, *state["schemas"])
    core.upsert_all([compile_prompt(state["prompt"], engine)], {})
    prompt = state["prompt"]
    return BatchRenderer(core.get(prompt["id"], version=prompt["version"]), engine, to=to, **options)
