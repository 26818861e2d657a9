"""Rendered texts in a cache: what is a hit, what is never cached, and that nothing old is served."""

# The caches and observers have the parameters of their protocols.
# ruff: noqa: ARG002

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import decimal
import logging
import os
import subprocess
import sys
import threading
import uuid
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from prompt_manager import Prompt, PromptManager, PromptWarning, TemplateEngine
from prompt_manager._native import KeyedRender
from prompt_manager.core.cache import MemoryCache
from prompt_manager.core.protocols import CacheProtocol
from prompt_manager.exceptions import TemplateRenderError
from prompt_manager.observability import MetricsCollector

ROOT = Path(__file__).parents[2]


class Recorder:
    """Records the events of renders."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bool]] = []

    def on_render_complete(self, prompt_id, version, execution, *, event):
        self.events.append((execution.rendered_content, event.cache_hit))

    def on_cache_hit(self, prompt_id, version, *, event):
        self.events.append(("hit", event.cache_hit))

    def on_cache_miss(self, prompt_id, version, *, event):
        self.events.append(("miss", event.cache_hit))


class Spy(MemoryCache):
    """Counts the hits."""

    hits = 0

    def get(self, key):
        found = super().get(key)
        self.hits += found is not None
        return found


class Waiting:
    """A cache whose methods are coroutines."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, key):
        await asyncio.sleep(0)
        return self.texts.get(key)

    async def set(self, key, value, *, ttl=None):
        await asyncio.sleep(0)
        self.texts[key] = value

    async def invalidate(self, pattern):
        gone = [key for key in self.texts if key.startswith(pattern.rstrip("*"))]
        for key in gone:
            del self.texts[key]
        return len(gone)

    async def clear(self):
        self.texts.clear()


def manager_of(template="Hello {{name}}!", *, engine=None, cache=None, **fields) -> tuple[PromptManager, Spy]:
    spy = Spy() if cache is None else cache
    manager = PromptManager(template_engine=engine, cache=spy)
    manager.create_prompt_sync(Prompt(id="p", template=template, status="active", **fields))
    return manager, spy


def hits_of(template: str, values: dict, **options) -> int:
    """How many of two equal renders come from the cache."""
    manager, spy = manager_of(template, **options)
    assert manager.render_sync("p", values) == manager.render_sync("p", values)
    return spy.hits


class TestHits:
    def test_the_second_render_of_the_same_values_is_a_hit(self):
        manager, spy = manager_of()
        assert [manager.render_sync("p", {"name": name}) for name in ("Ada", "Bob", "Ada")] == [
            "Hello Ada!",
            "Hello Bob!",
            "Hello Ada!",
        ]
        assert spy.hits == 1

    def test_an_empty_text_is_a_hit(self):
        assert hits_of("{{#if x}}y{{/if}}", {"x": 0}) == 1

    def test_values_that_the_prompt_does_not_use_do_not_matter(self):
        manager, spy = manager_of()
        for request_id in range(3):
            manager.render_sync("p", {"name": "Ada", "request_id": request_id})
        assert spy.hits == 2

    def test_a_template_that_reads_all_variables_depends_on_all(self):
        manager, spy = manager_of("{{json this}}")
        assert manager.render_sync("p", {"a": 1}) != manager.render_sync("p", {"a": 1, "b": 2})
        assert spy.hits == 0

    @pytest.mark.parametrize("use_cache", [True, False])
    def test_use_cache(self, use_cache):
        manager, spy = manager_of()
        for _ in range(2):
            manager.render_sync("p", {"name": "Ada"}, use_cache=use_cache)
            asyncio.run(manager.render("p", {"name": "Ada"}, use_cache=use_cache))
        assert (spy.hits, len(spy)) == ((3, 1) if use_cache else (0, 0))

    def test_a_hit_fires_the_events_marked(self):
        manager, _ = manager_of()
        recorder = Recorder()
        manager.add_observer(recorder)
        manager.render_sync("p", {"name": "Ada"})
        asyncio.run(manager.render("p", {"name": "Ada"}))
        assert recorder.events == [("miss", False), ("Hello Ada!", False), ("hit", True), ("Hello Ada!", True)]

    def test_metrics_count_hits(self):
        manager = PromptManager(cache=MemoryCache(), metrics=MetricsCollector())
        manager.create_prompt_sync(Prompt(id="p", template="Hello {{name}}!", status="active"))
        for name in ("Ada", "Ada", "Bob"):
            manager.render_sync("p", {"name": name})
        summary = manager.get_metrics_sync()["operations"]["summary"]
        assert (summary["total_renders"], summary["total_cache_hits"], summary["total_cache_misses"]) == (3, 1, 2)

    def test_output_instructions_are_part_of_the_text(self):
        manager, _ = manager_of(output_schema={"type": "object", "properties": {"a": {"type": "integer"}}})
        with_them = manager.render_sync("p", {"name": "Ada"})
        assert manager.render_sync("p", {"name": "Ada"}, output_instructions=False) == "Hello Ada!"
        assert manager.render_sync("p", {"name": "Ada"}) == with_them != "Hello Ada!"

    def test_a_chat_is_cached_as_its_transcript(self):
        messages = [{"role": "user", "content": "{{q}}"}, {"role": "placeholder", "name": "history"}]
        manager = PromptManager(cache=(spy := Spy()))
        manager.create_prompt_sync(Prompt(id="p", messages=messages, status="active"))
        for text in ("a", "b", "a"):
            history = [{"role": "user", "content": text}]
            assert text in manager.render_sync("p", {"q": "q", "history": history})
        assert spy.hits == 1
        assert manager.render_messages_sync("p", {"q": "q", "history": []}) == [{"role": "user", "content": "q"}]

    def test_variables_are_validated_at_a_hit_too(self):
        manager, _ = manager_of("{{n}}", variables={"n": "integer"})
        assert manager.render_sync("p", {"n": 1}) == "1"
        with pytest.raises(TemplateRenderError):
            manager.render_sync("p", {"n": "1"})
        with pytest.raises(TemplateRenderError):
            manager.render_sync("p", {})


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: object
    y: object = 0


class Model(BaseModel):
    x: object


#: Values that a template can tell apart.
DISTINCT = [
    None,
    True,
    False,
    0,
    1,
    0.0,
    -0.0,
    1.0,
    "",
    "1",
    "True",
    "None",
    "a,b",
    10**30,
    decimal.Decimal("1.0"),
    decimal.Decimal(1),
    dt.date(2024, 1, 1),
    dt.datetime(2024, 1, 1),  # noqa: DTZ001
    dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    "2024-01-01",
    uuid.UUID(int=1),
    str(uuid.UUID(int=1)),
    Color.RED,
    Color.BLUE,
    [],
    [[]],
    {},
    [{}],
    ["a", "b"],
    ["a,b"],
    ["ab"],
    [["a"], "b"],
    ["a", ["b"]],
    {"a": "b"},
    {"a": {"b": 1}},
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    {1: 2},
    {"1": 2},
    Point(1),
    Point(1, 2),
    Point([1]),
    Model(x=1),
]


class TestKeys:
    def test_values_that_differ_have_keys_that_differ(self):
        manager, _ = manager_of("{{json v}}")
        core = manager.registry._core.get("p")
        keys = {KeyedRender(core, {"v": value}).key for value in DISTINCT}
        # An enum member is the value that it holds.
        assert len(keys) == len(DISTINCT)
        assert None not in keys
        assert KeyedRender(core, {"v": Color.RED}).key == KeyedRender(core, {"v": "red"}).key

    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )

    @given(JSON, JSON)
    def test_the_same_key_means_the_same_text(self, a, b):
        manager, _ = manager_of("{{json v}}|{{#if v}}t{{/if}}", engine=TemplateEngine(allow_none=True))
        core = manager.registry._core.get("p")
        one, other = KeyedRender(core, {"v": a}), KeyedRender(core, {"v": b})
        if one.key is not None and one.key == other.key:
            assert one.render() == other.render()

    @given(JSON)
    def test_a_value_has_the_key_of_its_copy(self, value):
        import copy

        manager, _ = manager_of("{{json v}}", engine=TemplateEngine(allow_none=True))
        core = manager.registry._core.get("p")
        assert KeyedRender(core, {"v": value}).key == KeyedRender(core, {"v": copy.deepcopy(value)}).key

    def test_the_key_is_the_same_in_every_process(self):
        program = (
            "from prompt_manager import *\n"
            "from prompt_manager._native import KeyedRender\n"
            "m = PromptManager(template_engine=TemplateEngine(known_helpers=list({'a', 'b', 'c', 'd'})))\n"
            "m.template_engine.register_partial('q', 'Q')\n"
            "m.create_prompt_sync(Prompt(id='p', template='{{#each v}}{{this}}{{/each}}{{> q}}', status='active'))\n"
            "print(KeyedRender(m.registry._core.get('p'), {'v': ['a', 1, 2.5, {'b': None}]}).key)\n"
        )
        keys = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(keys) == 1
        assert keys.pop().startswith("prompt:p:1.0.0:")


class TestNeverCached:
    @pytest.mark.parametrize(
        "value",
        [
            {"b"},
            frozenset("a"),
            collections.defaultdict(list),
            collections.ChainMap({"a": 1}),
            "\ud800",
            "\U0010f800",
            [{"deep": {1}}],
        ],
        ids=repr,
    )
    def test_values_that_cannot_be_hashed(self, value):
        assert hits_of("{{#each v}}{{@index}}{{/each}}" if not isinstance(value, str) else "{{v}}", {"v": value}) == 0

    def test_iterators_are_rendered_whole(self):
        manager, spy = manager_of("{{#each v}}{{this}}{{/each}}")
        assert [manager.render_sync("p", {"v": iter("abc")}) for _ in range(2)] == ["abc", "abc"]
        assert spy.hits == len(spy) == 0

    @pytest.mark.parametrize(
        "fields",
        [{"variables": {"v": "list"}}, {"input_schema": {"type": "object", "properties": {"v": {"type": "array"}}}}],
    )
    def test_a_cache_changes_nothing_for_iterators_of_declared_variables(self, fields):
        def outcome(*, use_cache):
            manager, _ = manager_of("{{#each v}}{{this}}{{/each}}", **fields)
            try:
                return manager.render_sync("p", {"v": iter("abc")}, use_cache=use_cache)
            except Exception as error:  # noqa: BLE001
                return str(error)

        assert outcome(use_cache=True) == outcome(use_cache=False)

    def test_a_value_of_very_many_parts(self):
        value = [1]
        for _ in range(60):
            value = [value, value]
        assert hits_of("{{length v}}", {"v": value}) == 0
        assert hits_of("{{length v}}", {"v": list(range(200_000))}) == 0
        assert hits_of("{{length v}}", {"v": list(range(90_000))}) == 1

    def test_a_value_that_contains_itself(self):
        loop: list[object] = []
        loop.append(loop)
        assert hits_of("{{#if v}}x{{/if}}", {"v": loop}) == 0

    def test_helpers_of_the_application(self):
        engine = TemplateEngine()
        calls = []
        engine.register_helper("now", lambda: calls.append(1) or str(len(calls)))
        manager, spy = manager_of("{{now}}", engine=engine)
        assert [manager.render_sync("p", {}) for _ in range(2)] == ["1", "2"]
        assert len(spy) == 0

    def test_helpers_in_a_partial_of_the_engine(self):
        engine = TemplateEngine()
        engine.register_helper("now", lambda: "x")
        engine.register_partial("clock", "{{now}}")
        assert hits_of("{{> clock}}", {}, engine=engine) == 0
        assert hits_of("{{> (lookup . 'which')}}", {"which": "clock"}, engine=engine) == 0
        assert hits_of("no clock", {}, engine=engine) == 1

    def test_a_template_that_logs(self, caplog):
        caplog.set_level(logging.INFO)
        assert hits_of('{{log "seen"}}x', {}) == 0
        assert len(caplog.records) == 2

    def test_an_exception_of_a_value_that_is_not_read_changes_nothing(self):
        @dataclasses.dataclass
        class Lazy:
            a: int

            def __getattribute__(self, name):
                if name == "a":
                    raise RuntimeError("SECRET")
                return super().__getattribute__(name)

        assert hits_of("{{#if v}}x{{/if}}", {"v": Lazy(1)}) == 0

        @dataclasses.dataclass
        class Stopping:
            a: int

            def __getattribute__(self, name):
                if name == "a":
                    raise KeyboardInterrupt
                return super().__getattribute__(name)

        manager, _ = manager_of("{{#if v}}x{{/if}}")
        with pytest.raises(KeyboardInterrupt):
            manager.render_sync("p", {"v": Stopping(1)})

    def test_an_engine_of_the_application(self):
        class Own(TemplateEngine):
            async def render(self, template, variables, *, partials=None):
                return str(len(calls.append(1) or calls))

        calls: list[int] = []
        manager, spy = manager_of("x", engine=Own())
        assert [manager.render_sync("p", {}) for _ in range(2)] == ["1", "2"]
        assert len(spy) == 0


class TestNothingOld:
    def test_after_an_update(self):
        manager, _ = manager_of()
        manager.render_sync("p", {"name": "Ada"})
        prompt = manager.get_prompt_sync("p")
        manager.update_prompt_sync(prompt.replace(template="Bye {{name}}!"), bump_version=True)
        assert manager.render_sync("p", {"name": "Ada"}) == "Bye Ada!"

    def test_after_a_label_move(self):
        manager, _ = manager_of(labels=["production"])
        manager.create_prompt_sync(Prompt(id="p", version="2.0.0", template="Bye {{name}}!", status="active"))
        assert manager.render_sync("p", {"name": "Ada"}, label="production") == "Hello Ada!"
        manager.set_label_sync("p", "production", "2.0.0")
        assert manager.render_sync("p", {"name": "Ada"}, label="production") == "Bye Ada!"

    def test_after_a_partial_was_replaced(self):
        engine = TemplateEngine()
        engine.register_partial("sign", "Best")
        manager, _ = manager_of("{{> sign}}", engine=engine)
        assert manager.render_sync("p", {}) == "Best"
        engine.register_partial("sign", "Yours")
        assert manager.render_sync("p", {}) == manager.render_sync("p", {}, use_cache=False)

    def test_managers_with_other_options_share_no_text(self):
        cache = MemoryCache()
        texts = []
        for escape in (False, True):
            manager, _ = manager_of(engine=TemplateEngine(escape=escape), cache=cache)
            texts.append(manager.render_sync("p", {"name": "<b>"}))
        assert texts == ["Hello <b>!", "Hello &lt;b&gt;!"]

    def test_a_deleted_prompt_is_dropped(self):
        manager, spy = manager_of()
        manager.render_sync("p", {"name": "Ada"})
        assert len(spy) == 1
        manager.delete_prompt_sync("p")
        assert len(spy) == 0


class TestMemoryCache:
    def test_it_drops_what_was_not_used_for_the_longest_time(self):
        cache = MemoryCache(max_entries=2)
        cache.set("a", "1")
        cache.set("b", "2")
        assert cache.get("a") == "1"
        cache.set("c", "3")
        assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("1", None, "3")

    def test_it_keeps_to_its_size(self):
        cache = MemoryCache(max_bytes=1000)
        for number in range(100):
            cache.set(str(number), "x" * 100)
        assert 1 < len(cache) < 10
        cache.set("large", "x" * 2000)
        assert cache.get("large") is None

    def test_texts_end(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr("prompt_manager.core.cache.monotonic", lambda: now[0])
        cache = MemoryCache(ttl=10)
        cache.set("a", "1")
        cache.set("b", "2", ttl=20)
        now[0] += 10
        assert (cache.get("a"), cache.get("b"), len(cache)) == (None, "2", 1)

    def test_invalidate(self):
        cache = MemoryCache()
        for key in ("prompt:a:1:x", "prompt:a:2:y", "prompt:ab:1:z"):
            cache.set(key, key)
        assert cache.invalidate("prompt:a:*") == 2
        assert cache.invalidate("prompt:a:*") == 0
        assert cache.get("prompt:ab:1:z") == "prompt:ab:1:z"
        cache.clear()
        assert len(cache) == 0

    @pytest.mark.parametrize("limits", [{"max_entries": 0}, {"max_bytes": -1}, {"ttl": 0}])
    def test_limits_are_positive(self, limits):
        with pytest.raises(ValueError, match=f"{next(iter(limits))} must be greater than 0"):
            MemoryCache(**limits)

    def test_threads(self):
        cache = MemoryCache(max_entries=50, max_bytes=10_000)
        failed = []

        def work(seed):
            try:
                for number in range(2000):
                    key = str((number * seed) % 97)
                    found = cache.get(key)
                    assert found in (None, key * 3)
                    cache.set(key, key * 3)
                    if number % 100 == 0:
                        cache.invalidate("1*")
            except BaseException as error:  # noqa: BLE001
                failed.append(error)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 17)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(cache) <= 50
        cache.clear()
        assert cache._bytes == 0

    def test_it_is_a_cache(self):
        assert isinstance(MemoryCache(), CacheProtocol)
        assert isinstance(Waiting(), CacheProtocol)


class TestCachesOfTheApplication:
    def test_coroutines_are_awaited(self):
        cache = Waiting()
        manager, _ = manager_of(cache=cache)
        recorder = Recorder()
        manager.add_observer(recorder)

        async def main():
            first = await manager.render("p", {"name": "Ada"})
            assert await manager.render("p", {"name": "Ada"}) == first
            assert len(cache.texts) == 1
            await manager.delete_prompt("p")
            assert cache.texts == {}

        asyncio.run(main())
        assert [event for event, _ in recorder.events] == ["miss", "Hello Ada!", "hit", "Hello Ada!"]

    def test_synchronous_renders_do_not_use_coroutines(self):
        cache = Waiting()
        manager, _ = manager_of(cache=cache)
        with pytest.warns(PromptWarning, match="await manager.render") as caught:
            assert [manager.render_sync("p", {"name": "Ada"}) for _ in range(2)] == ["Hello Ada!"] * 2
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert cache.texts == {}

    @pytest.mark.parametrize("asynchronous", [False, True])
    @pytest.mark.parametrize("broken", ["get", "set", "type"])
    def test_a_cache_that_fails_fails_no_render(self, broken, asynchronous, caplog):
        class Failing(MemoryCache):
            def get(self, key):
                if broken == "get":
                    raise RuntimeError("SECRET")
                return b"old" if broken == "type" else None

            def set(self, key, value, *, ttl=None):
                if broken == "set":
                    raise RuntimeError("SECRET")

        manager, _ = manager_of(cache=Failing())
        for _ in range(3):
            if asynchronous:
                text = asyncio.run(manager.render("p", {"name": "Ada"}))
            else:
                text = manager.render_sync("p", {"name": "Ada"})
            assert text == "Hello Ada!"
        assert len(caplog.records) == 1
        assert "the cache Failing failed in" in caplog.text
        assert "SECRET" not in caplog.text

    def test_an_object_that_is_no_cache(self):
        with pytest.raises(TypeError, match="the cache dict has no method `set`"):
            PromptManager(cache={})
        with pytest.raises(TypeError, match=r"not the class MemoryCache: write `MemoryCache\(\.\.\.\)`"):
            PromptManager(cache=MemoryCache)

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_a_cache_that_cannot_invalidate_is_named(self, asynchronous, caplog):
        class Failing(MemoryCache):
            def invalidate(self, pattern):
                raise RuntimeError("SECRET")

        class FailingLater(MemoryCache):
            async def invalidate(self, pattern):
                raise RuntimeError("SECRET")

        manager, _ = manager_of(cache=FailingLater() if asynchronous else Failing())
        manager.delete_prompt_sync("p")
        (record,) = caplog.records
        assert "the cache Failing" in record.getMessage()
        assert "failed in `invalidate` (RuntimeError)" in record.getMessage()
        assert "SECRET" not in caplog.text


def test_a_directory_with_a_cache(tmp_path):
    (tmp_path / "p.yaml").write_text("template: Hello {{name}}!\n")
    manager = PromptManager.from_directory_sync(tmp_path, cache=(spy := Spy()))
    for _ in range(2):
        manager.render_sync("p", {"name": "Ada"})
    assert spy.hits == 1


@pytest.mark.parametrize("name", ["ttl", "max_entries", "max_bytes"])
def test_a_limit_that_is_no_number_is_refused(name):
    with pytest.raises(TypeError, match=f"{name} must be a number, not str"):
        MemoryCache(**{name: "x"})
