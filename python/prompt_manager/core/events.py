"""The events that observers get, and the objects that describe them."""

from __future__ import annotations

from prompt_manager._native import RenderEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from prompt_manager.exceptions import PromptManagerError

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["EVENTS", "RENDER_EVENTS", "BatchEvent", "ReloadEvent", "RenderEvent", "is_no_op", "no_op"]

#: The events of a render.
RENDER_EVENTS = ("on_render_start", "on_render_complete", "on_render_error")

#: All events. An observer has a method of the same name for each event that it wants.
EVENTS = (
    *RENDER_EVENTS,
    "on_cache_hit",
    "on_cache_miss",
    "on_batch_complete",
    "on_version_created",
    "on_prompt_registered",
    "on_prompt_updated",
    "on_prompt_deleted",
    "on_label_moved",
    "on_reload",
)


def no_op(method: F) -> F:
    """Mark a method of the base class that does nothing, so that it is never called."""
    method._is_no_op = True  # type: ignore[attr-defined]
    return method


def is_no_op(method: object) -> bool:
    """Whether :func:`no_op` marked the method."""
    # A mock has every attribute, but none of them is `True`.
    return getattr(method, "_is_no_op", None) is True


class ReloadEvent:
    """Prompts were read again: a watched directory changed, or another process changed the storage.

    Attributes:
        source: The directory or storage.
        prompts: How many prompts the source has now.
        errors: What is wrong in the files. Where there is an error, the last good prompts stay in use.
    """

    __slots__ = ("errors", "prompts", "source")

    def __init__(self, source: str, prompts: int, errors: Sequence[PromptManagerError] = ()) -> None:
        self.source = source
        self.prompts = prompts
        self.errors = tuple(errors)

    @property
    def success(self) -> bool:
        """Whether there was no error."""
        return not self.errors

    def __repr__(self) -> str:
        return f"<ReloadEvent {self.source}: {self.prompts} prompts, {len(self.errors)} errors>"


class BatchEvent:
    """A batch of renders of one prompt has ended.

    Attributes:
        prompt_id: The id of the prompt.
        version: Its version.
        rows: How many rows were rendered.
        errors: How many other rows failed.
        duration_ms: The time for all of them, in milliseconds.
        target: The provider that the result is for, or ``None``.
    """

    __slots__ = ("duration_ms", "errors", "prompt_id", "rows", "target", "version")

    def __init__(
        self,
        prompt_id: str,
        version: str,
        *,
        rows: int,
        errors: int = 0,
        duration_ms: float,
        target: str | None = None,
    ) -> None:
        self.prompt_id = prompt_id
        self.version = version
        self.rows = rows
        self.errors = errors
        self.duration_ms = duration_ms
        self.target = target

    def __repr__(self) -> str:
        return f"<BatchEvent {self.prompt_id} {self.version}: {self.rows} rows, {self.errors} errors>"
