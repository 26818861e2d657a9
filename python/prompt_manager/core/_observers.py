"""Calls observers. An observer that raises never breaks the call that it observes."""

from __future__ import annotations

from prompt_manager.core._sync import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from typing import Any

    from prompt_manager.core._sync import CallMode

__all__ = ["RENDER_EVENTS", "Observers"]

#: The events of a render.
RENDER_EVENTS = ("on_render_start", "on_render_complete", "on_render_error")

_EVENTS = (
    *RENDER_EVENTS,
    "on_version_created",
    "on_prompt_registered",
    "on_prompt_updated",
    "on_prompt_deleted",
    "on_label_moved",
)


class Observers:
    """Observers in the order in which they were added. Each gets the events that it has methods for.

    The methods are looked for when the observer is added, so that an event that nobody observes costs nothing. A method
    that the observer gets later, on itself or on its class, is not called until it is removed and added again; one that
    is replaced is called in its new form.

    An exception of an observer is logged, once for each observer and event, and goes no further.
    """

    __slots__ = ("_all", "_by_event", "_reported", "hear_renders", "renders_wait")

    def __init__(self, observers: Iterable[object] = ()) -> None:
        self._reported: set[tuple[int, str]] = set()
        self._set(())
        for observer in observers:
            self.add(observer)

    def _set(self, observers: tuple[object, ...]) -> None:
        self._all = observers
        self._by_event = {event: tuple(each for each in observers if _has(each, event)) for event in _EVENTS}
        #: Whether an observer has a method for an event of renders.
        self.hear_renders = any(self._by_event[event] for event in RENDER_EVENTS)
        #: Whether one of these methods is a coroutine function.
        self.renders_wait = bool(self.asked(*RENDER_EVENTS))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, observer: object) -> None:
        """Call this observer too, unless it was added before."""
        if not any(observer is known for known in self._all):
            self._set((*self._all, observer))

    def remove(self, observer: object) -> None:
        """Stop calling this observer."""
        self._set(tuple(known for known in self._all if known is not observer))

    def hear(self, event: str) -> bool:
        """Whether an observer has a method for this event."""
        return bool(self._by_event[event])

    def asked(self, *events: str) -> list[tuple[object, str]]:
        """The observers that must be awaited for these events, each with the event."""
        if not self._all:
            return []
        from inspect import iscoroutinefunction

        return [
            (observer, event)
            for event in events
            for observer in self._by_event[event]
            if iscoroutinefunction(getattr(observer, event, None))
        ]

    async def tell(self, ask: CallMode, event: str, *arguments: Any) -> None:
        """Call every observer that has a method for this event."""
        for observer in self._by_event[event]:
            try:
                answer = getattr(observer, event)(*arguments)
                if hasattr(answer, "__await__"):
                    if ask.blocks and hasattr(answer, "send"):
                        run(answer, event)
                    else:
                        await answer
            except Exception as error:  # noqa: BLE001 - a stranger's code; see the class
                self._report(observer, event, error)

    def tell_now(self, event: str, *arguments: Any) -> None:
        """As :meth:`tell`, for callers that do not await, where no observer has a coroutine function for this event."""
        for observer in self._by_event[event]:
            try:
                answer = getattr(observer, event)(*arguments)
                if answer is not None and hasattr(answer, "__await__"):
                    run(_wait_for(answer), event)
            except Exception as error:  # noqa: BLE001 - a stranger's code; see the class
                self._report(observer, event, error)

    def _report(self, observer: object, event: str, error: BaseException) -> None:
        """Log where an observer failed, without its exception's message, which may hold a variable's value."""
        if (id(observer), event) in self._reported:
            return
        self._reported.add((id(observer), event))
        from logging import getLogger

        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        getLogger("prompt_manager").error(
            "observer %s raised %s in %s%s; it still gets further events, and this error is not reported again",
            type(observer).__name__,
            type(error).__name__,
            event,
            place,
        )


def _has(observer: object, event: str) -> bool:
    return getattr(observer, event, None) is not None


async def _wait_for(answer: Awaitable[Any]) -> None:
    await answer
