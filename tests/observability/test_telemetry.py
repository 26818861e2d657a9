"""`OpenTelemetryObserver`: a span for each render, and the prompt's identity on the span of the model call after it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest
from openai import AsyncOpenAI, OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInferenceInstrumentor
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from helpers import SECRET, create_chat_prompt, create_text_prompt, run_python
from prompt_manager import PromptManager
from prompt_manager.exceptions import TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import (
    BatchEvent,
    Observer,
    OpenTelemetryObserver,
    PromptSpanProcessor,
    forget_prompt,
    prompt_attributes,
)
from providers.server import MockProviders


@pytest.fixture(autouse=True)
def empty_context():
    """Begin each test without what another one left in OpenTelemetry's context."""
    token = context.attach(context.Context())
    yield
    context.attach(context.Context())
    del token


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider()
    provider.add_span_processor(PromptSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def observed(manager, provider):
    manager.add_observer(OpenTelemetryObserver(tracer_provider=provider))
    return manager


class TestSpans:
    @pytest.mark.parametrize("waits", [True, False])
    async def test_a_render_is_a_span_with_the_prompts_identity(self, observed, exporter, waits):
        observed.set_label_sync("greeting", "production", "1.0.0")
        exporter.clear()
        if waits:
            await observed.render("greeting", {"name": SECRET}, label="production")
        else:
            observed.render_sync("greeting", {"name": SECRET}, label="production")
        (span,) = exporter.get_finished_spans()
        attributes = dict(span.attributes)
        assert len(attributes.pop("prompt.execution_id")) == 36
        assert span.name == "prompt.render"
        assert attributes == {
            "gen_ai.prompt.name": "greeting",
            "gen_ai.prompt.version": "1.0.0",
            "prompt.id": "greeting",
            "prompt.version": "1.0.0",
            "prompt.label": "production",
            "prompt.content_hash": observed.get_prompt_sync("greeting").content_hash,
            "prompt.operation": "render",
            "prompt.variable_count": 1,
            "prompt.content_length": 6 + len(SECRET) + 1,
        }
        assert span.status.status_code is StatusCode.UNSET
        assert SECRET not in span.to_json()

    def test_the_span_is_current_during_the_render_only(self, observed, exporter, provider):
        tracer = provider.get_tracer("test")

        def inner(*_):
            with tracer.start_as_current_span("helper"):
                return observed.render_sync("greeting", {"name": "Ada"})

        observed.template_engine.register_helper("inner", inner)
        observed.registry.register_sync(create_text_prompt(id="outer", template="{{inner}}", status="active"))
        with tracer.start_as_current_span("request") as request:
            assert observed.render_sync("outer") == "Hello Ada!"
            assert trace.get_current_span() is request
        spans = {(span.name, span.attributes.get("prompt.id")): span for span in exporter.get_finished_spans()}
        chain = [("prompt.render", "greeting"), ("helper", None), ("prompt.render", "outer"), ("request", None)]
        for child, parent in pairwise(chain):
            assert spans[child].parent.span_id == spans[parent].context.span_id
        assert not trace.get_current_span().get_span_context().is_valid

    def test_errors_are_recorded_without_values(self, observed, exporter):
        def fail(*_):
            raise ValueError(SECRET)

        observed.template_engine.register_helper("fail", fail)
        observed.registry.register_sync(create_text_prompt(id="failing", template="{{fail}}", status="active"))
        with pytest.raises(TemplateRenderError):
            observed.render_sync("failing")
        with pytest.raises(TemplateRenderError):
            observed.render_sync("greeting", {"Name": SECRET})
        for span in exporter.get_finished_spans():
            assert span.status.status_code is StatusCode.ERROR
            assert span.attributes["error.type"] == "prompt_manager.exceptions.TemplateRenderError"
            (event,) = span.events
            assert (event.name, event.attributes["exception.type"]) == ("exception", span.attributes["error.type"])
            assert SECRET not in span.to_json()
        assert "Missing variable 'name'" in exporter.get_finished_spans()[1].status.description
        assert prompt_attributes() == {}

    def test_changes_are_spans(self, observed, exporter):
        first = observed.create_prompt_sync(create_text_prompt(id="new", status="active"), author="Ada")
        observed.update_prompt_sync(first, template="Hi {{name}}", author="Bo")
        observed.set_label_sync("new", "production", "1.0.1")
        observed._observers.tell_now("on_batch_complete", BatchEvent("new", "1.0.1", rows=5, errors=1, duration_ms=1.0))
        spans = exporter.get_finished_spans()
        assert [span.name for span in spans] == [
            *["prompt.version.create"] * 2,
            "prompt.label.move",
            "prompt.batch",
        ]
        assert spans[1].attributes["prompt.parent_version"] == "1.0.0"
        assert spans[2].attributes["prompt.label"] == "production"
        assert spans[3].attributes["prompt.batch.rows"] == 5

    async def test_concurrent_renders_do_not_mix_their_spans(self, observed, exporter, provider):
        tracer = provider.get_tracer("test")

        class Slow(Observer):
            async def on_render_start(self, prompt_id, version, variables, *, event):
                await asyncio.sleep(0.001 * (variables["name"] % 3))

        observed.add_observer(Slow())

        async def request(n):
            with tracer.start_as_current_span("request", attributes={"n": n}):
                text = await observed.render("greeting", {"name": n})
                with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "n": n}):
                    assert text == f"Hello {n}!"

        await asyncio.gather(*(request(n) for n in range(50)))
        assert_requests(exporter, 50)

    def test_threads_do_not_mix_their_spans(self, observed, exporter, provider):
        tracer = provider.get_tracer("test")

        def request(n):
            with tracer.start_as_current_span("request", attributes={"n": n}):
                observed.render_sync("greeting", {"name": n})
                with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "n": n}):
                    pass
            assert prompt_attributes() == {}

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(request, range(200)))
        assert_requests(exporter, 200)

    async def test_a_cancelled_render_ends_its_span(self, observed, exporter):
        class Waiting(Observer):
            async def on_render_start(self, prompt_id, version, variables, *, event):
                await asyncio.sleep(60)

        observed.add_observer(Waiting())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(observed.render("greeting", {"name": "Ada"}), timeout=0.05)
        (span,) = exporter.get_finished_spans()
        assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
        assert not trace.get_current_span().get_span_context().is_valid

    def test_durations_are_a_histogram(self, manager, provider):
        reader = InMemoryMetricReader()
        meters = MeterProvider([reader])
        manager.add_observer(OpenTelemetryObserver(tracer_provider=provider, meter_provider=meters))
        manager.render_sync("greeting", {"name": "Ada"})
        with pytest.raises(TemplateRenderError):
            manager.render_sync("greeting", {})
        (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
        (metric,) = scope.metrics
        assert (metric.name, metric.unit) == ("prompt.render.duration", "s")
        good, bad = sorted(metric.data.data_points, key=lambda point: len(point.attributes))
        assert (good.count, bad.count) == (1, 1)
        assert dict(good.attributes) == {"gen_ai.prompt.name": "greeting", "gen_ai.prompt.version": "1.0.0"}
        assert bad.attributes["error.type"] == "prompt_manager.exceptions.TemplateRenderError"
        meters.shutdown()

    def test_a_program_without_a_tracer_renders_as_always(self):
        code = """
import sys
from prompt_manager import Prompt, PromptManager
from prompt_manager.observability import OpenTelemetryObserver, prompt_attributes
manager = PromptManager(observers=[OpenTelemetryObserver()])
manager.create_prompt_sync(Prompt(id="hi", template="Hi {{name}}", status="active"))
print(manager.render_sync("hi", {"name": "Ada"}), prompt_attributes()["gen_ai.prompt.name"])
print("opentelemetry.sdk.trace" in sys.modules)
"""
        assert run_python(code).splitlines() == ["Hi Ada hi", "False"]


def assert_requests(exporter, number):
    """Check that each request has its own trace: a render, and a model call that carries the prompt's identity."""
    spans = exporter.get_finished_spans()
    requests = {span.attributes["n"]: span for span in spans if span.name == "request"}
    renders = [span for span in spans if span.name == "prompt.render"]
    chats = [span for span in spans if span.name == "chat"]
    assert len(requests) == len(renders) == len(chats) == number
    parents = {span.context.span_id for span in requests.values()}
    assert {span.parent.span_id for span in renders} == parents
    assert len({span.context.trace_id for span in renders}) == number
    for chat in chats:
        assert chat.parent.span_id == requests[chat.attributes["n"]].context.span_id
        assert chat.attributes["gen_ai.prompt.name"] == "greeting"


class TestIdentity:
    def test_only_spans_of_model_calls_get_it(self, observed, exporter, provider):
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("request"):
            observed.render_sync("greeting", {"name": "Ada"})
            for name, attributes in {
                "chat": {"gen_ai.operation.name": "chat"},
                "inference": {"openinference.span.kind": "LLM"},
                "query": {"db.system": "sqlite"},
                "plain": {},
            }.items():
                tracer.start_span(name, attributes=attributes).end()
        tracer.start_span("later", attributes={"gen_ai.operation.name": "chat"}).end()
        marked = {span.name for span in exporter.get_finished_spans() if "prompt.id" in span.attributes}
        assert marked == {"prompt.render", "chat", "inference"}

    def test_the_last_render_counts(self, observed):
        observed.render_sync("greeting", {"name": "Ada"})
        observed.render_messages_sync("explain", {"topic": "x"})
        assert prompt_attributes()["prompt.id"] == "explain"
        forget_prompt()
        assert prompt_attributes() == {}

    def test_it_stays_where_other_observers_are_awaited(self, observed):
        class Waiting(Observer):
            async def on_render_complete(self, prompt_id, version, execution, *, event):
                await asyncio.sleep(0)

        observed.add_observer(Waiting())
        observed.render_sync("greeting", {"name": "Ada"})
        assert prompt_attributes()["prompt.id"] == "greeting"


class Collector:
    """An endpoint for OTLP over HTTP on the loopback interface, which keeps the spans that it gets."""

    def __init__(self):
        self.spans = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of_scope(self, name):
        """The attributes of the spans of this name."""
        return [
            {each.key: each.value.string_value for each in span.attributes}
            for span in self.spans
            if span.name.startswith(name)
        ]


@contextmanager
def instrumented(kind, provider):
    instrumentor = kind()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


@pytest.fixture
def servers():
    collector, providers = Collector(), MockProviders()
    yield collector, providers
    providers.close()
    collector.close()


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "name", "version"),
    [
        (OpenAIInstrumentor, "openai.chat", None),
        (OpenInferenceInstrumentor, "ChatCompletion", "llm.prompt_template.version"),
    ],
    ids=["opentelemetry", "openinference"],
)
@pytest.mark.parametrize("waits", [True, False])
async def test_the_span_of_the_sdk_call_carries_the_prompt(servers, kind, name, version, waits):
    collector, providers = servers
    provider = TracerProvider()
    provider.add_span_processor(PromptSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=collector.url)))
    manager = PromptManager(observers=[OpenTelemetryObserver(tracer_provider=provider)])
    manager.create_prompt_sync(create_chat_prompt(status="active"))
    manager.set_label_sync("explain", "production", "1.0.0")
    integration, options = (
        OpenAIIntegration(manager.template_engine),
        {"base_url": f"{providers.url}/v1", "api_key": "k"},
    )
    prompt, values = manager.get_prompt_sync("explain", label="production"), {"topic": "foxes"}
    with instrumented(kind, provider), provider.get_tracer("app").start_as_current_span("request"):
        if waits:
            request = await integration.build_request(prompt, values, model="gpt-5")
            async with AsyncOpenAI(**options) as client:
                await client.chat.completions.create(**request)
        else:
            request = integration.build_request_sync(prompt, values, model="gpt-5")
            with OpenAI(**options) as client:
                client.chat.completions.create(**request)
    provider.force_flush()
    provider.shutdown()
    assert providers.errors == []
    (render,), (call,) = collector.of_scope("prompt.render"), collector.of_scope(name)
    assert (render["prompt.target"], render["prompt.operation"]) == ("openai", "build_request")
    identity = ("gen_ai.prompt.name", "gen_ai.prompt.version", "prompt.id", "prompt.version", "prompt.content_hash")
    assert {key: call[key] for key in identity} == {key: render[key] for key in identity}
    assert call["gen_ai.prompt.name"] == "explain"
    if version:
        assert call[version] == "1.0.0"
    request, render, call = (
        next(span for span in collector.spans if span.name.startswith(each))
        for each in ("request", "prompt.render", name)
    )
    # The first instrumentation does not quite go away, so that the call may have its span as parent.
    assert render.parent_span_id == request.span_id != call.span_id
    assert call.trace_id == request.trace_id
