"""`MetricsCollector`: counts and durations of renders, for the application and for Prometheus."""

from __future__ import annotations

import asyncio
import math
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from helpers import create_text_prompt, run_python
from prompt_manager import PromptManager
from prompt_manager.core.protocols import EventStreamProtocol, MetricsCollectorProtocol
from prompt_manager.exceptions import PromptNotFoundError, TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import BatchEvent, MetricsCollector, Observer, PrometheusCollector

ODD = 'a:b"c\\d\ne'


@pytest.fixture
def metrics(manager):
    metrics = MetricsCollector()
    manager.add_observer(metrics)
    return metrics


def total(metrics, **options):
    return metrics.get_metrics_sync(**options)["summary"]["total_renders"]


class TestCounts:
    async def test_has_the_shape_of_the_published_package(self, manager, metrics):
        manager.render_sync("greeting", {"name": "Ada"})
        await manager.render("greeting", {"name": "Bo"})
        manager.render_messages_sync("explain", {"topic": "x"})
        with pytest.raises(TemplateRenderError):
            manager.render_sync("greeting", {})
        await metrics.record_cache_hit("greeting", "1.0.0")
        await metrics.record_cache_miss("greeting", "1.0.0")
        await metrics.record_render("own", "v2", 5e5, success=True)
        found = await metrics.get_metrics()
        assert list(found) == ["summary", "performance", "per_prompt"]
        summary = found["summary"]
        first, last = (datetime.fromisoformat(summary.pop(name)) for name in ("first_render", "last_render"))
        assert datetime.now(UTC) - timedelta(minutes=5) < first <= last <= datetime.now(UTC)
        assert summary == {
            "total_renders": 4,
            "total_errors": 1,
            "total_cache_hits": 1,
            "total_cache_misses": 1,
            "cache_hit_rate": 0.5,
        }
        performance = found["performance"]
        assert list(performance) == [f"{name}_duration_ms" for name in ("avg", "min", "max", "p50", "p95", "p99")]
        assert performance["max_duration_ms"] == 5e5
        assert 0 < performance["min_duration_ms"] <= performance["p50_duration_ms"] < 5e5
        for row in found["per_prompt"]:
            assert row.pop("avg_duration_ms") > 0
        none = {"errors": 0, "cache_hits": 0, "cache_misses": 0}
        assert found["per_prompt"] == [
            {"prompt": "explain:1.0.0", "renders": 1, **none},
            {"prompt": "greeting:1.0.0", "renders": 2, "errors": 1, "cache_hits": 1, "cache_misses": 1},
            {"prompt": "own:v2", "renders": 1, **none},
        ]

    def test_an_empty_collector_has_zeros(self):
        found = MetricsCollector().get_metrics_sync()
        assert found["summary"]["first_render"] is None
        assert set(found["performance"].values()) == {0.0}
        assert found["per_prompt"] == []

    def test_renders_are_counted_without_python(self, manager, metrics):
        assert type(manager._renders).__name__ == "CountedRegistry"
        with pytest.raises(PromptNotFoundError):
            manager.render_sync("nothing")
        assert total(metrics) == 0

    @pytest.mark.parametrize("other", [Observer, MetricsCollector])
    def test_several_observers_all_count(self, manager, metrics, other):
        class Ends(other):
            seen = 0

            def on_render_complete(self, prompt_id, version, execution, *, event):
                self.seen += 1

        ends = Ends()
        manager.add_observer(ends)
        manager.render_sync("greeting", {"name": "Ada"})
        manager.remove_observer(ends)
        second = MetricsCollector()
        manager.add_observer(second)
        manager.render_sync("greeting", {"name": "Ada"})
        assert (ends.seen, total(metrics), total(second)) == (1, 2, 1)

    def test_conversions_and_plugins_are_counted(self, manager, metrics):
        prompt = manager.get_prompt_sync("explain")
        OpenAIIntegration(manager.template_engine).convert_sync(prompt, {"topic": "x"})
        manager.render_for_plugin_sync("explain", {"topic": "x"}, "openai")
        manager.render_and_parse_sync("explain", {"topic": "x"}, "{}")
        assert total(metrics) == 3

    def test_a_batch_counts_its_rows(self, metrics):
        metrics.on_batch_complete(BatchEvent("greeting", "1.0.0", rows=90, errors=10, duration_ms=9.0))
        found = metrics.get_metrics_sync()
        assert (found["summary"]["total_renders"], found["summary"]["total_errors"]) == (90, 10)
        assert found["per_prompt"][0]["avg_duration_ms"] == pytest.approx(0.1)
        assert 'prompt_manager_render_duration_seconds_count{prompt="greeting",version="1.0.0"} 0' in (
            metrics.prometheus_text()
        )

    def test_sixteen_threads_are_counted_exactly(self, manager, metrics):
        def work(thread):
            for n in range(500):
                manager.render_sync("greeting", {"name": n})
                if n % 5 == 0:
                    metrics.record_cache_hit_sync("greeting", f"1.0.{thread}")

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
        summary = metrics.get_metrics_sync()["summary"]
        assert (summary["total_renders"], summary["total_cache_hits"]) == (8000, 1600)

    async def test_a_thousand_concurrent_renders_are_counted(self, manager, metrics):
        await asyncio.gather(*(manager.render("greeting", {"name": n}) for n in range(1000)))
        assert total(metrics) == 1000

    def test_quantiles_are_within_one_percent(self, metrics):
        numbers = random.Random(1)  # noqa: S311 - the same numbers each time
        durations = sorted(math.exp(numbers.gauss(0, 3)) for _ in range(10_000))
        for duration in durations:
            metrics.record_render_sync("greeting", "1.0.0", duration, success=True)
        performance = metrics.get_metrics_sync()["performance"]
        for name, rank in (("p50", 4999), ("p95", 9499), ("p99", 9899)):
            assert performance[f"{name}_duration_ms"] == pytest.approx(durations[rank], rel=0.01)
        assert performance["min_duration_ms"] == durations[0]
        assert performance["max_duration_ms"] == durations[-1]
        assert performance["avg_duration_ms"] == pytest.approx(sum(durations) / 10_000)

    @pytest.mark.parametrize(
        ("durations", "median", "p95"),
        [([1.0, 1000.0], 1.0, 1000.0), ([1.0, 2.0, 3.0], 2.0, 3.0), ([0.0] * 30 + [5.0], 0.0, 0.0), ([7.5], 7.5, 7.5)],
    )
    def test_quantiles_of_few_renders_are_those_of_a_list(self, metrics, durations, median, p95):
        for duration in durations:
            metrics.record_render_sync("greeting", "1.0.0", duration, success=True)
        performance = metrics.get_metrics_sync()["performance"]
        assert performance["p50_duration_ms"] == pytest.approx(median, rel=0.01)
        assert performance["p95_duration_ms"] == pytest.approx(p95, rel=0.01)
        assert performance["p99_duration_ms"] == durations[-1]

    def test_reset_starts_again(self, manager, metrics):
        manager.render_sync("greeting", {"name": "Ada"})
        metrics.reset()
        assert total(metrics) == 0
        manager.render_sync("greeting", {"name": "Ada"})
        assert total(metrics) == 1

    @pytest.mark.parametrize("duration", [-1.0, math.nan, math.inf])
    def test_a_duration_that_is_none_is_an_error(self, metrics, duration):
        with pytest.raises(ValueError, match="duration_ms must be 0 or more"):
            metrics.record_render_sync("greeting", "1.0.0", duration, success=True)

    def test_a_pickled_collector_starts_empty(self, manager, metrics):
        manager.render_sync("greeting", {"name": "Ada"})
        assert total(pickle.loads(pickle.dumps(metrics))) == 0

    def test_memory_is_bounded(self):
        code = """
import resource
from prompt_manager.observability import MetricsCollector
metrics = MetricsCollector(max_prompts=100)
def fill(start):
    for n in range(start, start + 100_000):
        metrics.record_render_sync(f"prompt-{n}", "1.0.0", n % 977 / 7, success=True)
fill(0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fill(100_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
found = metrics.get_metrics_sync()
print(len(found["per_prompt"]), found["summary"]["total_renders"], found["per_prompt"][0]["prompt"])
"""
        grown, rows, renders, others = run_python(code).split()
        assert int(grown) < 1024
        assert (rows, renders, others) == ("101", "200000", "*:*")


class TestSince:
    @pytest.mark.parametrize(
        ("since", "renders"),
        [
            (None, 1),
            (timedelta(minutes=-2), 1),
            (timedelta(days=-4000), 1),
            (timedelta(minutes=2), 0),
            (timedelta(days=4000), 0),
        ],
    )
    @pytest.mark.parametrize("zone", [UTC, None, timezone(timedelta(hours=5))])
    def test_counts_what_was_since(self, manager, metrics, since, renders, zone):
        manager.render_sync("greeting", {"name": "Ada"})
        if since is not None:
            since = (datetime.now(UTC) + since).astimezone(zone or UTC)
            since = since.replace(tzinfo=zone) if zone is None else since
        found = metrics.get_metrics_sync(since=since)
        assert found["summary"]["total_renders"] == renders
        assert len(found["per_prompt"]) == renders
        assert (found["summary"]["first_render"] is None) == (renders == 0)


class Own:
    """A metrics collector of an application, with coroutines."""

    def __init__(self):
        self.calls = []

    async def record_render(self, prompt_id, version, duration_ms, success):
        await asyncio.sleep(0)
        self.calls.append((prompt_id, version, success))

    async def record_cache_hit(self, prompt_id):
        self.calls.append(prompt_id)

    async def record_cache_miss(self, prompt_id):
        self.calls.append(prompt_id)

    async def get_metrics(self, *, since=None):
        await asyncio.sleep(0)
        return {"calls": len(self.calls), "since": since}


class TestManager:
    def test_protocols_fit(self):
        class Stream:
            async def publish(self, event_type, payload): ...
            def subscribe(self, event_type): ...

        assert isinstance(MetricsCollector(), MetricsCollectorProtocol)
        assert isinstance(Own(), MetricsCollectorProtocol)
        assert isinstance(Stream(), EventStreamProtocol)

    async def test_metrics_of_a_manager(self):
        manager = PromptManager(metrics=MetricsCollector())
        manager.create_prompt_sync(create_text_prompt(status="active"))
        manager.render_sync("greeting", {"name": "Ada"})
        found = await manager.get_metrics()
        assert found == manager.get_metrics_sync()
        assert found["registry"] == manager.registry.get_stats()
        assert found["operations"]["summary"]["total_renders"] == 1
        later = await manager.get_metrics(since=datetime.now(UTC) + timedelta(hours=1))
        assert later["operations"]["summary"]["total_renders"] == 0

    async def test_without_a_collector_operations_are_empty(self, manager):
        assert (await manager.get_metrics())["operations"] == manager.get_metrics_sync()["operations"] == {}

    @pytest.mark.parametrize("metrics", [None, MetricsCollector(), Own()])
    @pytest.mark.parametrize("since", ["yesterday", 3600, date(2026, 1, 31)])
    async def test_a_time_that_is_no_datetime_is_an_error(self, metrics, since):
        manager = PromptManager(metrics=metrics)
        with pytest.raises(TypeError, match=f"since must be a datetime.*not {type(since).__name__}"):
            await manager.get_metrics(since=since)
        with pytest.raises(TypeError, match="since must be a datetime"):
            manager.get_metrics_sync(since=since)

    async def test_a_collector_of_the_application_is_used(self):
        own = Own()
        manager = PromptManager(metrics=own)
        manager.create_prompt_sync(create_text_prompt(status="active"))
        await manager.render("greeting", {"name": "Ada"})
        with pytest.raises(TemplateRenderError):
            await manager.render("greeting", {})
        assert own.calls == [("greeting", "1.0.0", True), ("greeting", "1.0.0", False)]
        assert (await manager.get_metrics())["operations"] == {"calls": 2, "since": None}
        found = await asyncio.to_thread(manager.get_metrics_sync)
        assert found["operations"] == {"calls": 2, "since": None}


class TestPrometheus:
    @pytest.fixture(params=["text", "prometheus_client"])
    def exposed(self, request):
        def exposed(metrics):
            if request.param == "text":
                text = metrics.prometheus_text()
            else:
                registry = CollectorRegistry()
                registry.register(PrometheusCollector(metrics))
                text = generate_latest(registry).decode()
            return {
                (
                    sample.name,
                    *(sample.labels[name] for name in ("prompt", "version", "le") if name in sample.labels),
                ): (sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }

        return exposed

    def test_names_with_colons_quotes_and_line_breaks_survive(self, exposed):
        metrics = MetricsCollector()
        metrics.record_render_sync(ODD, "1.0.0", 0.02, success=True)
        metrics.record_render_sync(ODD, "1.0.0", 40_000, success=True)
        metrics.record_render_sync(ODD, "1.0.0", 1, success=False)
        metrics.record_cache_hit_sync(ODD)
        found = exposed(metrics)
        assert found["prompt_manager_renders_total", ODD, "1.0.0"] == 2
        assert found["prompt_manager_render_errors_total", ODD, "1.0.0"] == 1
        assert found["prompt_manager_cache_hits_total", ODD, ""] == 1
        assert found["prompt_manager_cache_misses_total", ODD, "1.0.0"] == 0
        name = "prompt_manager_render_duration_seconds"
        buckets = [value for key, value in found.items() if key[:3] == (f"{name}_bucket", ODD, "1.0.0")]
        assert buckets == [0] * 4 + [1] * 12 + [2]
        assert found[f"{name}_bucket", ODD, "1.0.0", "0.000025"] == 1
        assert found[f"{name}_count", ODD, "1.0.0"] == 2
        assert found[f"{name}_sum", ODD, "1.0.0"] == pytest.approx(40.00002)

    def test_without_renders_there_are_no_samples(self, exposed):
        assert exposed(MetricsCollector()) == {}


@pytest.mark.parametrize("since", ["yesterday", 5, True])
def test_a_time_that_is_no_datetime_is_refused(since):
    with pytest.raises(TypeError, match="since must be a datetime"):
        MetricsCollector().get_metrics_sync(since=since)
