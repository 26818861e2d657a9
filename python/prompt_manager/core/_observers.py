"""Telling observers what happens. An observer that raises never breaks the call that it observes."""

from __future__ import annotations

from prompt_manager.core._sync import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from prompt_manager.core._sync import CallMode

__all__ = ["Observers"]


class Observers:
    """Parts that are told of events, in the order in which they were added; each is told of those it has methods for.

    What an observer raises is logged, once for each observer and event, and goes no further.
    """

    __slots__ = ("_all", "_reported")

    def __init__(self, observers: Iterable[object] = ()) -> None:
        self._all: tuple[object, ...] = ()
        self._reported: set[tuple[int, str]] = set()
        for observer in observers:
            self.add(observer)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, observer: object) -> None:
        """Tell this part too, unless it is told already."""
        if not any(observer is known for known in self._all):
            self._all = (*self._all, observer)

    def remove(self, observer: object) -> None:
        """Tell this part no more."""
        self._all = tuple(known for known in self._all if known is not observer)

    def asked(self, *events: str) -> list[tuple[object, str]]:
        """Those that must be awaited for one of these events."""
        if not self._all:
            return []
        from inspect import iscoroutinefunction

        return [
            (observer, event)
            for observer in self._all
            for event in events
            if iscoroutinefunction(getattr(observer, event, None))
        ]

    async def tell(self, ask: CallMode, event: str, *arguments: Any) -> None:
        """Tell everybody who has a method of this name."""
        for observer in self._all:
            method = getattr(observer, event, None)
            if method is None:
                continue
            try:
                answer = method(*arguments)
                if hasattr(answer, "__await__"):
                    if ask.blocks and hasattr(answer, "send"):
                        run(answer, event)
                    else:
                        await answer
            except Exception as error:  # noqa: BLE001 - a stranger's code; see the class
                self._report(observer, event, error)

    def _report(self, observer: object, event: str, error: BaseException) -> None:
        """Say where an observer failed; not what its exception says, for that may hold a variable's value."""
        if (id(observer), event) in self._reported:
            return
        self._reported.add((id(observer), event))
        from logging import getLogger

        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        getLogger("prompt_manager").error(
            "observer %s raised %s in %s%s; it is told of further events, and not reported again for this one",
            type(observer).__name__,
            type(error).__name__,
            event,
            place,
        )
