"""Running work to its end although the task that awaits it is cancelled."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")

__all__ = ["run_to_end"]

#: How many seconds the end of an event loop waits for work that nobody awaits any more.
_LAST_WAIT = 2.0

#: An event loop keeps weak references to tasks only.
_watching: set[Task[None]] = set()


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that goes on to its end when this await is cancelled.

    ``asyncio.run`` cancels every task that it knows when its main task has ended. It does not know the task of the
    work, but one that waits for that task, and so for the end of the work.
    """
    import asyncio

    task = asyncio.ensure_future(work)
    asyncio._unregister_task(task)
    watching = asyncio.ensure_future(_wait_for_end(task))
    _watching.add(watching)
    watching.add_done_callback(_watching.discard)
    return await asyncio.shield(task)


async def _wait_for_end(task: Task[Any]) -> None:
    """Wait for a task; when the loop ends, for a limited time."""
    import asyncio

    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=_LAST_WAIT)
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
