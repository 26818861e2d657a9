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
    """Calls observers in the order in which they were added. Each gets the events for which it has a method.

    Methods are looked up when an observer is added, so that an event without observers costs nothing. To call a method
    that was added to an observer or its class later, remove the observer and add it again. A method that was replaced
    is called in its new version.

    An exception of an observer is logged once for each observer and event, and is not passed on.
    """

    __slots__ = ("_all", "_reported", "by_event", "hear_renders", "renders_wait")

    def __init__(self, observers: Iterable[object] = ()) -> None:
        self._reported: set[tuple[int, str]] = set()
        self._set(())
        for observer in observers:
            self.add(observer)

    def _set(self, observers: tuple[object, ...]) -> None:
        self._all = observers
        #: The observers that have a method for each event.
        self.by_event = {event: tuple(each for each in observers if _has(each, event)) for event in _EVENTS}
        #: Whether any observer has a method for an event of a render.
        self.hear_renders = any(self.by_event[event] for event in RENDER_EVENTS)
        #: Whether one of these methods is a coroutine function.
        self.renders_wait = bool(self.asked(*RENDER_EVENTS))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, observer: object) -> None:
        """Add an observer, unless it was added before."""
        if not any(observer is known for known in self._all):
            self._set((*self._all, observer))

    def remove(self, observer: object) -> None:
        """Stop calling this observer."""
        self._set(tuple(known for known in self._all if known is not observer))

    def asked(self, *events: str) -> list[tuple[object, str]]:
        """The observers that must be awaited for these events, each with the event."""
        if not self._all:
            return []
        from inspect import iscoroutinefunction

        return [
            (observer, event)
            for event in events
            for observer in self.by_event[event]
            if iscoroutinefunction(getattr(observer, event, None))
        ]

    async def tell(self, mode: CallMode, event: str, *arguments: Any) -> None:
        """Call every observer that has a method for this event."""
        for observer in self.by_event[event]:
            try:
                answer = getattr(observer, event)(*arguments)
                if hasattr(answer, "__await__"):
                    if mode.blocks and hasattr(answer, "send"):
                        run(answer, event)
                    else:
                        await answer
            except Exception as error:  # noqa: BLE001 - code of the application; see the class
                self._report(observer, event, error)

    def tell_now(self, event: str, *arguments: Any) -> None:
        """Do the same as :meth:`tell` without await. No observer may have a coroutine function for this event."""
        for observer in self.by_event[event]:
            try:
                answer = getattr(observer, event)(*arguments)
                # Most methods return nothing.
                if answer is not None and hasattr(answer, "__await__"):
                    run(_wait_for(answer), event)
            except Exception as error:  # noqa: BLE001 - code of the application; see the class
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
