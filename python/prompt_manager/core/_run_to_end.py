"""Runs work to its end, even if the task that awaits it is cancelled."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")

__all__ = ["run_to_end"]

#: The maximum time in seconds that a closing event loop waits for work that nobody awaits any more.
_LAST_WAIT = 2.0

#: Strong references to the tasks, because an event loop keeps only weak ones.
_watching: set[Task[None]] = set()


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run work in a task of its own, and return its result. The work continues if this await is cancelled.

    When its main task has ended, ``asyncio.run`` cancels all tasks that it knows. It does not know the task of the
    work, but it knows a task that waits for the work. So it waits too.
    """
    import asyncio

    task = asyncio.ensure_future(work)
    asyncio._unregister_task(task)
    watching = asyncio.ensure_future(_wait_for_end(task))
    _watching.add(watching)
    watching.add_done_callback(_watching.discard)
    return await asyncio.shield(task)


async def _wait_for_end(task: Task[Any]) -> None:
    """Wait for a task. If the loop closes meanwhile, wait only for a limited time."""
    import asyncio

    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=_LAST_WAIT)
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
