"""Conversions of prompts whose manager has observers. Imported when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._observed import around, around_now
from prompt_manager.core._sync import run_asking
from prompt_manager.core.events import RenderEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from prompt_manager._native import CompiledPrompt, Converter
    from prompt_manager.core._links import ObserverLinks
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode

__all__ = ["convert_now", "observe", "observe_now"]


def convert_now(links: ObserverLinks, converter: Converter, core: CompiledPrompt, variables: Mapping[str, Any]) -> Any:
    """Convert a prompt and notify its observers. The core calls this for a prompt that has some."""
    observed = core.observed()
    event = RenderEvent(core, "convert", target=converter.target)
    return observe_now(links, event, variables, lambda: converter.convert(observed, variables))


def observe_now(
    links: ObserverLinks, event: RenderEvent, variables: Mapping[str, Any], convert: Callable[[], Any]
) -> Any:
    """Return the result of a conversion, and notify the observers of each manager of the prompt."""
    for observers in links.of_renders:
        convert = _around_now(observers, event, variables, convert)
    return convert()


def _around_now(
    observers: Observers, event: RenderEvent, variables: Mapping[str, Any], convert: Callable[[], Any]
) -> Callable[[], Any]:
    if not observers.renders_wait:
        return lambda: around_now(observers, event, variables, convert)

    async def work(mode: CallMode) -> Any:
        async def converted() -> Any:
            return convert()

        return await around(observers, mode, event, variables, converted)

    return lambda: run_asking(work, event.operation, observers_wait=True)


async def observe(
    links: ObserverLinks,
    mode: CallMode,
    event: RenderEvent,
    variables: Mapping[str, Any],
    convert: Callable[[], Awaitable[Any]],
) -> Any:
    """Do the same as :func:`observe_now` for a conversion that is awaited."""
    for observers in links.of_renders:
        convert = _around(observers, mode, event, variables, convert)
    return await convert()


def _around(
    observers: Observers,
    mode: CallMode,
    event: RenderEvent,
    variables: Mapping[str, Any],
    convert: Callable[[], Awaitable[Any]],
) -> Callable[[], Awaitable[Any]]:
    return lambda: around(observers, mode, event, variables, convert)
