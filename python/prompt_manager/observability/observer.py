"""`Observer`: the base class of observers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.core.events import no_op

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from typing import Any, ClassVar

    from prompt_manager.core.events import BatchEvent, ReloadEvent, RenderEvent
    from prompt_manager.core.models import LabelMove, Prompt, PromptExecution, PromptVersion

__all__ = ["Observer"]


class Observer:
    """Receives the events of an application's renders and changes. Override the methods that you need.

    A method may be a plain function or a coroutine function. A plain function runs within the call that it observes,
    so it must be fast. A coroutine is awaited, for at most :attr:`timeout` seconds; then it is cancelled. An exception
    or a timeout is logged once for each method (logger ``prompt_manager``), and never fails the observed call.

    ``render_sync`` and the other synchronous methods run coroutines only where no event loop is running. In a running
    loop they skip them, with one warning: use ``await manager.render(...)`` there.

    Methods are looked up when the observer is added. A method that you do not override costs nothing.

    >>> from prompt_manager import Prompt, PromptManager
    >>> class Printer(Observer):
    ...     def on_render_complete(self, prompt_id, version, execution, *, event):
    ...         print(prompt_id, version, event.operation, len(execution.rendered_content))
    >>> manager = PromptManager(observers=[Printer()])
    >>> _ = manager.create_prompt_sync(Prompt(id="hi", template="Hi {{name}}", status="active"))
    >>> _ = manager.render_sync("hi", {"name": "Ada"})
    hi 1.0.0 render 6
    """

    #: How many seconds a coroutine gets for one event; ``None`` for no limit.
    timeout: ClassVar[float | None] = 2.0

    @no_op
    def on_render_start(
        self, prompt_id: str, version: str, variables: Mapping[str, Any], *, event: RenderEvent
    ) -> Awaitable[None] | None:
        """Called before a render, a conversion or a request. ``variables`` are the caller's: do not keep them."""

    @no_op
    def on_render_complete(
        self, prompt_id: str, version: str, execution: PromptExecution, *, event: RenderEvent
    ) -> Awaitable[None] | None:
        """Called after a successful render, conversion or request."""

    @no_op
    def on_render_error(
        self, prompt_id: str, version: str, error: BaseException, *, event: RenderEvent
    ) -> Awaitable[None] | None:
        """Called after a failed render, conversion or request.

        For a render that was cancelled, ``error`` is the ``CancelledError``, and only plain functions are called.
        """

    @no_op
    def on_cache_hit(self, prompt_id: str, version: str, *, event: RenderEvent) -> Awaitable[None] | None:
        """Called for a render whose result came from the cache. The events of a render are fired too."""

    @no_op
    def on_cache_miss(self, prompt_id: str, version: str, *, event: RenderEvent) -> Awaitable[None] | None:
        """Called for a render whose result was not in the cache."""

    @no_op
    def on_batch_complete(self, batch: BatchEvent) -> Awaitable[None] | None:
        """Called once after a batch, with its counts. Its rows fire no other events."""

    @no_op
    def on_version_created(self, version: PromptVersion) -> Awaitable[None] | None:
        """Called after a manager has created a version, with its record."""

    @no_op
    def on_prompt_registered(self, prompt: Prompt) -> Awaitable[None] | None:
        """Called after a version was added to the registry."""

    @no_op
    def on_prompt_updated(self, prompt: Prompt) -> Awaitable[None] | None:
        """Called after a version was replaced: its status or metadata changed, or a draft as a whole."""

    @no_op
    def on_prompt_deleted(self, prompt: Prompt) -> Awaitable[None] | None:
        """Called after a version was deleted."""

    @no_op
    def on_label_moved(self, prompt_id: str, move: LabelMove) -> Awaitable[None] | None:
        """Called after a label was moved or removed."""

    @no_op
    def on_reload(self, reload: ReloadEvent) -> Awaitable[None] | None:
        """Called after prompts were read again, even if files have errors.

        A watched directory calls it on a thread of its own. There a coroutine runs in an event loop of its own.
        """
