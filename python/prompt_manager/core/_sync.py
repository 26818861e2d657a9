"""Running our coroutines for callers that do not await."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    P = TypeVar("P")
    T = TypeVar("T")

__all__ = ["AWAITING", "BLOCKING", "CallMode", "never_waits", "run", "run_asking"]


def never_waits(part: type[P]) -> type[P]:
    """Mark a class whose coroutines run to their end without ever waiting, so that they need no event loop.

    A subclass is somebody else's, and not marked.
    """
    _NEVER_WAITING.add(part)
    return part


_NEVER_WAITING: set[type] = set()


def _running_loop() -> AbstractEventLoop | None:
    # Where nobody has imported it, no loop can be running; and it is costly to import for nothing.
    if "asyncio" not in sys.modules:
        return None
    # Another thread may be importing it just now, and this waits for that.
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def run(coroutine: Coroutine[Any, Any, T], name: str, part: object = None, *, sync_name: str | None = None) -> T:
    """The result of a coroutine of ours.

    Args:
        coroutine: The coroutine.
        name: What to await instead, for the error.
        part: The part that it awaits, if any. One of the user's own gets an event loop.
        sync_name: The method that was called, for the error; ``{name}_sync`` by default.

    Raises:
        RuntimeError: the part is the user's own, and an event loop is running already.
    """
    if part is None or type(part) in _NEVER_WAITING:
        try:
            coroutine.send(None)
        except StopIteration as ended:
            result: T = ended.value
            return result
        raise AssertionError(f"{name} waited for {part!r}")
    if _running_loop() is not None:
        coroutine.close()
        raise RuntimeError(
            f"{sync_name or f'{name}_sync'} would have to wait for {type(part).__name__}, and an event loop is "
            f"running: use `await {name}(...)`"
        )
    import asyncio

    return asyncio.run(coroutine)


class CallMode:
    """How a coroutine of ours calls a part: by awaiting it, or by the part's synchronous method, which blocks.

    The code that uses the results is written once, for both.
    """

    __slots__ = ("blocks",)

    def __init__(self, *, blocks: bool) -> None:
        self.blocks = blocks

    async def __call__(self, part: object, name: str, *arguments: Any, **options: Any) -> Any:
        """The result of the part's coroutine of this name."""
        if self.blocks and _has_sync_version(part, name):
            return getattr(part, f"{name}_sync")(*arguments, **options)
        return await getattr(part, name)(*arguments, **options)


AWAITING, BLOCKING = CallMode(blocks=False), CallMode(blocks=True)


def _has_sync_version(part: object, name: str) -> bool:
    """Whether the part has a synchronous version that does the same. A subclass may override the coroutine alone."""
    for part_of in type(part).__mro__:
        if f"{name}_sync" in vars(part_of):
            return True
        if name in vars(part_of):
            # A class of this package may define the two in different classes. They do the same.
            return part_of.__module__.startswith("prompt_manager.") and hasattr(part, f"{name}_sync")
    return False


def run_asking(
    work: Callable[[CallMode], Coroutine[Any, Any, T]],
    name: str,
    *asked: tuple[object, str],
    sync_name: str | None = None,
) -> T:
    """The result of a coroutine of ours that asks parts.

    Args:
        work: Makes the coroutine.
        name: What to await instead, for the error.
        asked: The parts, each with the name of a coroutine that it is asked for. A part without
            a synchronous version gets an event loop.
        sync_name: The method that was called, for the error; ``{name}_sync`` by default.

    Raises:
        RuntimeError: a part needs an event loop, and one is running already.
    """
    for part, method in asked:
        if part is not None and type(part) not in _NEVER_WAITING and not _has_sync_version(part, method):
            return run(work(AWAITING), name, part, sync_name=sync_name)
    return run(work(BLOCKING), name)
