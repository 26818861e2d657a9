"""`EventStreamObserver`: forwards events to a stream of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.core._parts import require_methods
from prompt_manager.observability.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from typing import Any

    from prompt_manager.core.events import BatchEvent, ReloadEvent, RenderEvent
    from prompt_manager.core.models import LabelMove, Prompt, PromptExecution, PromptVersion
    from prompt_manager.core.protocols import EventStreamProtocol

    Sent = Awaitable[None] | None

__all__ = ["EventStreamObserver"]


class EventStreamObserver(Observer):
    """Publishes each event to a stream, such as a message queue: its name without ``on_``, and a dict of plain values.

    The dict never has the values of variables or rendered text.

    Args:
        stream: Has the method ``publish(event_type, payload)``, a coroutine function or a plain one; see
            :class:`~prompt_manager.core.protocols.EventStreamProtocol`.

    >>> from prompt_manager import Prompt, PromptManager
    >>> class Printed:
    ...     def publish(self, event_type, payload):
    ...         print(event_type, payload["prompt_id"], payload["version"])
    >>> manager = PromptManager(observers=[EventStreamObserver(Printed())])
    >>> _ = manager.create_prompt_sync(Prompt(id="hi", template="Hi {{name}}", status="active"))
    prompt_registered hi 1.0.0
    version_created hi 1.0.0
    """

    def __init__(self, stream: EventStreamProtocol) -> None:
        require_methods(stream, "the stream", ["publish"], "prompt_manager.core.protocols.EventStreamProtocol")
        self._stream = stream

    def on_render_start(
        self, prompt_id: str, version: str, variables: Mapping[str, Any], *, event: RenderEvent
    ) -> Sent:
        """Publish ``render_start``."""
        return self._stream.publish("render_start", {**_render(event), "variables": list(variables)})

    def on_render_complete(
        self,
        prompt_id: str,
        version: str,
        execution: PromptExecution,
        *,
        event: RenderEvent,
    ) -> Sent:
        """Publish ``render_complete``."""
        return self._stream.publish(
            "render_complete",
            {
                **_render(event),
                "duration_ms": execution.duration_ms,
                "content_length": len(execution.rendered_content),
            },
        )

    def on_render_error(
        self,
        prompt_id: str,
        version: str,
        error: BaseException,
        *,
        event: RenderEvent,
    ) -> Sent:
        """Publish ``render_error``."""
        return self._stream.publish("render_error", {**_render(event), "error_type": type(error).__name__})

    def on_cache_hit(self, prompt_id: str, version: str, *, event: RenderEvent) -> Sent:
        """Publish ``cache_hit``."""
        return self._stream.publish("cache_hit", _render(event))

    def on_cache_miss(self, prompt_id: str, version: str, *, event: RenderEvent) -> Sent:
        """Publish ``cache_miss``."""
        return self._stream.publish("cache_miss", _render(event))

    def on_batch_complete(self, batch: BatchEvent) -> Sent:
        """Publish ``batch_complete``."""
        return self._stream.publish(
            "batch_complete",
            {
                name: getattr(batch, name)
                for name in ("prompt_id", "version", "rows", "errors", "duration_ms", "target")
            },
        )

    def on_version_created(self, version: PromptVersion) -> Sent:
        """Publish ``version_created``."""
        return self._stream.publish(
            "version_created",
            {
                **_prompt(version.prompt),
                "parent_version": version.parent_version,
                "created_by": version.created_by,
                "changelog": version.changelog,
            },
        )

    def on_prompt_registered(self, prompt: Prompt) -> Sent:
        """Publish ``prompt_registered``."""
        return self._stream.publish("prompt_registered", _prompt(prompt))

    def on_prompt_updated(self, prompt: Prompt) -> Sent:
        """Publish ``prompt_updated``."""
        return self._stream.publish("prompt_updated", _prompt(prompt))

    def on_prompt_deleted(self, prompt: Prompt) -> Sent:
        """Publish ``prompt_deleted``."""
        return self._stream.publish("prompt_deleted", _prompt(prompt))

    def on_label_moved(self, prompt_id: str, move: LabelMove) -> Sent:
        """Publish ``label_moved``."""
        return self._stream.publish("label_moved", {"prompt_id": prompt_id, **move.model_dump(mode="json")})

    def on_reload(self, reload: ReloadEvent) -> Sent:
        """Publish ``reload``."""
        return self._stream.publish(
            "reload", {"source": reload.source, "prompts": reload.prompts, "errors": len(reload.errors)}
        )


def _render(event: RenderEvent) -> dict[str, Any]:
    return {
        "prompt_id": event.prompt_id,
        "version": event.version,
        "label": event.label,
        "operation": event.operation,
        "target": event.target,
        "cache_hit": event.cache_hit,
        "execution_id": str(event.execution_id),
    }


def _prompt(prompt: Prompt) -> dict[str, Any]:
    return {
        "prompt_id": prompt.id,
        "version": prompt.version,
        "status": prompt.status.value,
        "content_hash": prompt.content_hash,
    }
