"""Renders with observers, a cache or an engine of the application's own. Imported when there is one of them."""

from __future__ import annotations

from time import perf_counter
from types import MappingProxyType

from prompt_manager.core._executions import execution_of, tell_of_failure, tell_of_render
from prompt_manager.core._own_engine import render_prompt
from prompt_manager.core._sync import run_asking
from prompt_manager.core.events import RenderEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from prompt_manager._native import CompiledPrompt, Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._render_cache import RenderCache
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.protocols import TemplateEngineProtocol

    T = TypeVar("T")

__all__ = ["ObservedRenders", "around", "around_now"]


class ObservedRenders:
    """Renders like the core's registry, and calls the observers, the cache, and ``render`` of an engine of its own."""

    __slots__ = ("_cache", "_core", "_engine", "_observers")

    def __init__(
        self,
        core: Registry,
        observers: Observers,
        engine: TemplateEngineProtocol | None = None,
        cache: RenderCache | None = None,
    ) -> None:
        self._core = core
        self._observers = observers
        # Nobody knows what a text depends on that another engine renders.
        self._cache = None if engine is not None else cache
        #: The engine if its `render` is not the package's.
        self._engine = engine

    def render(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render`, observed."""
        return self.blocking("render", self._get(prompt_id, version, label), variables, label, **options)

    def render_messages(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render_messages`, observed."""
        return self.blocking("render_messages", self._get(prompt_id, version, label), variables, label, **options)

    def _get(self, prompt_id: str, version: str | None, label: str | None) -> CompiledPrompt:
        if version is None and label is None:
            return self._core.get(prompt_id)
        return self._core.get(prompt_id, version=version, label=label)

    def blocking(
        self,
        method: str,
        compiled: CompiledPrompt,
        variables: Any,
        label: str | None = None,
        *,
        use_cache: bool = True,
        **options: Any,
    ) -> Any:
        """:meth:`observe`, for callers that do not await."""
        observers = self._observers
        if observers.renders_wait or self._engine is not None:
            return run_asking(
                lambda mode: self.observe(mode, method, compiled, variables, label, use_cache=use_cache, **options),
                method,
                (self._engine, "render"),
                observers_wait=observers.renders_wait,
            )
        event = RenderEvent(compiled, method, label=label)
        cache = self._cache_for(method) if use_cache else None

        def render() -> Any:
            if cache is not None:
                return cache.render_now(observers, compiled, event, variables, **options)
            return getattr(compiled, method)(variables, **options)

        return around_now(observers, event, variables, render)

    def _cache_for(self, method: str) -> RenderCache | None:
        """The cache for this method. It holds texts."""
        return self._cache if method == "render" else None

    async def observe(
        self,
        mode: CallMode,
        method: str,
        compiled: CompiledPrompt,
        variables: Any,
        label: str | None = None,
        *,
        use_cache: bool = True,
        **options: Any,
    ) -> Any:
        """The result of this method of the prompt."""
        event = RenderEvent(compiled, method, label=label)
        cache = self._cache_for(method) if use_cache else None

        async def render() -> Any:
            if self._engine is not None:
                return await render_prompt(self._engine, mode, method, compiled, variables, **options)
            if cache is not None:
                return await cache.render(self._observers, mode, compiled, event, variables, **options)
            return getattr(compiled, method)(variables, **options)

        return await around(self._observers, mode, event, variables, render)


async def around(
    observers: Observers, mode: CallMode, event: RenderEvent, variables: Any, render: Callable[[], Awaitable[T]]
) -> T:
    """The result of this render. Observers hear of its start and end; an exception then reaches the caller."""
    prompt_id, version, listeners = event.prompt_id, event.version, observers.by_event
    if listeners["on_render_start"]:
        try:
            await observers.tell(mode, "on_render_start", prompt_id, version, _read_only(variables), details=event)
        except BaseException as error:
            observers.tell_of_end("on_render_error", prompt_id, version, error, details=event)
            raise
    start = perf_counter()
    try:
        rendered = await render()
    except Exception as error:
        await observers.tell(mode, "on_render_error", prompt_id, version, error, details=event)
        raise
    except BaseException as error:
        observers.tell_of_end("on_render_error", prompt_id, version, error, details=event)
        raise
    elapsed = (perf_counter() - start) * 1000
    if listeners["on_render_complete"]:
        execution = execution_of(event, variables, rendered, elapsed)
        await observers.tell(mode, "on_render_complete", prompt_id, version, execution, details=event)
    return rendered


def around_now(observers: Observers, event: RenderEvent, variables: Any, render: Callable[[], T]) -> T:
    """Do the same as :func:`around` for callers that do not await."""
    if observers.by_event["on_render_start"]:
        observers.tell_now("on_render_start", event.prompt_id, event.version, _read_only(variables), details=event)
    start = perf_counter()
    try:
        rendered = render()
    except BaseException as error:
        tell_of_failure(observers, event, error)
        raise
    tell_of_render(observers, event, variables, rendered, (perf_counter() - start) * 1000)
    return rendered


def _read_only(variables: Any) -> Any:
    """The variables for an observer, which must not change those of the caller."""
    return MappingProxyType(variables) if isinstance(variables, dict) else variables
