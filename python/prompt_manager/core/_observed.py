"""Renders that are observed. Where nobody observes, nothing of this is loaded or called."""

from __future__ import annotations

from time import perf_counter

from prompt_manager.core._sync import run_asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from prompt_manager._native import CompiledPrompt, Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode

__all__ = ["ObservedRenders"]

EVENTS = ("on_render_start", "on_render_complete", "on_render_error")


class ObservedRenders:
    """Renders as the core's registry does, and tells observers of it."""

    __slots__ = ("_core", "_observers")

    def __init__(self, core: Registry, observers: Observers) -> None:
        self._core = core
        self._observers = observers

    def render(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render`, observed."""
        compiled = self._core.get(prompt_id, version=version, label=label)
        return self.blocking("render", prompt_id, compiled, variables, **options)

    def render_messages(
        self, prompt_id: str, variables: Any, *, version: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """:meth:`Registry.render_messages`, observed."""
        compiled = self._core.get(prompt_id, version=version, label=label)
        return self.blocking("render_messages", prompt_id, compiled, variables, **options)

    def blocking(self, method: str, prompt_id: str, compiled: CompiledPrompt, variables: Any, **options: Any) -> Any:
        """:meth:`observe`, for code that does not await."""
        return run_asking(
            lambda ask: self.observe(ask, method, prompt_id, compiled, variables, **options),
            method,
            *self._observers.asked(*EVENTS),
        )

    async def observe(
        self, ask: CallMode, method: str, prompt_id: str, compiled: CompiledPrompt, variables: Any, **options: Any
    ) -> Any:
        """The result of this method of the prompt."""

        async def render() -> Any:
            return getattr(compiled, method)(variables, **options)

        return await self.around(ask, render, prompt_id, compiled, variables)

    async def around(
        self,
        ask: CallMode,
        render: Callable[[], Awaitable[Any]],
        prompt_id: str,
        compiled: CompiledPrompt,
        variables: Any,
    ) -> Any:
        """The result of rendering the prompt in this way; what that raises is told, and passed on."""
        found, tell = compiled.version, self._observers.tell
        await tell(ask, "on_render_start", prompt_id, found, variables)
        start = perf_counter()
        try:
            rendered = await render()
        except Exception as error:
            await tell(ask, "on_render_error", prompt_id, found, error)
            raise
        elapsed = (perf_counter() - start) * 1000
        await tell(
            ask, "on_render_complete", prompt_id, found, _execution(prompt_id, found, variables, rendered, elapsed)
        )
        return rendered


def _execution(prompt_id: str, version: str, variables: Any, rendered: Any, elapsed: float) -> object:
    from prompt_manager.core.models import PromptExecution

    return PromptExecution(
        prompt_id=prompt_id,
        prompt_version=version,
        variables=dict(variables),
        rendered_content=_as_text(rendered),
        success=True,
        duration_ms=elapsed,
    )


def _as_text(rendered: Any) -> str:
    """What was rendered as a text: JSON where it is no text; what a plugin makes may be anything."""
    if isinstance(rendered, str):
        return rendered
    from json import dumps

    try:
        return dumps(rendered, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(rendered)
