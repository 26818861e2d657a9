"""Running our coroutines for code that does not await."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable
    from concurrent.futures import Future
    from types import ModuleType
    from typing import Any, TypeVar

    P = TypeVar("P")
    T = TypeVar("T")

__all__ = ["Turns", "never_waits", "run"]


def never_waits(part: type[P]) -> type[P]:
    """Mark a class whose coroutines run to their end without ever waiting, so that they need no event loop.

    A subclass is somebody else's, and not marked.
    """
    _NEVER_WAITING.add(part)
    return part


_NEVER_WAITING: set[type] = set()


def _is_running(asyncio: ModuleType) -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(coroutine: Coroutine[Any, Any, T], name: str, part: object = None) -> T:
    """The result of a coroutine of ours.

    Args:
        coroutine: The coroutine.
        name: What to await instead, for the error.
        part: The part that it awaits, if any. One of the user's own gets an event loop.

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
    # Where nobody has imported it, no loop can be running; and it is costly to import for nothing.
    loaded = sys.modules.get("asyncio")
    if loaded is not None and _is_running(loaded):
        coroutine.close()
        raise RuntimeError(
            f"{name}_sync would have to wait for {type(part).__name__}, and an event loop is running: "
            f"use `await {name}(...)`"
        )
    import asyncio

    return asyncio.run(coroutine)


class Turns:
    """One task at a time for each key, whatever thread and event loop it runs in."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: dict[Hashable, Future[None]] = {}

    def take(self, key: Hashable, part: object) -> _Turn | _NoTurn:
        """A context in which no other task has this key. A part that never waits needs none."""
        return _NoTurn() if type(part) in _NEVER_WAITING else _Turn(self._taken, key)


class _NoTurn:
    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


class _Turn:
    def __init__(self, taken: dict[Hashable, Future[None]], key: Hashable) -> None:
        from concurrent.futures import Future

        self._taken = taken
        self._key = key
        self._done: Future[None] = Future()

    async def __aenter__(self) -> None:
        import asyncio

        while (other := self._taken.setdefault(self._key, self._done)) is not self._done:
            # The other task's future is shared: a wait for it that is cancelled must not cancel it.
            await asyncio.shield(asyncio.wrap_future(other))

    async def __aexit__(self, *_: object) -> None:
        del self._taken[self._key]
        self._done.set_result(None)
