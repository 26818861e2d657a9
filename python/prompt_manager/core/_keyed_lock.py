"""A lock for each key. Only one task or thread holds a key at a time, in the order of the requests."""

from __future__ import annotations

import os
from _thread import RLock, allocate_lock, get_ident
from collections import deque

from prompt_manager.core._run_to_end import run_to_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable
    from concurrent.futures import Future
    from typing import Any, TypeVar

    from prompt_manager.core._sync import CallMode

    T = TypeVar("T")

__all__ = ["ALL_KEYS", "KeyedLock", "Turn"]

#: The key of a turn that excludes every other turn.
ALL_KEYS = object()

#: The number of forks between this process and the process that imported this module.
_fork_count = 0
_resetting = allocate_lock()


def _count_fork() -> None:
    global _fork_count, _resetting  # noqa: PLW0603 - the child has only this thread
    _fork_count += 1
    _resetting = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class _QueueLock:
    """Protects the queues of a :class:`KeyedLock`.

    A signal handler can interrupt the thread that holds it. If the handler then asks for it, waiting would block
    forever, so the handler gets an error.
    """

    __slots__ = ("_depth", "_lock")

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._depth > 1:
            self.__exit__()
            raise RuntimeError(
                "a signal handler called a manager or storage while the thread that it interrupted was starting or "
                "ending a write there: in the handler, set a flag or start a thread that makes the call"
            )

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._lock.release()


class KeyedLock:
    """Lets one task or thread at a time hold a key, across event loops. Turns are taken in the order of the requests.

    A forked child starts without turns, because the threads that took them do not exist there.
    """

    __slots__ = ("_all_keys", "_fork_count", "_later", "_lock", "_turns")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = _QueueLock()
        #: The turns of each key, in order. The first turn of each key has begun.
        self._turns: dict[Hashable, deque[Turn]] = {}
        #: The turn for all keys, if there is one. It begins when the turns of single keys have ended.
        self._all_keys: Turn | None = None
        #: The turns that were requested after it. They wait until it ends.
        self._later: deque[Turn] = deque()
        self._fork_count = _fork_count

    def take(self, key: Hashable, mode: CallMode) -> Turn:
        """Return a context manager that holds a key; with :data:`ALL_KEYS`, no other task holds any key meanwhile."""
        return Turn(self, key, mode)

    async def run(self, key: Hashable, mode: CallMode, work: Callable[[Turn], Coroutine[Any, Any, T]]) -> T:
        """Run work while holding a key, and return its result. Work that has begun continues if the await is cancelled.

        Args:
            key: The key.
            mode: How to wait.
            work: Makes the coroutine. It gets the turn and can end it early. Otherwise the turn ends with the work.
        """
        turn = Turn(self, key, mode)
        await turn.begin()
        return await (_run(turn, work) if mode.blocks else run_to_end(_run(turn, work)))

    def _enter(self, turn: Turn) -> None:
        """Put the turn into the queue."""
        with self._locked():
            self._place(turn)

    def _leave(self, turn: Turn) -> None:
        """Remove the turn from the queue, whether or not it has begun, and begin the turns that waited for it."""
        begun: list[Turn] = []
        with self._locked():
            turns = self._turns.get(turn.key)
            if turn is self._all_keys:
                self._all_keys, later, self._later = None, self._later, deque()
                for each in later:
                    self._place(each)
                    if each.has_begun:
                        begun.append(each)
            elif turn in self._later:
                self._later.remove(turn)
            elif turns is not None and turn in turns:
                turns.remove(turn)
                if turns:
                    next_turn: Turn | None = turns[0]
                else:
                    del self._turns[turn.key]
                    next_turn = None if self._turns else self._all_keys
                if next_turn is not None and not next_turn.has_begun:
                    next_turn.has_begun = True
                    begun.append(next_turn)
        for each in begun:
            if each.beginning is not None:
                each.beginning.set_result(None)

    def _place(self, turn: Turn) -> None:
        if self._all_keys is not None:
            self._later.append(turn)
        elif turn.key is ALL_KEYS:
            self._all_keys = turn
            turn.has_begun = not self._turns
        else:
            turns = self._turns.setdefault(turn.key, deque())
            turns.append(turn)
            turn.has_begun = turns[0] is turn

    def _when_begun(self, turn: Turn) -> Future[None] | None:
        """Return a future that is done when the turn begins, or ``None`` if it has begun."""
        from concurrent.futures import Future

        with self._locked():
            if not turn.has_begun:
                turn.beginning = Future()
            return turn.beginning

    def _waits_for_its_thread(self, turn: Turn) -> bool:
        """Whether another turn belongs to a task of this thread, which could not continue while this thread waits."""
        with self._locked():
            turns = [*self._turns.get(turn.key, ()), *self._later]
            if self._all_keys is not None:
                turns.append(self._all_keys)
            if turn.key is ALL_KEYS:
                turns.extend(each for of_key in self._turns.values() for each in of_key)
        return any(each.thread == turn.thread for each in turns if each is not turn)

    def _locked(self) -> _QueueLock:
        """Return the lock that protects the queues. A forked child first resets all of them."""
        if self._fork_count != _fork_count:
            with _resetting:
                if self._fork_count != _fork_count:
                    self._reset()
        return self._lock


class Turn:
    """A place in the queue for a key. As a context manager, it holds the key."""

    __slots__ = ("_lock", "_mode", "beginning", "has_begun", "key", "thread")

    def __init__(self, lock: KeyedLock, key: Hashable, mode: CallMode) -> None:
        self.key = key
        self.thread = get_ident()
        self.has_begun = False
        #: Done when the turn begins. It exists only if somebody waits for that.
        self.beginning: Future[None] | None = None
        self._lock = lock
        self._mode = mode

    async def begin(self) -> None:
        """Wait for the turn. A wait that is cancelled removes the turn from the queue.

        Raises:
            RuntimeError: the wait would block the thread, and a task of the same thread holds the key or waits for it.
        """
        self._lock._enter(self)
        try:
            beginning = None if self.has_begun else self._lock._when_begun(self)
            if beginning is not None:
                await self._wait_for(beginning)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Let the next turn begin. Further calls do nothing."""
        self._lock._leave(self)

    async def __aenter__(self) -> None:
        await self.begin()

    async def __aexit__(self, *_: object) -> None:
        self.end()

    async def _wait_for(self, beginning: Future[None]) -> None:
        if not self._mode.blocks:
            import asyncio

            # A cancelled wait must not cancel the future, because the turn before will set it.
            await asyncio.shield(asyncio.wrap_future(beginning))
            return
        if self._lock._waits_for_its_thread(self):
            raise RuntimeError(
                f"another write of {self.key!r} is not finished in this thread, so waiting for it would block forever: "
                "await it first, or await this one too"
            )
        beginning.result()


async def _run(turn: Turn, work: Callable[[Turn], Coroutine[Any, Any, T]]) -> T:
    try:
        return await work(turn)
    finally:
        turn.end()
