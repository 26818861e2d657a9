"""Calls observers. An observer that raises or never ends does not break the call that it observes."""

from __future__ import annotations

from prompt_manager.core._parts import require_object
from prompt_manager.core._sync import running_loop
from prompt_manager.core.events import EVENTS, RENDER_EVENTS, is_no_op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Awaitable, Iterable
    from typing import Any

    from prompt_manager._native import Metrics
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.events import RenderEvent

__all__ = ["Observers", "each_observer"]

#: How many seconds a coroutine of an observer gets, if the observer has no `timeout`.
_TIMEOUT = 2.0


class Listener:
    """One method of an observer."""

    __slots__ = ("event", "observer", "takes_event", "timeout", "waits")

    def __init__(self, observer: object, event: str) -> None:
        from inspect import iscoroutinefunction

        method = getattr(observer, event)
        self.observer = observer
        self.event = event
        #: Whether the method has the parameter `event`. Observers for `agentic-prompt-manager` do not.
        self.takes_event = _has_parameter(method, "event")
        #: Whether it must be awaited.
        self.waits = iscoroutinefunction(method)
        timeout = getattr(observer, "timeout", _TIMEOUT)
        self.timeout = timeout if timeout is None or isinstance(timeout, (int, float)) else _TIMEOUT

    def call(self, arguments: tuple[Any, ...], details: RenderEvent | None) -> Any:
        """Call the method, which may have been replaced since the observer was added."""
        if self.takes_event:
            return getattr(self.observer, self.event)(*arguments, event=details)
        return getattr(self.observer, self.event)(*arguments)


def each_observer(observers: Iterable[object]) -> Iterable[object]:
    """The observers that a caller passed.

    Raises:
        TypeError: it is one observer, or something else that is no list.
    """
    if not hasattr(observers, "__iter__"):
        name = type(observers).__name__
        raise TypeError(f"observers must be a list, not {name}: write `observers=[{name}(...)]`")
    return observers


class Observers:
    """Calls observers in the order in which they were added. Each gets the events for which it has a method.

    Methods are looked up when an observer is added, so that an event without observers costs nothing. To call a method
    that was added to an observer or its class later, remove the observer and add it again. A method that was replaced
    is called in its new version.

    A failure of an observer is logged once for each observer and event, and is not passed on.
    """

    __slots__ = (
        "__weakref__",
        "_all",
        "_reported",
        "by_event",
        "counters",
        "hear_ends_only",
        "hear_renders",
        "renders_wait",
    )

    def __init__(self, observers: Iterable[object] = ()) -> None:
        self._reported: set[tuple[int, str]] = set()
        self._set(())
        for observer in each_observer(observers):
            self.add(observer)

    def _set(self, observers: tuple[object, ...]) -> None:
        self._all = observers
        #: The methods for each event.
        self.by_event = {
            event: tuple(Listener(each, event) for each in observers if _has(each, event)) for event in EVENTS
        }
        #: Whether any observer has a method for an event of a render.
        self.hear_renders = any(self.by_event[event] for event in RENDER_EVENTS)
        #: Whether one of these methods is a coroutine function.
        self.renders_wait = self.wait(*RENDER_EVENTS)
        #: Whether they can all be told of a render when it has ended.
        self.hear_ends_only = self.hear_renders and not self.renders_wait and not self.by_event["on_render_start"]
        heard = [listener.observer for event in RENDER_EVENTS for listener in self.by_event[event]]
        #: What counts renders in the core, if that is all that the observers want of renders. Else it is empty.
        self.counters: list[Metrics] = []
        if all(_counts_in_core(each) for each in heard):
            self.counters = [each._core for each in observers if _counts_in_core(each)]  # type: ignore[attr-defined]

    @property
    def metrics(self) -> Any:
        """The first metrics collector among the observers, or ``None``."""
        for observer in self._all:
            collector = getattr(observer, "collector", observer)
            if hasattr(collector, "get_metrics"):
                return collector
        return None

    def __len__(self) -> int:
        return len(self._all)

    def add(self, observer: object) -> None:
        """Add an observer, unless it was added before.

        Raises:
            TypeError: it is a class, or a value such as a text or None.
        """
        require_object(observer, "an observer")
        kind = type(observer)
        if kind.__module__ == "builtins" and kind is not object:
            raise TypeError(
                f"an observer is an object with methods such as `on_render_complete`, not {kind.__name__}; "
                "prompt_manager.observability.Observer has them all"
            )
        if not any(observer is known for known in self._all):
            self._set((*self._all, observer))

    def remove(self, observer: object) -> None:
        """Stop calling this observer."""
        self._set(tuple(known for known in self._all if known is not observer))
        # Another object may get its id.
        self._reported = {known for known in self._reported if known[0] != id(observer)}

    def wait(self, *events: str) -> bool:
        """Whether a method for one of these events is a coroutine function."""
        return any(listener.waits for event in events for listener in self.by_event[event])

    async def tell(self, mode: CallMode, event: str, *arguments: Any, details: RenderEvent | None = None) -> None:
        """Call every observer that has a method for this event, and wait for coroutines if the mode awaits."""
        if mode.blocks:
            self.tell_now(event, *arguments, details=details)
            return
        for listener in self.by_event[event]:
            try:
                answer = listener.call(arguments, details)
                # Most methods return nothing.
                if answer is not None and hasattr(answer, "__await__"):
                    await self._wait(listener, answer)
            except Exception as error:  # noqa: BLE001 - code of the application; see the class
                self._report_error(listener, error)

    def tell_now(self, event: str, *arguments: Any, details: RenderEvent | None = None) -> None:
        """Do the same as :meth:`tell` for callers that do not await. In a running loop, coroutines are skipped."""
        for listener in self.by_event[event]:
            if listener.waits and running_loop() is not None:
                self._warn_of_skipping(listener)
                continue
            try:
                answer = listener.call(arguments, details)
            except Exception as error:  # noqa: BLE001 - code of the application; see the class
                self._report_error(listener, error)
                continue
            if answer is not None and hasattr(answer, "__await__"):
                self._run(listener, answer)

    def tell_of_end(self, event: str, *arguments: Any, details: RenderEvent | None = None) -> None:
        """Call the plain functions for this event. The caller was cancelled, so that nothing can be awaited."""
        for listener in self.by_event[event]:
            if not listener.waits:
                try:
                    _close(listener.call(arguments, details))
                except Exception as error:  # noqa: BLE001 - code of the application; see the class
                    self._report_error(listener, error)

    def _run(self, listener: Listener, answer: Awaitable[Any]) -> None:
        """Wait for the awaitable that a method returned, in an event loop of its own."""
        if running_loop() is not None:
            _close(answer)
            self._warn_of_skipping(listener)
            return
        import asyncio

        try:
            asyncio.run(self._wait(listener, answer))
        except Exception as error:  # noqa: BLE001 - code of the application; see the class
            self._report_error(listener, error)

    async def _wait(self, listener: Listener, answer: Awaitable[Any]) -> None:
        """Wait for the awaitable that a method returned, until its timeout.

        It runs in a task of its own: an observer that refuses to be cancelled must not stop its caller.
        """
        import asyncio

        task = asyncio.ensure_future(answer)
        try:
            await asyncio.wait((task,), timeout=listener.timeout)
        except BaseException:
            task.cancel()
            raise
        if not task.done():
            _abandon(task)
            self._report(listener, f"took longer than {listener.timeout} s in {listener.event} and was cancelled")
        elif task.cancelled():
            self._report(listener, f"was cancelled in {listener.event}")
        elif error := task.exception():
            self._report_error(listener, error)

    def _report_error(self, listener: Listener, error: BaseException) -> None:
        """Log where an observer failed, without its exception's message, which may hold a variable's value."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        self._report(listener, f"raised {type(error).__name__} in {listener.event}{place}")

    def _report(self, listener: Listener, failure: str) -> None:
        if self._is_first(listener.observer, listener.event):
            from logging import getLogger

            getLogger("prompt_manager").error(
                "observer %s %s; it still gets further events, and this error is not reported again",
                type(listener.observer).__name__,
                failure,
            )

    def _warn_of_skipping(self, listener: Listener) -> None:
        if self._is_first(listener.observer, "skipped"):
            from warnings import warn

            from prompt_manager.core._caller import stack_level
            from prompt_manager.exceptions import PromptWarning

            message = (
                f"{type(listener.observer).__name__}.{listener.event} is a coroutine, and an event loop is running, so "
                "a synchronous call skips it: use `await manager.render(...)` here, and await the other methods too"
            )
            warn(PromptWarning(message), stacklevel=stack_level())

    def _is_first(self, observer: object, what: str) -> bool:
        """Whether this is reported for the first time."""
        key = (id(observer), what)
        is_first = key not in self._reported
        self._reported.add(key)
        return is_first


def _has(observer: object, event: str) -> bool:
    method = getattr(observer, event, None)
    return method is not None and not is_no_op(method)


def _counts_in_core(observer: object) -> bool:
    """Whether it is a collector of the package. A subclass may override what it does at an event."""
    kind = type(observer)
    return kind.__name__ == "MetricsCollector" and kind.__module__ == "prompt_manager.observability.metrics"


def _has_parameter(method: object, name: str) -> bool:
    from inspect import signature

    try:
        return name in signature(method).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _close(answer: object) -> None:
    """Close a coroutine that is not awaited, so that Python does not warn about it."""
    close = getattr(answer, "close", None)
    if close is not None and hasattr(answer, "__await__"):
        close()


def _abandon(task: Future[Any]) -> None:
    """Cancel a task, and do not wait for its end, not even at the end of the event loop."""
    import asyncio

    task.cancel()
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    if isinstance(task, asyncio.Task):
        asyncio._unregister_task(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
