"""Runs the package's coroutines for callers that do not await."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    P = TypeVar("P")
    T = TypeVar("T")

__all__ = ["AWAITING", "BLOCKING", "CallMode", "never_waits", "run", "run_asking", "running_loop"]


def never_waits(part: type[P]) -> type[P]:
    """Mark a class whose coroutines never wait, so that they run without an event loop.

    The mark does not apply to subclasses, because they may override the coroutines.
    """
    _NEVER_WAITING.add(part)
    return part


_NEVER_WAITING: set[type] = set()


def running_loop() -> AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if there is one."""
    # Before asyncio is imported, no loop can be running. An import only to check this would be slow.
    if "asyncio" not in sys.modules:
        return None
    # If another thread is importing it at this moment, this import waits until it is complete.
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def run(coroutine: Coroutine[Any, Any, T], name: str, part: object = None, *, sync_name: str | None = None) -> T:
    """Run a coroutine of the package, and return its result.

    Args:
        coroutine: The coroutine.
        name: The name to await instead, for the error message.
        part: The object that the coroutine awaits, if any. If its class is not marked by :func:`never_waits`, the
            coroutine runs in a new event loop.
        sync_name: The method that was called, for the error message. By default ``{name}_sync``.

    Raises:
        RuntimeError: ``part`` needs an event loop, and one is already running in this thread.
    """
    if part is None or type(part) in _NEVER_WAITING:
        try:
            coroutine.send(None)
        except StopIteration as ended:
            result: T = ended.value
            return result
        raise AssertionError(f"{name} waited for {part!r}")
    if running_loop() is not None:
        coroutine.close()
        raise RuntimeError(
            f"{sync_name or f'{name}_sync'} would have to wait for {type(part).__name__}, and an event loop is "
            f"running: use `await {name}(...)`"
        )
    import asyncio

    return asyncio.run(coroutine)


class CallMode:
    """How a coroutine calls other objects: by awaiting their coroutines, or by their synchronous methods, which block.

    A coroutine that takes its mode as a parameter works for both kinds of callers.
    """

    __slots__ = ("blocks",)

    def __init__(self, *, blocks: bool) -> None:
        self.blocks = blocks

    async def __call__(self, part: object, name: str, *arguments: Any, **options: Any) -> Any:
        """Call a coroutine method, or in blocking mode its synchronous version, and return the result."""
        if self.blocks and _has_sync_version(part, name):
            return getattr(part, f"{name}_sync")(*arguments, **options)
        return await getattr(part, name)(*arguments, **options)


AWAITING, BLOCKING = CallMode(blocks=False), CallMode(blocks=True)


def _has_sync_version(part: object, name: str) -> bool:
    """Whether a synchronous version exists and matches the coroutine. A subclass may override only the coroutine.

    So may an attribute of the instance, or a test that patches the class.
    """
    own = getattr(part, "__dict__", {})
    if name in own:
        return f"{name}_sync" in own
    for part_of in type(part).__mro__:
        if f"{name}_sync" in vars(part_of):
            return True
        if name in vars(part_of):
            # Classes of this package may inherit the synchronous version, and it still matches.
            module = str(getattr(vars(part_of)[name], "__module__", ""))
            return module.startswith("prompt_manager.") and hasattr(part, f"{name}_sync")
    return False


def run_asking(
    work: Callable[[CallMode], Coroutine[Any, Any, T]],
    name: str,
    *asked: tuple[object, str],
    sync_name: str | None = None,
    observers_wait: bool = False,
) -> T:
    """Run a coroutine that calls other objects, and return its result.

    Args:
        work: Makes the coroutine for a mode.
        name: The name to await instead, for the error message.
        asked: The objects that the coroutine calls, each with the name of the method. If one of them has no synchronous
            version, the coroutine runs in a new event loop.
        sync_name: The method that was called, for the error message. By default ``{name}_sync``.
        observers_wait: Whether it notifies observers that are coroutine functions. Then it runs in a new event loop,
            unless one is already running in this thread, where such observers are skipped.

    Raises:
        RuntimeError: one of the objects needs an event loop, and one is already running in this thread.
    """
    for part, method in asked:
        if part is not None and type(part) not in _NEVER_WAITING and not _has_sync_version(part, method):
            return run(work(AWAITING), name, part, sync_name=sync_name)
    if observers_wait and running_loop() is None:
        return _run_in_context(work(AWAITING))
    return run(work(BLOCKING), name)


def _run_in_context(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop, and keep the context variables that it sets, as a plain call does.

    A task runs in a copy of the context, so that a trace, for example, would lose what an observer left for it.
    """
    import asyncio
    from contextvars import copy_context

    after = copy_context()

    async def noting() -> T:
        nonlocal after
        try:
            return await coroutine
        finally:
            after = copy_context()

    before = copy_context()
    try:
        return asyncio.run(noting())
    finally:
        for variable, value in after.items():
            if variable not in before or before[variable] is not value:
                variable.set(value)
