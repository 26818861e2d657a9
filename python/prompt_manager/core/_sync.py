"""Running our coroutines for code that does not await, and taking turns."""

from __future__ import annotations

import sys
from _thread import allocate_lock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine, Hashable, Iterator
    from concurrent.futures import Future
    from typing import Any, TypeVar

    P = TypeVar("P")
    T = TypeVar("T")

__all__ = ["AWAITING", "BLOCKING", "EVERYTHING", "Ask", "Turns", "never_waits", "run", "run_asking"]


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


def run(coroutine: Coroutine[Any, Any, T], name: str, part: object = None, *, twin: str | None = None) -> T:
    """The result of a coroutine of ours.

    Args:
        coroutine: The coroutine.
        name: What to await instead, for the error.
        part: The part that it awaits, if any. One of the user's own gets an event loop.
        twin: What was called, for the error; ``{name}_sync`` by default.

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
            f"{twin or f'{name}_sync'} would have to wait for {type(part).__name__}, and an event loop is running: "
            f"use `await {name}(...)`"
        )
    import asyncio

    return asyncio.run(coroutine)


class Ask:
    """How a coroutine of ours asks a part for something: awaiting it, or by the part's own twin, which blocks.

    So what is done with a part's answers is written once, for both.
    """

    __slots__ = ("blocks",)

    def __init__(self, *, blocks: bool) -> None:
        self.blocks = blocks

    async def __call__(self, part: object, name: str, *arguments: Any, **options: Any) -> Any:
        """The result of the part's coroutine of this name."""
        if self.blocks and _has_twin(part, name):
            return getattr(part, f"{name}_sync")(*arguments, **options)
        return await getattr(part, name)(*arguments, **options)


AWAITING, BLOCKING = Ask(blocks=False), Ask(blocks=True)


def _has_twin(part: object, name: str) -> bool:
    """Whether the part has a twin of this coroutine that does the same: a subclass may override the one alone."""
    for part_of in type(part).__mro__:
        if f"{name}_sync" in vars(part_of):
            return True
        if name in vars(part_of):
            # Ours may have the two in different classes, and they do the same.
            return part_of.__module__.startswith("prompt_manager.") and hasattr(part, f"{name}_sync")
    return False


def run_asking(
    work: Callable[[Ask], Coroutine[Any, Any, T]], name: str, *asked: tuple[object, str], twin: str | None = None
) -> T:
    """The result of a coroutine of ours that asks parts.

    Args:
        work: Makes the coroutine.
        name: What to await instead, for the error.
        asked: The parts, each with the name of a coroutine that it is asked for. One that has no twin, and may wait,
            gets an event loop.
        twin: What was called, for the error; ``{name}_sync`` by default.

    Raises:
        RuntimeError: a part needs an event loop, and one is running already.
    """
    for part, method in asked:
        if part is not None and type(part) not in _NEVER_WAITING and not _has_twin(part, method):
            return run(work(AWAITING), name, part, twin=twin)
    return run(work(BLOCKING), name)


#: The key of a turn in which no other has one.
EVERYTHING = object()


class Turns:
    """One task at a time for each key, whatever thread and event loop it runs in."""

    __slots__ = ("_lock", "_taken")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._taken: dict[Hashable, _Turn] = {}

    def take(self, key: Hashable, ask: Ask) -> _Turn:
        """A context in which no other task has this key, or with :data:`EVERYTHING` any key."""
        return _Turn(self, key, ask)

    def _enter(self, turn: _Turn) -> _Turn | None:
        """Give the turn its key, or the turn that is to be waited for first."""
        with self._lock:
            whole = self._taken.get(EVERYTHING)
            if turn.key is EVERYTHING:
                if whole is None:
                    # Taken before the others have ended, so that no more of them begin.
                    self._taken[EVERYTHING] = whole = turn
                return next(self._others(turn), None) if whole is turn else whole
            other = whole or self._taken.get(turn.key)
            if other is None:
                self._taken[turn.key] = turn
            return other

    def _others(self, turn: _Turn) -> Iterator[_Turn]:
        return (other for other in self._taken.values() if other is not turn)

    def _leave(self, turn: _Turn) -> Future[None] | None:
        with self._lock:
            if self._taken.get(turn.key) is turn:
                del self._taken[turn.key]
            turn.over = True
            return turn.done

    def _end_of(self, turn: _Turn) -> Future[None] | None:
        """What ends with the turn; nothing if it has ended. Made for the first who waits."""
        from concurrent.futures import Future

        with self._lock:
            if turn.over:
                return None
            if turn.done is None:
                turn.done = Future()
            return turn.done


class _Turn:
    __slots__ = ("_ask", "_turns", "done", "key", "over", "thread")

    def __init__(self, turns: Turns, key: Hashable, ask: Ask) -> None:
        self.key = key
        self.over = False
        self.done: Future[None] | None = None
        self.thread = get_ident()
        self._turns = turns
        self._ask = ask

    async def __aenter__(self) -> None:
        try:
            while (other := self._turns._enter(self)) is not None:
                await self._wait_for(other)
        except BaseException:
            self._end()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        done = self._turns._leave(self)
        if done is not None:
            done.set_result(None)

    async def _wait_for(self, other: _Turn) -> None:
        done = self._turns._end_of(other)
        if done is None:
            return
        if not self._ask.blocks:
            import asyncio

            # The other task's future is shared: a wait for it that is cancelled must not cancel it.
            await asyncio.shield(asyncio.wrap_future(done))
            return
        if other.thread == self.thread:
            # It cannot go on before this call returns.
            raise RuntimeError(
                f"another write of {self.key!r} has begun in this thread and is not finished: await it first, or "
                "await this one too"
            )
        done.result()
