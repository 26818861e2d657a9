"""Records of renders, and who is told of them."""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from prompt_manager.core._observers import Observers
    from prompt_manager.core.events import RenderEvent

__all__ = ["execution_of", "tell_of_failure", "tell_of_render"]


def tell_of_render(observers: Observers, event: RenderEvent, variables: Any, rendered: Any, duration_ms: float) -> None:
    """Tell every observer that hears of a render that succeeded, for callers that do not await."""
    if observers.by_event["on_render_complete"]:
        execution = execution_of(event, variables, rendered, duration_ms)
        observers.tell_now("on_render_complete", event.prompt_id, event.version, execution, details=event)


def tell_of_failure(observers: Observers, event: RenderEvent, error: BaseException) -> None:
    """Tell every observer that hears of a render that failed, for callers that do not await."""
    tell = observers.tell_now if isinstance(error, Exception) else observers.tell_of_end
    tell("on_render_error", event.prompt_id, event.version, error, details=event)


def execution_of(event: RenderEvent, variables: Any, rendered: Any, duration_ms: float) -> object:
    """The record of a render that succeeded."""
    content = rendered if type(rendered) is str else _as_text(rendered)
    return _record_maker()(event, dict(variables), content, duration_ms)


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
