"""The calls of a manager that render many rows at once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Literal

    from prompt_manager._native import CompiledPrompt, Registry, RenderedTable
    from prompt_manager.bulk._renderer import BatchRenderer
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._requests import ProviderRequests
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.core.registry import PromptRegistry

__all__ = ["BatchCalls"]


def _renames(rename: Mapping[str, str] | None) -> dict[str, str]:
    if rename is None:
        return {}
    try:
        return dict(rename)
    except (TypeError, ValueError):
        given = type(rename).__name__
        raise TypeError(f"`rename` must be a mapping from columns to variables, not {given}") from None


class BatchCalls:
    """``batch``, ``render_batch``, ``iter_batch`` and ``read_results`` of a :class:`~prompt_manager.PromptManager`."""

    if TYPE_CHECKING:
        _core: Registry
        _observers: Observers
        _registry: PromptRegistry
        _own_engine: TemplateEngineProtocol | None

        def _provider_requests(self) -> ProviderRequests: ...

    def batch(
        self,
        prompt_id: str,
        *,
        to: str,
        model: str | None = None,
        version: str | None = None,
        label: str | None = None,
        on_error: Literal["raise", "column"] = "raise",
        rename: Mapping[str, str] | None = None,
        column: str | None = None,
        error_column: str = "error",
        strict: bool = True,
        output_instructions: bool | None = None,
        structured_output: bool = True,
        dictionary: bool = True,
        threads: int | None = None,
        tokens: Callable[[str], int] | str | None = None,
        max_tokens: int | None = None,
    ) -> BatchRenderer:
        """Return a renderer of a prompt for the rows of tables: Arrow in, Arrow out.

        Each column gives the variable of its name. Only the columns that the prompt uses are read, and no Python object
        is made for a cell. A row gives the same text as :meth:`render`, and the same request as :meth:`build_request`.
        The renderer can be pickled for other processes.

        Args:
            prompt_id: The id of the prompt.
            to: What to make of a row. ``"text"`` gives the text of :meth:`render` in the column ``text``;
                ``"messages"`` the messages of a chat in the column ``messages``; a provider, such as ``"openai"``, its
                format of the conversation, and ``"openai-request"`` the arguments of its call, both as JSON in the
                column ``request``.
            model: The model of a request. By default the one in the prompt's settings.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            on_error: ``"raise"`` raises the error of the first row that cannot be rendered. ``"column"`` puts the
                message of each such row into a column, and goes on.
            rename: The variables of columns that have another name: ``{"column": "variable"}``.
            column: The name of the new column.
            error_column: The name of the column for errors.
            strict: Raise an error for anything that the provider would reject or that the conversion would lose. If
                false, convert to the nearest valid result, with a warning for each kind of change.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer. By
                default not to a request whose provider enforces the schema.
            structured_output: If the prompt has an output schema, ask the provider to enforce it in a request.
            dictionary: Store roles, and messages that are the same in every row, once for each table, in Arrow's
                dictionary type. Pass false for engines that do not know this type, such as Spark.
            threads: The most threads that render a table; by default one for each processor. Pass 1 where an engine
                runs one task for each processor.
            tokens: Add the column ``tokens`` with the number of tokens of each result. A function counts those of a
                text; ``"tiktoken:o200k_base"`` and the like do so with tiktoken. A conversation or request is counted
                as the JSON that is sent. Needs pyarrow or polars.
            max_tokens: The most tokens of a result. One with more is the error of its row.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            PromptError: messages are asked for of a prompt that is not a chat.
            IncompatibleFormatError: the provider does not support prompts of this format.
            ValueError: ``to`` or ``on_error`` is another word, ``tokens`` names no way to count, or the manager has a
                template engine of your own.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> greet = manager.batch("greeting", to="text")
        >>> import polars
        >>> greet(polars.DataFrame({"name": ["Ada"], "role": ["engineer"]}))["text"][0]
        'Hello Ada! Your role is engineer.'
        """
        from prompt_manager.bulk._renderer import BatchRenderer

        if self._own_engine is not None:
            raise ValueError(
                "batch renders with the package's template engine, and this manager has "
                f"{type(self._own_engine).__name__}\n  hint: call `render` of the manager for each row"
            )
        return BatchRenderer(
            self._core.get(prompt_id, version=version, label=label),
            self._registry._compiler,
            to=to,
            on_error=on_error,
            observers=self._observers,
            model=model,
            rename=_renames(rename),
            column=column,
            error_column=error_column,
            strict=strict,
            output_instructions=output_instructions,
            structured_output=structured_output,
            dictionary=dictionary,
            threads=threads,
            tokens=tokens,
            max_tokens=max_tokens,
        )

    def render_batch(
        self,
        prompt_id: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        to: str = "text",
        model: str | None = None,
        version: str | None = None,
        label: str | None = None,
        on_error: Literal["raise", "return"] = "raise",
    ) -> list[Any]:
        """Render a prompt for each of some Python rows, and return the results in order.

        The prompt is looked up once. For tables, use :meth:`batch`, which makes no Python objects.

        Args:
            prompt_id: The id of the prompt.
            rows: The variables of each render.
            to: What to make of a row: ``"text"``, ``"messages"``, a provider, or ``"openai-request"`` and the like; see
                :meth:`batch`. Conversations and requests are Python objects here, and not JSON.
            model: The model of a request. By default the one in the prompt's settings.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            on_error: ``"raise"`` raises the error of the first row that cannot be rendered, with the number of the
                row. ``"return"`` puts such errors into the list, and goes on.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            PromptManagerError: what a single call would raise for the row.
            ValueError: ``to`` or ``on_error`` is another word.

        >>> from prompt_manager import PromptManager
        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> people = [{"name": "Ada", "role": "engineer"}, {"name": "Grace", "role": "admiral"}]
        >>> manager.render_batch("greeting", people)
        ['Hello Ada! Your role is engineer.', 'Hello Grace! Your role is admiral.']
        """
        return list(
            self.iter_batch(prompt_id, rows, to=to, model=model, version=version, label=label, on_error=on_error)
        )

    def iter_batch(
        self,
        prompt_id: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        to: str = "text",
        model: str | None = None,
        version: str | None = None,
        label: str | None = None,
        on_error: Literal["raise", "return"] = "raise",
    ) -> Iterator[Any]:
        """Render a prompt for each of some Python rows, when its result is asked for. See :meth:`render_batch`.

        >>> from prompt_manager import Prompt, PromptManager
        >>> manager = PromptManager()
        >>> _ = manager.create_prompt_sync(Prompt(id="count", template="Number {{n}}"))
        >>> numbers = ({"n": n} for n in range(10**12))
        >>> next(manager.iter_batch("count", numbers))
        'Number 0'
        """
        from prompt_manager.bulk._renderer import check_target
        from prompt_manager.bulk._rows import check_rows, rendered_rows

        target = check_target(to)
        if on_error not in ("raise", "return"):
            raise ValueError(f"`on_error` must be 'raise' or 'return', not {on_error!r}")
        check_rows(rows)
        core = self._core.get(prompt_id, version=version, label=label).observed()
        render = self._row_render(core, to, model)
        return rendered_rows(core, render, rows, on_error=on_error, observers=self._observers, target=target)

    def _row_render(
        self,
        core: CompiledPrompt,
        to: str,
        model: str | None,
        *,
        strict: bool = True,
        output_instructions: bool | None = None,
        structured_output: bool = True,
    ) -> Callable[[Mapping[str, Any]], Any]:
        """The function that renders one row. The options are those of :meth:`batch`."""
        # Only a request has other instructions than those that are appended by default.
        appended = output_instructions is not False
        if to in ("text", "messages"):
            method = "render" if to == "text" else "render_messages"
            if self._own_engine is None:
                render: Callable[..., Any] = getattr(core, method)
                return render if appended else lambda row: render(row, False)  # noqa: FBT003 - the core's order
            from prompt_manager.core._observed import ObservedRenders
            from prompt_manager.core._observers import Observers

            renders = ObservedRenders(self._core, Observers(), self._own_engine)
            return lambda row: renders.blocking(method, core, row)
        provider = to.removesuffix("-request")
        requests = self._provider_requests()
        if provider == to:
            converts = requests.integration(provider, output_instructions=appended, strict_validation=strict)
            return lambda row: converts._convert_handle_sync(core, row, None)
        options = {
            "output_instructions": output_instructions,
            "structured_output": structured_output,
            "strict_validation": strict,
        }
        integration = requests.integration(provider, **options)
        call = integration._call(model, {}, None, of_manager=True)
        return lambda row: integration._build_handle_sync(core, row, call, None)

    def read_results(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        prompt_id: str,
        *,
        version: str | None = None,
        label: str | None = None,
        ids: Iterable[str] | None = None,
    ) -> RenderedTable:
        """Read the answers of a provider's batch API, parsed by the prompt's output schema.

        Args:
            paths: The provider's output file, or several, such as OpenAI's output and error file. OpenAI's Chat
                Completions and Responses API, Anthropic's Messages API and Gemini's API are known. Of several results
                for an id, such as those of a second attempt, the last counts.
            prompt_id: The id of the prompt.
            version: The version; the latest by default.
            label: The label of the version.
            ids: The ids of the requests, in the order of the rows. Providers answer in any order, and not all.
                By default the order of the files.

        Returns:
            A table with the columns ``custom_id``, ``text``, ``output`` (JSON, if the prompt has an output schema) and
            ``error``, for any library with the Arrow PyCapsule interface. A request without a result, and an answer
            that does not fit the schema, have an ``error``.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            StorageReadError: a file cannot be read, or is not a result file.
            TypeError: ``paths`` or ``ids`` is something else.
        """
        from prompt_manager.bulk._jsonl import read_results

        return read_results(paths, self._core.get(prompt_id, version=version, label=label), ids=ids)
