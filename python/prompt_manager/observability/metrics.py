"""`MetricsCollector`: counts and durations of renders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prompt_manager._native import Metrics
from prompt_manager.core._parts import require_methods
from prompt_manager.core._since import check_since
from prompt_manager.observability.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from prompt_manager.core.events import BatchEvent, RenderEvent
    from prompt_manager.core.models import PromptExecution
    from prompt_manager.core.protocols import MetricsCollectorProtocol

__all__ = ["MetricsCollector", "ProtocolMetrics"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MetricsCollector(Observer):
    """Counts the renders of every prompt version, and measures how long they take.

    Give it to ``PromptManager(metrics=...)`` or ``add_observer``; one collector may serve several managers. It counts
    in the core, exactly, from any number of threads. Its memory is bounded: durations are kept in a histogram whose
    quantiles are within 1 %, and counts by time get coarser with age.

    Args:
        max_prompts: How many prompt versions are counted apart. Those beyond are counted together, as ``*:*``.

    >>> from prompt_manager import PromptManager
    >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
    >>> metrics = MetricsCollector()
    >>> manager.add_observer(metrics)
    >>> _ = manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
    >>> metrics.get_metrics_sync()["per_prompt"][0]["prompt"]
    'greeting:1.2.0'
    """

    def __init__(self, *, max_prompts: int = 1000) -> None:
        if max_prompts < 1:
            raise ValueError(f"max_prompts must be 1 or more, not {max_prompts}")
        self._max_prompts = max_prompts
        self._core = Metrics(max_prompts)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy in another process counts the renders of that process.
        return _made, (type(self), self._max_prompts)

    def on_render_complete(
        self,
        prompt_id: str,
        version: str,
        execution: PromptExecution,
        *,
        event: RenderEvent,
    ) -> None:
        """Count a render."""
        self._core.record_render(prompt_id, version, execution.duration_ms or 0.0, success=True)

    def on_render_error(
        self,
        prompt_id: str,
        version: str,
        error: BaseException,
        *,
        event: RenderEvent,
    ) -> None:
        """Count a failed render."""
        self._core.record_render(prompt_id, version, 0.0, success=False)

    def on_cache_hit(self, prompt_id: str, version: str, *, event: RenderEvent) -> None:
        """Count a result that came from the cache."""
        self._core.record_cache(prompt_id, version, hit=True)

    def on_cache_miss(self, prompt_id: str, version: str, *, event: RenderEvent) -> None:
        """Count a result that was not in the cache."""
        self._core.record_cache(prompt_id, version, hit=False)

    def on_batch_complete(self, batch: BatchEvent) -> None:
        """Count the rows of a batch."""
        self._core.record_batch(batch.prompt_id, batch.version, batch.rows, batch.errors, batch.duration_ms)

    async def record_render(self, prompt_id: str, version: str, duration_ms: float, success: bool) -> None:  # noqa: FBT001 - as in the protocol
        """Count a render of your own. The duration of a failed one is not used.

        Raises:
            ValueError: the duration is negative or not a number.
        """
        self._core.record_render(prompt_id, version, duration_ms, success=success)

    def record_render_sync(self, prompt_id: str, version: str, duration_ms: float, success: bool) -> None:  # noqa: FBT001 - as in the protocol
        """Count a render of your own. The duration of a failed one is not used.

        Raises:
            ValueError: the duration is negative or not a number.
        """
        self._core.record_render(prompt_id, version, duration_ms, success=success)

    async def record_cache_hit(self, prompt_id: str, version: str | None = None) -> None:
        """Count a result that came from a cache. Without a version, the prompt has a row of its own for it."""
        self._core.record_cache(prompt_id, version, hit=True)

    def record_cache_hit_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Count a result that came from a cache. Without a version, the prompt has a row of its own for it."""
        self._core.record_cache(prompt_id, version, hit=True)

    async def record_cache_miss(self, prompt_id: str, version: str | None = None) -> None:
        """Count a result that was not in a cache. Without a version, the prompt has a row of its own for it."""
        self._core.record_cache(prompt_id, version, hit=False)

    def record_cache_miss_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Count a result that was not in a cache. Without a version, the prompt has a row of its own for it."""
        self._core.record_cache(prompt_id, version, hit=False)

    async def get_metrics(self, *, since: datetime | None = None) -> dict[str, Any]:
        """Return what was counted, since the start or since a time.

        Args:
            since: Only what was counted since this time. A naive time is read as UTC. Times are kept to the minute for
                an hour, to the hour for two days and to the day for a month. A span that began before ``since`` and
                ended after it counts as a whole.

        Returns:
            ``summary`` has ``total_renders`` (that succeeded), ``total_errors``, ``total_cache_hits``,
            ``total_cache_misses``, ``cache_hit_rate`` (0 to 1), and ``first_render`` and ``last_render`` in ISO 8601
            or ``None``. ``performance`` has ``avg_``, ``min_``, ``max_``, ``p50_``, ``p95_`` and ``p99_duration_ms`` of
            the renders that succeeded. ``per_prompt`` has for each ``prompt`` (``"id:version"``) its ``renders``,
            ``errors``, ``cache_hits``, ``cache_misses`` and ``avg_duration_ms``, sorted.
        """
        return self._core.report(_micros(since))

    def get_metrics_sync(self, *, since: datetime | None = None) -> dict[str, Any]:
        """Return what was counted, since the start or since a time.

        Args:
            since: Only what was counted since this time. A naive time is read as UTC. Times are kept to the minute for
                an hour, to the hour for two days and to the day for a month. A span that began before ``since`` and
                ended after it counts as a whole.

        Returns:
            ``summary`` has ``total_renders`` (that succeeded), ``total_errors``, ``total_cache_hits``,
            ``total_cache_misses``, ``cache_hit_rate`` (0 to 1), and ``first_render`` and ``last_render`` in ISO 8601
            or ``None``. ``performance`` has ``avg_``, ``min_``, ``max_``, ``p50_``, ``p95_`` and ``p99_duration_ms`` of
            the renders that succeeded. ``per_prompt`` has for each ``prompt`` (``"id:version"``) its ``renders``,
            ``errors``, ``cache_hits``, ``cache_misses`` and ``avg_duration_ms``, sorted.
        """
        return self._core.report(_micros(since))

    def prometheus_text(self) -> str:
        """Return all metrics in Prometheus' text format, for an endpoint that Prometheus scrapes.

        Serve it with the content type ``text/plain; version=0.0.4``. Where ``prometheus_client`` already serves other
        metrics, register :class:`~prompt_manager.observability.PrometheusCollector` instead.
        """
        return self._core.prometheus_text()

    def reset(self) -> None:
        """Forget everything that was counted."""
        self._core.reset()


class ProtocolMetrics(Observer):
    """Passes renders to a metrics collector of the application, which follows ``MetricsCollectorProtocol``."""

    def __init__(self, collector: MetricsCollectorProtocol) -> None:
        methods = ("record_render", "record_cache_hit", "record_cache_miss", "get_metrics")
        require_methods(collector, "the metrics collector", methods, "prompt_manager.observability.MetricsCollector")
        self.collector = collector

    def on_render_complete(
        self,
        prompt_id: str,
        version: str,
        execution: PromptExecution,
        *,
        event: RenderEvent,
    ) -> Awaitable[None] | None:
        """Record a render."""
        return self.collector.record_render(prompt_id, version, execution.duration_ms or 0.0, success=True)

    def on_render_error(
        self,
        prompt_id: str,
        version: str,
        error: BaseException,
        *,
        event: RenderEvent,
    ) -> Awaitable[None] | None:
        """Record a failed render."""
        return self.collector.record_render(prompt_id, version, 0.0, success=False)

    def on_cache_hit(self, prompt_id: str, version: str, *, event: RenderEvent) -> Awaitable[None] | None:
        """Record a result that came from the cache."""
        return self.collector.record_cache_hit(prompt_id)

    def on_cache_miss(self, prompt_id: str, version: str, *, event: RenderEvent) -> Awaitable[None] | None:
        """Record a result that was not in the cache."""
        return self.collector.record_cache_miss(prompt_id)


def _made(kind: type[MetricsCollector], max_prompts: int) -> MetricsCollector:
    return kind(max_prompts=max_prompts)


def _micros(since: datetime | None) -> int | None:
    check_since(since)
    if since is None:
        return None
    moment = since.replace(tzinfo=UTC) if since.tzinfo is None else since
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
