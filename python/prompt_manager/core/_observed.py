"""Renders with observers, or with an engine of the application's own. Imported when there is one of them."""

from __future__ import annotations

from functools import cache
from time import perf_counter

from prompt_manager.core._observers import RENDER_EVENTS
from prompt_manager.core._own_engine import render_prompt
from prompt_manager.core._sync import run_asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from prompt_manager._native import CompiledPrompt, Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.protocols import TemplateEngineProtocol

__all__ = ["ObservedRenders"]


class ObservedRenders:
    """Renders like the core's registry, and calls the observers, and ``render`` of the engine if that is its own."""

    __slots__ = ("_core", "_engine", "_observers")

    def __init__(self, core: Registry, observers: Observers, engine: TemplateEngineProtocol | None = None) -> None:
        self._core = core
        self._observers = observers
        #: The engine if its `render` is not the package's.
        self._engine = engine

    def render(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render`, observed."""
        return self._blocking("render", prompt_id, self._found(prompt_id, version, label), variables, options)

    def render_messages(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render_messages`, observed."""
        return self._blocking("render_messages", prompt_id, self._found(prompt_id, version, label), variables, options)

    def _found(self, prompt_id: str, version: str | None, label: str | None) -> CompiledPrompt:
        if version is None and label is None:
            return self._core.get(prompt_id)
        return self._core.get(prompt_id, version=version, label=label)

    def blocking(self, method: str, prompt_id: str, compiled: CompiledPrompt, variables: Any, **options: Any) -> Any:
        """:meth:`observe`, for callers that do not await."""
        return self._blocking(method, prompt_id, compiled, variables, options)

    def _blocking(
        self, method: str, prompt_id: str, compiled: CompiledPrompt, variables: Any, options: dict[str, Any]
    ) -> Any:
        observers = self._observers
        if observers.renders_wait or self._engine is not None:
            return run_asking(
                lambda mode: self.observe(mode, method, prompt_id, compiled, variables, **options),
                method,
                (self._engine, "render"),
                *observers.asked(*RENDER_EVENTS),
            )
        version, render, listeners = compiled.version, getattr(compiled, method), observers.by_event
        if listeners["on_render_start"]:
            observers.tell_now("on_render_start", prompt_id, version, variables)
        start = perf_counter()
        try:
            rendered = render(variables, **options)
        except Exception as error:
            observers.tell_now("on_render_error", prompt_id, version, error)
            raise
        elapsed = (perf_counter() - start) * 1000
        if listeners["on_render_complete"]:
            execution = _execution(prompt_id, version, variables, rendered, elapsed)
            observers.tell_now("on_render_complete", prompt_id, version, execution)
        return rendered

    async def observe(
        self, mode: CallMode, method: str, prompt_id: str, compiled: CompiledPrompt, variables: Any, **options: Any
    ) -> Any:
        """The result of this method of the prompt."""

        async def render() -> Any:
            if self._engine is not None:
                return await render_prompt(self._engine, mode, method, compiled, variables, **options)
            return getattr(compiled, method)(variables, **options)

        return await self.around(mode, render, prompt_id, compiled.version, variables)

    async def around(
        self,
        mode: CallMode,
        render: Callable[[], Awaitable[Any]],
        prompt_id: str,
        version: str,
        variables: Any,
    ) -> Any:
        """The result of this render of a prompt. An exception reaches the observers, and then the caller."""
        observers = self._observers
        await observers.tell(mode, "on_render_start", prompt_id, version, variables)
        start = perf_counter()
        try:
            rendered = await render()
        except Exception as error:
            await observers.tell(mode, "on_render_error", prompt_id, version, error)
            raise
        elapsed = (perf_counter() - start) * 1000
        if observers.by_event["on_render_complete"]:
            execution = _execution(prompt_id, version, variables, rendered, elapsed)
            await observers.tell(mode, "on_render_complete", prompt_id, version, execution)
        return rendered


def _execution(prompt_id: str, version: str, variables: Any, rendered: Any, elapsed: float) -> object:
    content = rendered if type(rendered) is str else _as_text(rendered)
    return _record_maker()(prompt_id, version, dict(variables), content, elapsed)


@cache
def _record_maker() -> Callable[..., object]:
    """The constructor of records. An import in each render would take 0.5 µs, and one above would load pydantic."""
    from prompt_manager.core.models import PromptExecution

    return PromptExecution._of_render


def _as_text(rendered: Any) -> str:
    """The rendered text, or JSON for anything else. A plugin may return an object of any kind."""
    if isinstance(rendered, str):
        return rendered
    from json import dumps

    try:
        return dumps(rendered, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(rendered)
