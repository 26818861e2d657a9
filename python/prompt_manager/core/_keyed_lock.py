"""A lock for each key: one task or thread at a time works under a key, in the order in which they asked."""

from __future__ import annotations

import os
from _thread import allocate_lock, get_ident
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

#: How many forks lie between this process and the one that imported this module.
_fork_count = 0
_resetting = allocate_lock()


def _count_fork() -> None:
    global _fork_count, _resetting  # noqa: PLW0603 - only this thread exists in the child
    _fork_count += 1
    _resetting = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


class KeyedLock:
    """One task or thread at a time for each key, whatever event loop it runs in. Whoever asks first is first.

    A forked child begins with no turn taken: the threads that took them do not exist there.
    """

    __slots__ = ("_all_keys", "_fork_count", "_later", "_lock", "_turns")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = allocate_lock()
        #: The turns of each key in their order; the first of each has begun.
        self._turns: dict[Hashable, deque[Turn]] = {}
        #: The turn for all keys. It begins when the turns of the keys have ended.
        self._all_keys: Turn | None = None
        #: Turns that were asked for after it, which wait for its end.
        self._later: deque[Turn] = deque()
        self._fork_count = _fork_count

    def take(self, key: Hashable, mode: CallMode) -> Turn:
        """A context in which no other task has this key, or with :data:`ALL_KEYS` any key."""
        return Turn(self, key, mode)

    async def run(self, key: Hashable, mode: CallMode, work: Callable[[Turn], Coroutine[Any, Any, T]]) -> T:
        """The result of work under a key. Once it has begun, it goes on to its end although the await is cancelled.

        Args:
            key: The key.
            mode: How to wait.
            work: Makes the coroutine. It gets the turn, which it may end early; its own end ends it too.
        """
        turn = Turn(self, key, mode)
        await turn.begin()
        return await (_run(turn, work) if mode.blocks else run_to_end(_run(turn, work)))

    def _enter(self, turn: Turn) -> None:
        """Give the turn its place."""
        with self._locked():
            self._place(turn)

    def _leave(self, turn: Turn) -> None:
        """Take the turn out, whether it has begun or not, and begin those that waited for it."""
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
        """What is done when the turn begins; nothing if it has begun."""
        from concurrent.futures import Future

        with self._locked():
            if not turn.has_begun:
                turn.beginning = Future()
            return turn.beginning

    def _waits_for_its_thread(self, turn: Turn) -> bool:
        """Whether a turn before this one belongs to a task of the same thread, which cannot go on while it waits."""
        with self._locked():
            turns = [*self._turns.get(turn.key, ()), *self._later]
            if self._all_keys is not None:
                turns.append(self._all_keys)
            if turn.key is ALL_KEYS:
                turns.extend(each for of_key in self._turns.values() for each in of_key)
        return any(each.thread == turn.thread for each in turns if each is not turn)

    def _locked(self) -> Any:
        """The lock of the bookkeeping, which is begun anew in a forked child."""
        if self._fork_count != _fork_count:
            with _resetting:
                if self._fork_count != _fork_count:
                    self._reset()
        return self._lock


class Turn:
    """A place in the line for a key; as a context, the time in which no other task has the key."""

    __slots__ = ("_lock", "_mode", "beginning", "has_begun", "key", "thread")

    def __init__(self, lock: KeyedLock, key: Hashable, mode: CallMode) -> None:
        self.key = key
        self.thread = get_ident()
        self.has_begun = False
        #: Done when the turn begins, where somebody waits for that.
        self.beginning: Future[None] | None = None
        self._lock = lock
        self._mode = mode

    async def begin(self) -> None:
        """Wait for the turn. A wait that is given up leaves the line.

        Raises:
            RuntimeError: the thread would block, and a task of the same thread has its turn before.
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
        """Let the next turn begin. A turn ends once; further calls do nothing."""
        self._lock._leave(self)

    async def __aenter__(self) -> None:
        await self.begin()

    async def __aexit__(self, *_: object) -> None:
        self.end()

    async def _wait_for(self, beginning: Future[None]) -> None:
        if not self._mode.blocks:
            import asyncio

            # A cancelled wait must not cancel the future, which the turn before is about to set.
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
