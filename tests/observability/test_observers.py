"""Observers of an application: the events that they get, and how little they can disturb."""

from __future__ import annotations

import asyncio
import gc
import json
import time
import weakref
from collections import UserDict
from contextlib import suppress

import pytest

from helpers import SECRET, create_chat_prompt, create_text_prompt, run_python
from prompt_manager import PromptManager, PromptRegistry, PromptWarning
from prompt_manager.core.events import EVENTS
from prompt_manager.core.protocols import ObserverProtocol
from prompt_manager.exceptions import ConversionError, PromptNotFoundError, TemplateRenderError, VersionNotFoundError
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.integrations.base import BaseIntegration
from prompt_manager.observability import (
    BatchEvent,
    EventStreamObserver,
    MetricsCollector,
    Observer,
    OpenTelemetryObserver,
    PrometheusCollector,
    ReloadEvent,
    RenderEvent,
)
from prompt_manager.storage import InMemoryStorage


class OwnIntegration(BaseIntegration):
    async def convert(self, prompt, variables):
        return [message["content"] for message in await self.render_messages(prompt, variables)]

    def validate_compatibility(self, prompt):
        return True


async def finished(call, name, *arguments, **options):
    """Call the coroutine of this name, or its synchronous version."""
    return (
        await getattr(call[1], name)(*arguments, **options)
        if call[0]
        else getattr(call[1], f"{name}_sync")(*arguments, **options)
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PromptManager(observers=[Observer]), r"not the class Observer: write `Observer\(\.\.\.\)`"),
        (lambda: PromptManager(observers=Observer()), r"observers must be a list, not Observer"),
        (lambda: PromptManager(observers=["logging"]), r"an observer is an object with methods .*, not str"),
        (lambda: PromptManager().add_observer(None), r"an observer is an object with methods .*, not NoneType"),
        (lambda: PromptRegistry(observers=[{}]), r"an observer is an object with methods .*, not dict"),
        (lambda: PromptRegistry(observers=Observer()), r"observers must be a list, not Observer"),
        (lambda: PromptManager(metrics=MetricsCollector), r"not the class MetricsCollector"),
        (lambda: PromptManager(metrics={}), r"the metrics collector dict has no method `record_render`"),
        (lambda: PromptManager.from_storage_sync(InMemoryStorage), r"not the class InMemoryStorage"),
        (lambda: EventStreamObserver({}), r"the stream dict has no method `publish`"),
        (lambda: PrometheusCollector({}), r"metrics must be a MetricsCollector, not dict"),
        (lambda: OpenTelemetryObserver(tracer_name=None), r"tracer_name must be a str, not NoneType"),
        (lambda: OpenTelemetryObserver(tracer_provider="x"), r"the tracer provider str has no method `get_tracer`"),
        (lambda: OpenTelemetryObserver(meter_provider="x"), r"the meter provider str has no method `get_meter`"),
    ],
)
def test_an_object_that_can_observe_nothing_is_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


class TestBaseClass:
    def test_has_a_method_for_each_event(self):
        assert [name for name in vars(Observer) if name.startswith("on_")] == list(EVENTS)
        assert isinstance(Observer(), ObserverProtocol)

    def test_methods_that_are_not_overridden_cost_a_render_nothing(self, manager):
        class Versions(Observer):
            def on_version_created(self, version):
                pass

        for observer in (Observer(), Versions()):
            manager.add_observer(observer)
        assert manager._renders is manager._core

    def test_an_observer_of_ends_is_not_called_at_starts(self, manager):
        class Ends(Observer):
            def on_render_complete(self, prompt_id, version, execution, *, event):
                pass

        manager.add_observer(Ends())
        assert not manager._observers.by_event["on_render_start"]
        assert manager._observers.by_event["on_render_complete"]


class Ends(Observer):
    """Hears of the ends of renders only."""

    def __init__(self):
        self.heard = []

    def on_render_complete(self, prompt_id, version, execution, *, event):
        self.heard.append((prompt_id, version, execution.rendered_content, event))
        assert execution.execution_id == event.execution_id
        assert execution.duration_ms > 0

    def on_render_error(self, prompt_id, version, error, *, event):
        self.heard.append((prompt_id, version, error, event))


class TestEndsOfRenders:
    @pytest.mark.parametrize("waits", [True, False])
    async def test_each_end_is_told_of_once(self, manager, waits):
        ends = Ends()
        manager.add_observer(ends)
        manager.set_label_sync("greeting", "production", "1.0.0")
        call = (waits, manager)
        variables = {"name": "Ada"}
        assert await finished(call, "render", "greeting", variables, label="production") == "Hello Ada!"
        with pytest.raises(TemplateRenderError) as caught:
            await finished(call, "render", "greeting", {}, version="1.0.0")
        (prompt_id, version, text, first), (*_, error, second) = ends.heard
        assert (prompt_id, version, text) == ("greeting", "1.0.0", "Hello Ada!")
        assert error is caught.value
        assert [first.label, second.label] == ["production", None]
        assert [event.operation for event in (first, second)] == ["render", "render"]
        assert variables == {"name": "Ada"}

    def test_the_end_of_an_interrupted_render_is_told_of(self, manager):
        class Interrupts(UserDict):
            def __getitem__(self, name):
                raise KeyboardInterrupt

        ends = Ends()
        manager.add_observer(ends)
        with pytest.raises(KeyboardInterrupt) as caught:
            manager.render_sync("greeting", Interrupts(name="Ada"))
        assert [heard[2] for heard in ends.heard] == [caught.value]
        assert manager.render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"

    def test_a_prompt_that_does_not_exist_has_no_render(self, manager):
        ends = Ends()
        manager.add_observer(ends)
        with pytest.raises(PromptNotFoundError):
            manager.render_sync("greetin", {"name": "Ada"})
        with pytest.raises(VersionNotFoundError):
            manager.render_sync("greeting", {"name": "Ada"}, version="9.0.0")
        assert ends.heard == []

    def test_a_start_is_heard_from_the_moment_that_its_observer_is_added(self, manager, recording):
        manager.add_observer(Ends())
        manager.remove_observer(recording)
        manager.render_sync("greeting", {"name": "Ada"})
        manager.add_observer(recording)
        recording.events.clear()
        manager.render_sync("greeting", {"name": "Ada"})
        assert [event[0] for event in recording.events] == ["start", "complete"]


class TestRenderEvents:
    @pytest.mark.parametrize("waits", [True, False])
    async def test_a_render_has_one_event_object(self, manager, recording, waits):
        manager.set_label_sync("greeting", "production", "1.0.0")
        text = await finished((waits, manager), "render", "greeting", {"name": "Ada"}, label="production")
        assert text == "Hello Ada!"
        assert recording.events == [
            ("start", "greeting", "render", None),
            ("complete", "greeting", "render", None),
        ]
        first, last = recording.details
        assert first is last
        assert (first.label, first.cache_hit) == ("production", False)
        assert first.content_hash == manager.get_prompt_sync("greeting").content_hash
        assert "greeting 1.0.0" in repr(first)

    @pytest.mark.parametrize("waits", [True, False])
    @pytest.mark.parametrize(
        ("integration", "operation", "target"),
        [
            (OpenAIIntegration, "convert", "openai"),
            (OpenAIIntegration, "build_request", "openai"),
            (AnthropicIntegration, "convert", "anthropic"),
            (AnthropicIntegration, "build_request", "anthropic"),
            (LiteLLMIntegration, "convert", "litellm"),
            (LangChainIntegration, "convert", "langchain"),
            (OpenAIIntegration, "render_messages", "openai"),
        ],
    )
    async def test_conversions_name_their_target(self, recording, waits, integration, operation, target):
        manager = PromptManager(observers=[recording])
        manager.registry.register_sync(create_chat_prompt(status="active", settings={"model": "m", "max_tokens": 9}))
        prompt = manager.get_prompt_sync("explain")
        made = integration(manager.template_engine)
        without = await finished((waits, made), operation, prompt.replace(version="3.0.0"), {"topic": "x"})
        recording.events.clear()
        result = await finished((waits, made), operation, prompt, {"topic": "x"})
        assert type(result) is type(without)
        assert recording.events == [
            ("start", "explain", operation, target),
            ("complete", "explain", operation, target),
        ]

    @pytest.mark.parametrize("waits", [True, False])
    async def test_openais_two_apis_have_two_targets(self, manager, recording, waits):
        made = OpenAIIntegration(manager.template_engine, api="responses")
        await finished((waits, made), "convert", manager.get_prompt_sync("explain"), {"topic": "x"})
        assert {event[3] for event in recording.events} == {"openai-responses"}

    async def test_an_integration_of_the_application_has_its_class_as_target(self, manager, recording):
        await OwnIntegration(manager.template_engine).convert(manager.get_prompt_sync("explain"), {"topic": "x"})
        assert recording.events[0] == ("start", "explain", "render_messages", "OwnIntegration")

    @pytest.mark.parametrize("waits", [True, False])
    async def test_a_plugin_render_is_told_once(self, manager, recording, waits):
        await finished((waits, manager), "render_for_plugin", "explain", {"topic": "x"}, "openai")
        assert recording.events == [
            ("start", "explain", "render_for_plugin", "openai"),
            ("complete", "explain", "render_for_plugin", "openai"),
        ]

    @pytest.mark.parametrize("waits", [True, False])
    async def test_a_failed_conversion_is_an_error_event(self, manager, recording, waits):
        made = OpenAIIntegration(manager.template_engine)
        with pytest.raises(ConversionError, match="topic"):
            await finished((waits, made), "convert", manager.get_prompt_sync("explain"), {})
        assert [event[0] for event in recording.events] == ["start", "ConversionError"]

    @pytest.mark.parametrize("waits", [True, False])
    async def test_conversions_with_an_own_engine_are_told_once(self, recording, waits):
        class Shouting:
            async def render(self, template, variables, *, partials=None):
                return template.upper()

        manager = PromptManager(observers=[recording])
        manager.create_prompt_sync(create_text_prompt(status="active"))
        made = OpenAIIntegration(Shouting(), to_messages=True)
        prompt, values = manager.get_prompt_sync("greeting"), {"name": "Ada"}
        if waits:
            (message,) = await made.convert(prompt, values)
        else:
            (message,) = await asyncio.to_thread(made.convert_sync, prompt, values)
        assert message["content"] == "HELLO {{NAME}}!"
        assert [event[0] for event in recording.events] == ["start", "complete"]

    async def test_async_observers_hear_conversions(self, manager):
        events = []

        class Waiting(Observer):
            async def on_render_complete(self, prompt_id, version, execution, *, event):
                await asyncio.sleep(0)
                events.append(event.target)

        manager.add_observer(Waiting())
        made, prompt = OpenAIIntegration(manager.template_engine), manager.get_prompt_sync("explain")
        await made.convert(prompt, {"topic": "x"})
        await asyncio.to_thread(made.convert_sync, prompt, {"topic": "x"})
        assert events == ["openai", "openai"]
        with pytest.warns(PromptWarning, match="Waiting.on_render_complete is a coroutine"):
            made.convert_sync(prompt, {"topic": "x"})

    def test_a_removed_observer_hears_no_conversions(self, manager, recording):
        made, prompt = OpenAIIntegration(manager.template_engine), manager.get_prompt_sync("explain")
        manager.remove_observer(recording)
        made.convert_sync(prompt, {"topic": "x"})
        assert recording.events == []
        assert prompt._observers is None

    def test_a_changed_prompt_keeps_the_observers_of_its_manager(self, manager, recording):
        changed = manager.get_prompt_sync("explain").replace(version="2.0.0")
        OpenAIIntegration(manager.template_engine).convert_sync(changed, {"topic": "x"})
        assert [event.version for event in recording.details] == ["2.0.0", "2.0.0"]

    def test_two_managers_over_one_registry_both_hear_a_conversion(self, manager, recording):
        other = type(recording)()
        second = PromptManager(manager.registry, observers=[other])
        prompt = manager.get_prompt_sync("explain")
        OpenAIIntegration(manager.template_engine).convert_sync(prompt, {"topic": "x"})
        assert len(recording.events) == len(other.events) == 2
        second.render_sync("greeting", {"name": "Ada"})
        assert (len(recording.events), len(other.events)) == (2, 4)

    def test_an_observer_that_knows_its_manager_is_freed_with_it(self):
        observer = Observer()
        observer.manager = PromptManager(observers=[observer])
        observer.manager.create_prompt_sync(create_text_prompt(status="active"))
        gone = weakref.ref(observer)
        del observer
        gc.collect()
        assert gone() is None

    async def test_a_cancelled_render_ends_with_an_error_event(self, recording):
        began = asyncio.Event()

        class Waiting(Observer):
            timeout = None

            async def on_render_start(self, prompt_id, version, variables, *, event):
                began.set()
                await asyncio.sleep(60)

        manager = PromptManager(observers=[recording, Waiting()])
        manager.create_prompt_sync(create_text_prompt(status="active"))
        render = asyncio.ensure_future(manager.render("greeting", {"name": "Ada"}))
        await began.wait()
        render.cancel()
        with pytest.raises(asyncio.CancelledError):
            await render
        assert [event[0] for event in recording.events] == ["start", "CancelledError"]


class TestFailingObservers:
    def test_an_observer_cannot_change_the_variables_of_a_render(self, manager):
        class Changing(Observer):
            def on_render_start(self, prompt_id, version, variables, *, event):
                variables["name"] = "changed"

        manager.add_observer(Changing())
        values = {"name": "Ada"}
        with suppress(TemplateRenderError):
            assert "changed" not in str(manager.render_sync("greeting", values))
        assert values == {"name": "Ada"}

    @pytest.mark.parametrize("waits", [True, False])
    async def test_every_method_may_raise(self, caplog, waits):
        class Broken:
            def __getattr__(self, name):
                if not name.startswith("on_"):
                    raise AttributeError(name)

                def method(*_):
                    raise ValueError(SECRET)

                return method

        manager = PromptManager(observers=[Broken()])
        call = (waits, manager)
        prompt = await finished(call, "create_prompt", create_text_prompt(status="active"))
        assert await finished(call, "render", "greeting", {"name": SECRET}) == f"Hello {SECRET}!"
        with pytest.raises(TemplateRenderError):
            await finished(call, "render", "greeting", {})
        await finished(call, "set_label", "greeting", "production", "1.0.0")
        await finished(call, "update_prompt", prompt, status="deprecated")
        await finished(call, "delete_prompt", "greeting")
        texts = [record.getMessage() for record in caplog.records]
        failed = {text.partition(" in ")[2].partition(" at ")[0] for text in texts}
        assert failed == set(EVENTS) - {"on_cache_hit", "on_cache_miss", "on_batch_complete", "on_reload"}
        assert len(texts) == len(failed)
        assert SECRET not in caplog.text

    async def test_an_async_observer_that_never_ends_is_cancelled(self, manager, caplog):
        cancelled = []

        class Endless(Observer):
            timeout = 0.05

            async def on_render_complete(self, prompt_id, version, execution, *, event):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(prompt_id)
                    raise

        manager.add_observer(Endless())
        for _ in range(2):
            assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"
        assert "observer Endless took longer than 0.05 s in on_render_complete" in caplog.text
        assert len(caplog.records) == 1
        await asyncio.sleep(0)
        assert cancelled == ["greeting", "greeting"]

    @pytest.mark.parametrize("waits", [True, False])
    def test_an_observer_that_refuses_to_be_cancelled_stops_nobody(self, caplog, manager, waits):
        class Stubborn(Observer):
            timeout = 0.05

            async def on_render_complete(self, prompt_id, version, execution, *, event):
                while True:
                    with suppress(asyncio.CancelledError):
                        await asyncio.sleep(3600)

        manager.add_observer(Stubborn())
        start = time.monotonic()
        if waits:
            assert asyncio.run(manager.render("greeting", {"name": "Ada"})) == "Hello Ada!"
        else:
            assert manager.render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"
        assert time.monotonic() - start < 30
        assert "Stubborn took longer" in caplog.text

    def test_coroutines_get_two_seconds(self, manager):
        manager.add_observer(type("Waits", (), {"on_render_complete": asyncio.sleep})())
        (listener,) = manager._observers.by_event["on_render_complete"]
        assert (listener.timeout, Observer.timeout) == (2.0, 2.0)

    async def test_an_awaitable_in_a_running_loop_is_skipped_with_a_warning(self, manager):
        class Indirect:
            def on_render_complete(self, *arguments):
                return asyncio.sleep(0)

        manager.add_observer(Indirect())
        with pytest.warns(PromptWarning, match="Indirect.on_render_complete is a coroutine"):
            manager.render_sync("greeting", {"name": "Ada"})
        manager.render_sync("greeting", {"name": "Ada"})


class TestReloads:
    def test_a_watched_directory_tells_of_reloads(self, tmp_path):
        events = []

        class Reloads(Observer):
            async def on_reload(self, reload):
                events.append(
                    (reload.source, reload.prompts, reload.success, [type(e).__name__ for e in reload.errors])
                )

        def wait_for(count):
            end = time.monotonic() + 30
            while len(events) < count and time.monotonic() < end:
                time.sleep(0.01)

        file = tmp_path / "hi.yaml"
        file.write_text("template: Hi {{name}}\n")
        with PromptManager.from_directory_sync(tmp_path, watch=True) as manager:
            manager.add_observer(Reloads())
            file.write_text("template: Hello {{name}}\n")
            wait_for(1)
            assert manager.render_sync("hi", {"name": "Ada"}) == "Hello Ada"
            file.write_text("template: [1\n")
            wait_for(2)
        assert events[0] == (str(tmp_path), 1, True, [])
        assert events[-1][2] is False
        assert events[-1][3] == ["PromptValidationError"]


def test_a_render_imports_no_library_for_observers():
    code = """
import sys
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
import prompt_manager.observability
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"structlog", "opentelemetry", "asyncio", "inspect"}))
"""
    assert run_python(code).split() == []


class TestEventStreams:
    """A stream gets every event as plain data, without values of variables."""

    @pytest.mark.parametrize("waits", [True, False])
    async def test_every_event_is_published(self, waits, tmp_path):
        published = []

        class Stream:
            if waits:

                async def publish(self, event_type, payload):
                    await asyncio.sleep(0)
                    published.append((event_type, payload))
            else:

                def publish(self, event_type, payload):
                    published.append((event_type, payload))

        observer = EventStreamObserver(Stream())
        manager = PromptManager(observers=[observer])
        call = (waits, manager)
        prompt = await finished(call, "create_prompt", create_text_prompt(status="active"), changelog="First")
        await finished(call, "render", "greeting", {"name": SECRET})
        with pytest.raises(TemplateRenderError):
            await finished(call, "render", "greeting", {"Name": SECRET})
        await finished(call, "set_label", "greeting", "production", "1.0.0", author="Ada")
        await finished(call, "update_prompt", prompt, status="deprecated")
        await finished(call, "delete_prompt", "greeting")
        event = RenderEvent(prompt._opaque(), "render", cache_hit=True)
        for sent in (
            observer.on_cache_hit("greeting", "1.0.0", event=event),
            observer.on_cache_miss("greeting", "1.0.0", event=event),
            observer.on_batch_complete(BatchEvent("greeting", "1.0.0", rows=2, duration_ms=1.0)),
            observer.on_reload(ReloadEvent(str(tmp_path), 1)),
        ):
            if waits:
                await sent
        assert SECRET not in json.dumps(published)
        assert sorted({f"on_{name}" for name, _ in published}) == sorted(EVENTS)
        first = dict(published)["render_complete"]
        assert (first["prompt_id"], first["content_length"]) == ("greeting", 6 + len(SECRET) + 1)
        assert dict(published)["label_moved"]["author"] == "Ada"
        assert dict(published)["cache_hit"]["cache_hit"] is True
