"""`PrometheusCollector`: the metrics of a collector for ``prometheus_client``. This needs ``prometheus-client``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.observability.metrics import MetricsCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

__all__ = ["PrometheusCollector"]


class PrometheusCollector:
    """A collector for a registry of ``prometheus_client``: ``REGISTRY.register(PrometheusCollector(metrics))``.

    Its metrics are those of :meth:`MetricsCollector.prometheus_text`. It reads them when Prometheus asks for them.

    Args:
        metrics: The collector to export.

    Raises:
        TypeError: ``metrics`` is something else.
        ObservabilityError: ``prometheus-client`` is not installed.
    """

    def __init__(self, metrics: MetricsCollector) -> None:
        from importlib.util import find_spec

        if find_spec("prometheus_client") is None:
            from prompt_manager.exceptions import ObservabilityError

            raise ObservabilityError("PrometheusCollector needs prometheus-client: pip install prometheus-client")
        if not isinstance(metrics, MetricsCollector):
            raise TypeError(f"metrics must be a MetricsCollector, not {type(metrics).__name__}")
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        counters, (name, text, series) = self._metrics._core.families()
        for counter, help_text, samples in counters:
            family = CounterMetricFamily(counter, help_text, labels=("prompt", "version"))
            for labels, value in samples:
                family.add_metric(labels, value)
            yield family
        histogram = HistogramMetricFamily(name, text, labels=("prompt", "version"))
        for labels, buckets, seconds in series:
            histogram.add_metric(labels, buckets, sum_value=seconds)
        yield histogram
