"""Versions in the manager: creating, updating and deleting prompts, history, labels and observers."""

from __future__ import annotations

import asyncio
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122

import pytest
from pydantic import ValidationError

from helpers import EXAMPLES, SECRET, create_chat_prompt, create_text_prompt, run_python
from prompt_manager import Prompt, PromptManager, PromptRegistry, VersionStore
from prompt_manager.core.models import PromptExecution
from prompt_manager.core.protocols import ObserverProtocol
from prompt_manager.exceptions import (
    PromptNotFoundError,
    PromptValidationError,
    PromptWarning,
    StorageWriteError,
    TemplateRenderError,
    TemplateSyntaxError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.storage import InMemoryStorage


@pytest.fixture(params=["in memory", "with a storage and files"])
def manager(request, tmp_path):
    if request.param == "in memory":
        return PromptManager()
    return PromptManager(PromptRegistry(InMemoryStorage()), version_store=VersionStore(tmp_path / "history"))


@pytest.fixture(params=["await", "sync"])
def call(request, manager):
    async def run(name, *arguments, to=manager, **options):
        if request.param == "await":
            return await getattr(to, name)(*arguments, **options)
        return getattr(to, f"{name}_sync")(*arguments, **options)

    return run


def active(**changes):
    return create_text_prompt(**{"status": "active", **changes})


class TestCreate:
    async def test_create_registers_a_prompt_and_starts_its_history(self, manager, call):
        prompt = active(metadata={"author": "Ada"})
        assert await call("create_prompt", prompt, changelog="First words") == prompt
        assert manager.render_sync("greeting", {"name": "Bo"}) == "Hello Bo!"
        (record,) = await call("get_history", "greeting")
        assert (record.version, record.changelog, record.created_by) == ("1.0.0", "First words", "Ada")
        assert (record.parent_version, record.checksum) == (None, prompt.content_hash)
        if manager.registry.storage is not None:
            assert manager.registry.storage.load_sync("greeting") == prompt

    async def test_creating_an_existing_prompt_changes_nothing(self, call):
        first = await call("create_prompt", active(), author="Ada")
        assert await call("create_prompt", active(status="deprecated"), author="Bo") == first
        (record,) = await call("get_history", "greeting")
        assert (record.created_by, record.prompt.status) == ("Ada", "active")

    async def test_creating_a_version_with_other_content_is_refused(self, call):
        await call("create_prompt", active())
        with pytest.raises(VersionConflictError):
            await call("create_prompt", active(template="other"))
        with pytest.raises(TemplateSyntaxError):
            await call("create_prompt", active(version="2.0.0", template="{{#if a}}"))
        assert [record.version for record in await call("get_history", "greeting")] == ["1.0.0"]

    async def test_creating_a_deleted_version_starts_a_new_history(self, manager, call):
        await call("create_prompt", active(), changelog="old")
        manager.registry.delete_sync("greeting")  # without the manager, so its record stays
        await call("create_prompt", active(template="other"), changelog="new")
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.template.content, record.changelog) == ("other", "new")


class TestUpdate:
    async def test_update_bumps_the_version_according_to_the_change(self, call):
        first = await call("create_prompt", active())
        wording = await call("update_prompt", first, template="Hi {{name}}!", changelog="Shorter", author="Bo")
        setting = await call("update_prompt", wording, settings={"temperature": 1})
        variable = await call("update_prompt", setting.replace(template="Hi {{name}}, {{mood}}!"))
        assert [each.version for each in (first, wording, setting, variable)] == ["1.0.0", "1.0.1", "1.1.0", "2.0.0"]
        history = await call("get_history", "greeting")
        assert [(each.version, each.parent_version) for each in history] == [
            ("2.0.0", "1.1.0"),
            ("1.1.0", "1.0.1"),
            ("1.0.1", "1.0.0"),
            ("1.0.0", None),
        ]
        assert (history[2].changelog, history[2].created_by) == ("Shorter", "Bo")
        assert (first.version, first.template.content) == ("1.0.0", "Hello {{name}}!")

    async def test_a_new_text_keeps_the_declared_variables_and_the_partials(self, call):
        tone = {"type": "enum", "values": ["kind", "firm"], "default": "kind"}
        prompt = Prompt(
            id="a",
            status="active",
            template="Be {{tone}}. {{> sign}}",
            variables={"tone": tone},
            partials={"sign": "Bye"},
        )
        first = await call("create_prompt", prompt)
        second = await call("update_prompt", first, template="Your tone: {{tone}}. {{> sign}}")
        assert second.version == "1.0.1"
        assert await call("render", "a", {}) == "Your tone: kind. Bye"
        with pytest.raises(TemplateRenderError, match="must be one of 'kind', 'firm'"):
            await call("render", "a", {"tone": "rude"})

    async def test_an_update_takes_messages_variables_and_partials(self, call):
        messages = [{"role": "user", "content": "{{q}} {{> sign}}"}]
        chat = Prompt(id="a", status="active", messages=messages, variables=["q"], partials={"sign": "Bye"})
        first = await call("create_prompt", chat)
        words = await call("update_prompt", first, messages=[{"role": "user", "content": "Q: {{q}} {{> sign}}"}])
        partial = await call("update_prompt", words, partials={"sign": "Yours"})
        variable = await call("update_prompt", partial, variables={"q": {"type": "string", "default": "Why?"}})
        assert [each.version for each in (words, partial)] == ["1.0.1", "1.0.2"]
        assert variable.version != "1.0.2"
        assert await call("render_messages", "a", {}) == [{"role": "user", "content": "Q: Why? Yours"}]

    @pytest.mark.parametrize(
        ("version", "bump", "expected"),
        [
            ("1.2.3", "major", "2.0.0"),
            ("1.2.3", "minor", "1.3.0"),
            ("1.2.3", "patch", "1.2.4"),
            ("2.0.0-rc.1", "patch", "2.0.0"),
            ("2.0.0-rc.1", "auto", "2.0.0-rc.2"),
            ("0.3.0", "auto", "0.3.1"),
        ],
    )
    async def test_update_applies_the_given_bump(self, call, version, bump, expected):
        first = await call("create_prompt", active(version=version))
        assert (await call("update_prompt", first, template="Hi {{name}}", bump=bump)).version == expected

    async def test_an_explicit_bump_applies_without_changes(self, call):
        first = await call("create_prompt", active())
        assert (await call("update_prompt", first, bump="minor")).version == "1.1.0"

    async def test_status_and_metadata_are_updated_in_place(self, manager, call):
        first = await call("create_prompt", active(), changelog="First")
        changed = await call("update_prompt", first, status="deprecated", metadata={"author": "Ada"})
        assert (changed.version, changed.status, changed.metadata.author) == ("1.0.0", "deprecated", "Ada")
        assert manager.get_prompt_sync("greeting") == changed
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.status, record.changelog) == ("deprecated", "First")
        assert first.status == "active"

    async def test_a_new_version_has_its_own_status_uid_and_time(self, call):
        first = await call("create_prompt", active(labels=["production"]))
        second = await call("update_prompt", first, template="Hi {{name}}", status="draft")
        assert (second.status, second.labels) == ("draft", ())
        assert second.uid != first.uid
        assert second.created_at > first.created_at
        third = await call("update_prompt", second, template="Ho {{name}}", labels=["canary"])
        assert (third.status, third.labels) == ("draft", ("canary",))

    async def test_updating_an_old_version_keeps_the_newer_one(self, call):
        first = await call("create_prompt", active())
        await call("update_prompt", first, template="Hi {{name}}", status="draft")
        with pytest.raises(VersionConflictError, match=r"(?s)1\.0\.1 already exists.*newest is 1\.0\.1") as caught:
            await call("update_prompt", first, template="Ho {{name}}")
        assert caught.value.context["version"] == "1.0.1"
        again = await call("update_prompt", first, template="Hi {{name}}", status="draft")
        assert again.version == "1.0.1"
        assert (await call("update_prompt", first, template="Ho {{name}}", bump="minor")).version == "1.1.0"

    async def test_updating_a_missing_prompt_is_an_error(self, call):
        with pytest.raises(PromptNotFoundError):
            await call("update_prompt", active(), template="x")
        await call("create_prompt", active())
        with pytest.raises(VersionNotFoundError, match=r"no version 7\.0\.0"):
            await call("update_prompt", active(version="7.0.0"), template="x")
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            await call("update_prompt", active(id="greting"), template="x")
        assert "did you mean 'greeting'" in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"bump": "huge"}, ValueError),
            ({"bump": "none"}, ValueError),
            ({"version": "3.0.0"}, ValueError),
            ({"id": "other"}, ValueError),
            ({"nonsense": 1}, TypeError),
            ({"status": "done"}, ValueError),
            ({"template": "{{#if a}}"}, TemplateSyntaxError),
        ],
        ids=str,
    )
    async def test_an_invalid_update_changes_nothing(self, manager, call, changes, error):
        first = await call("create_prompt", active())
        with pytest.raises(error):
            await call("update_prompt", first, **changes)
        assert manager.registry.get_versions_sync("greeting") == ["1.0.0"]
        assert manager.get_prompt_sync("greeting") == first

    async def test_an_update_of_the_id_or_version_says_what_to_do(self, call):
        first = await call("create_prompt", active())
        with pytest.raises(ValueError, match="id cannot be changed by an update: create a prompt with the new id"):
            await call("update_prompt", first, id="other")
        with pytest.raises(ValueError, match="version cannot be changed by an update: choose how far it is raised"):
            await call("update_prompt", first, version="3.0.0")


class TestDelete:
    async def test_delete_removes_the_history(self, manager, call):
        first = await call("create_prompt", active())
        await call("update_prompt", first, template="Hi {{name}}")
        await call("delete_prompt", "greeting", "1.0.1")
        assert [record.version for record in await call("get_history", "greeting")] == ["1.0.0"]
        assert [record.version for record in manager.version_store.list_versions_sync("greeting")] == ["1.0.0"]
        await call("delete_prompt", "greeting")
        for name in ("get_history", "delete_prompt", "get_label_history"):
            with pytest.raises(PromptNotFoundError):
                await call(name, "greeting")


class TestHistory:
    async def test_history_includes_versions_loaded_from_files(self, call):
        manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
        (record,) = await call("get_history", "greeting", to=manager)
        prompt = manager.get_prompt_sync("greeting")
        assert (record.prompt, record.created_at, record.changelog) == (prompt, prompt.created_at, None)

    async def test_history_leaves_out_replaced_content(self, manager, call):
        await call("create_prompt", active(), changelog="old", author="Ada")
        manager.registry.delete_sync("greeting")  # without the manager, so its record stays
        manager.registry.register_sync(active(template="other"))
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.template.content, record.changelog, record.created_by) == ("other", None, None)

    async def test_history_can_be_limited(self, call):
        first = await call("create_prompt", active())
        await call("update_prompt", first, template="Hi {{name}}")
        now = datetime.now(UTC)
        assert len(await call("get_history", "greeting", since=now - timedelta(minutes=5), until=now)) == 2
        assert await call("get_history", "greeting", since=now + timedelta(minutes=5)) == []
        assert [each.version for each in await call("get_history", "greeting", limit=1)] == ["1.0.1"]

    async def test_history_of_an_unknown_prompt_gets_a_suggestion(self, call):
        await call("create_prompt", active())
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            await call("get_history", "greting")
        assert "did you mean 'greeting'" in str(caught.value)


class TestLabels:
    async def test_labels_can_be_rendered_moved_and_rolled_back(self, manager, call):
        first = await call("create_prompt", active())
        second = await call("update_prompt", first, template="Hi {{name}}!")
        await call("set_label", "greeting", "production", first.version)
        assert manager.render_sync("greeting", {"name": "Ada"}, label="production") == "Hello Ada!"
        await call("set_label", "greeting", "production", second.version, author="Ada")
        assert await call("render", "greeting", {"name": "Ada"}, label="production") == "Hi Ada!"
        move = await call("rollback", "greeting", "production", author="Bo")
        assert (move.previous, move.version, move.author) == ("1.0.1", "1.0.0", "Bo")
        assert await call("render", "greeting", {"name": "Ada"}, label="production") == "Hello Ada!"
        assert [each.author for each in await call("get_label_history", "greeting", "production")] == [
            None,
            "Ada",
            "Bo",
        ]
        with pytest.raises(PromptValidationError):
            await call("set_label", "greeting", "no way", "1.0.0")


class TestReadOnly:
    async def test_a_directory_is_not_written_to(self, call):
        manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
        prompt = manager.get_prompt_sync("greeting")
        for name, arguments in (
            ("create_prompt", (active(),)),
            ("update_prompt", (prompt,)),
            ("delete_prompt", ("greeting",)),
        ):
            with pytest.raises(StorageWriteError, match="are read-only here: edit the files") as caught:
                await call(name, *arguments, to=manager)
            assert "examples/prompts" in caught.value.path


class Watching:
    """An observer with all methods, which are coroutines that really wait."""

    def __init__(self):
        self.events = []

    async def _note(self, *what):
        await asyncio.sleep(0)
        self.events.append(what)

    async def on_render_start(self, prompt_id, version, variables):
        await self._note("start", prompt_id, version, dict(variables))

    async def on_render_complete(self, prompt_id, version, execution):
        await self._note("complete", prompt_id, version, execution)

    async def on_render_error(self, prompt_id, version, error):
        await self._note("error", prompt_id, version, type(error))

    async def on_version_created(self, version):
        await self._note("version", version.version, version.changelog)


class Plain:
    """An observer with synchronous methods."""

    def __init__(self):
        self.events = []

    def on_render_start(self, prompt_id, version, variables):
        self.events.append(("start", prompt_id, version, dict(variables)))

    def on_render_complete(self, prompt_id, version, execution):
        self.events.append(("complete", prompt_id, version, execution.rendered_content))

    def on_prompt_registered(self, prompt):
        self.events.append(("registered", prompt.version))

    def on_label_moved(self, prompt_id, move):
        self.events.append(("moved", prompt_id, move.label))


class TestObservers:
    def test_observers_satisfy_the_protocol(self):
        assert isinstance(Watching(), ObserverProtocol)

    async def test_observers_are_notified_of_renders(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        manager.registry.register_sync(active())
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"
        start, (kind, prompt_id, version, execution) = watching.events
        assert start == ("start", "greeting", "1.0.0", {"name": "Ada"})
        assert (kind, prompt_id, version) == ("complete", "greeting", "1.0.0")
        assert (execution.rendered_content, execution.variables, execution.success) == (
            "Hello Ada!",
            {"name": "Ada"},
            True,
        )
        assert execution.duration_ms > 0

    def test_async_observers_are_notified_of_sync_renders(self):
        watching = Watching()
        manager = PromptManager()
        manager.registry.register_sync(create_chat_prompt(status="active"))
        manager.add_observer(watching)
        messages = manager.render_messages_sync("explain", {"topic": "Füchse"}, version="1.0.0")
        assert messages[1]["content"] == "Tell me about Füchse."
        assert "Tell me about Füchse." in watching.events[1][3].rendered_content

    async def test_async_observers_need_await_in_a_running_loop(self):
        watching, plain = Watching(), Plain()
        manager = PromptManager(observers=[watching, plain])
        manager.registry.register_sync(active())
        with pytest.warns(PromptWarning, match=r"Watching.*await manager.render\(") as warned:
            texts = [manager.render_sync("greeting", {"name": "Ada"}) for _ in range(2)]
        assert texts == ["Hello Ada!", "Hello Ada!"]
        assert (len(warned), warned[0].filename) == (1, __file__)
        assert watching.events == []
        assert [event[0] for event in plain.events] == ["registered", *["start", "complete"] * 2]
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"
        assert [event[0] for event in watching.events] == ["start", "complete"]

    async def test_sync_observers_work_everywhere(self):
        plain = Plain()
        manager = PromptManager(observers=[plain])
        manager.create_prompt_sync(active())
        manager.set_label_sync("greeting", "production", "1.0.0")
        assert manager.render_sync("greeting", {"name": "Ada"}, label="production") == "Hello Ada!"
        assert await manager.render("greeting", {"name": "Bo"}) == "Hello Bo!"
        assert plain.events == [
            ("registered", "1.0.0"),
            ("moved", "greeting", "production"),
            ("start", "greeting", "1.0.0", {"name": "Ada"}),
            ("complete", "greeting", "1.0.0", "Hello Ada!"),
            ("start", "greeting", "1.0.0", {"name": "Bo"}),
            ("complete", "greeting", "1.0.0", "Hello Bo!"),
        ]

    async def test_observers_are_notified_of_failed_renders(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        manager.registry.register_sync(active())
        with pytest.raises(TemplateRenderError, match="Missing variable 'name'"):
            await manager.render("greeting", {})
        assert watching.events[1:] == [("error", "greeting", "1.0.0", TemplateRenderError)]
        with pytest.raises(PromptNotFoundError):
            await manager.render("nothing", {})
        assert len(watching.events) == 2

    async def test_observers_are_notified_once_of_each_version(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        first = await manager.create_prompt(active(), changelog="one")
        await manager.create_prompt(active())
        await manager.update_prompt(first, template="Hi {{name}}", changelog="two")
        await manager.update_prompt(first, status="deprecated")
        assert watching.events == [("version", "1.0.0", "one"), ("version", "1.0.1", "two")]

    async def test_an_observer_that_raises_is_logged_once(self, caplog):
        class Broken:
            def on_render_start(self, prompt_id, version, variables):
                raise ValueError(variables["name"] + prompt_id + version)

            async def on_render_complete(self, *_):
                await asyncio.sleep(0)
                raise KeyError(SECRET)

        manager = PromptManager(observers=[Broken()])
        manager.registry.register_sync(active())
        for _ in range(3):
            assert await manager.render("greeting", {"name": SECRET}) == f"Hello {SECRET}!"
        assert [record.getMessage().partition(" at ")[0] for record in caplog.records] == [
            "observer Broken raised ValueError in on_render_start",
            "observer Broken raised KeyError in on_render_complete",
        ]
        assert SECRET not in caplog.text

    async def test_an_observer_may_update_prompts(self):
        class Activating:
            async def on_prompt_registered(self, prompt):
                if prompt.status == "draft":
                    await manager.update_prompt(prompt, status="active")

        manager = PromptManager(PromptRegistry(InMemoryStorage()), observers=[Activating()])
        await asyncio.wait_for(manager.create_prompt(create_text_prompt()), timeout=30)
        assert manager.get_prompt_sync("greeting").status == "active"

    async def test_observers_without_render_methods_are_not_called(self):
        class Versions:
            def on_version_created(self, version):
                pass

        manager = PromptManager(observers=[object(), Versions()])
        manager.create_prompt_sync(active())
        assert manager._renders is manager._core
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"

    def test_a_method_added_later_needs_add_observer_again(self):
        class Later:
            pass

        def first(_, *arguments):
            events.append(arguments[0])

        def second(*_):
            events.append("replaced")

        observer, events = Later(), []
        manager = PromptManager(observers=[observer])
        manager.registry.register_sync(active())
        Later.on_render_complete = first
        manager.render_sync("greeting", {"name": "Ada"})
        assert events == []
        manager.remove_observer(observer)
        manager.add_observer(observer)
        manager.render_sync("greeting", {"name": "Ada"})
        assert events == ["greeting"]
        Later.on_render_complete = second
        manager.render_sync("greeting", {"name": "Ada"})
        assert events == ["greeting", "replaced"]

    def test_awaitables_of_observers_are_awaited(self):
        events = []

        async def note(*arguments):
            events.append(arguments[0])

        class Indirect:
            def on_render_complete(self, *arguments):
                return note(*arguments)

        manager = PromptManager(observers=[Indirect()])
        manager.registry.register_sync(active())
        manager.render_sync("greeting", {"name": "Ada"})
        assert events == ["greeting"]

    @pytest.mark.parametrize("how", ["sync", "await"])
    async def test_observers_get_equal_render_records(self, how):
        records = []

        class Recording:
            def on_render_complete(self, *arguments):
                records.append(arguments[-1])

        manager = PromptManager(observers=[Recording()])
        manager.registry.register_sync(active())
        given = {"name": "Ada"}
        for _ in range(100):
            if how == "sync":
                manager.render_sync("greeting", given)
            else:
                await manager.render("greeting", given)
        first = records[0]
        given["name"] = "Bo"
        assert first.variables == {"name": "Ada"}
        assert len({record.execution_id for record in records}) == 100
        for record in records:
            assert record.execution_id.version == 4
            assert record.execution_id.variant == RFC_4122
            assert record.timestamp.tzinfo is UTC
        fields = {name: getattr(first, name) for name in PromptExecution.model_fields}
        again = PromptExecution(**fields)
        assert first == again == PromptExecution.model_validate_json(first.model_dump_json())
        assert repr(first) == repr(again)
        assert first.model_fields_set == {
            *("prompt_id", "prompt_version", "variables", "rendered_content", "success", "duration_ms")
        }
        assert pickle.loads(pickle.dumps(first)) == first
        assert first.model_copy(update={"extra": 1}).extra == 1
        with pytest.raises(ValidationError):
            first.success = False

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_execution_ids_differ_after_a_fork_and_a_seed(self):
        code = """
import os, random
from prompt_manager import Prompt, PromptManager
ids = []
class Recording:
    def on_render_complete(self, prompt_id, version, execution):
        ids.append(str(execution.execution_id))
manager = PromptManager(observers=[Recording()])
manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi", status="active"))
manager.render_sync("hi")
for _ in range(2):
    random.seed(1)
    manager.render_sync("hi")
child = os.fork()
manager.render_sync("hi")
if child:
    os.waitpid(child, 0)
print(*ids[1:], flush=True)
"""
        ids = run_python(code).split()
        assert (len(ids), len(set(ids))) == (6, 4)

    def test_removed_observers_are_not_called(self):
        plain = Plain()
        manager = PromptManager(observers=[plain])
        manager.registry.register_sync(active())
        manager.remove_observer(plain)
        manager.render_sync("greeting", {"name": "Ada"})
        assert plain.events == [("registered", "1.0.0")]
        assert manager._renders is manager._core


def test_renders_without_observers_import_nothing_for_them():
    code = """
import sys
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
print(*sorted(name for name in sys.modules if name.endswith(("_observed", "versioning.store", "models"))))
"""
    assert run_python(code).split() == []


async def test_a_failed_save_of_a_version_can_be_repeated():
    class Full(VersionStore):
        full = True

        async def save_version(self, version):
            if self.full:
                raise StorageWriteError("the disk is full")
            await super().save_version(version)

    store = Full()
    manager = PromptManager(version_store=store)
    with pytest.raises(StorageWriteError, match="disk is full"):
        await manager.create_prompt(active(), changelog="First")
    assert [record.changelog for record in await manager.get_history("greeting")] == [None]
    store.full = False
    await manager.create_prompt(active(), changelog="First")
    assert [record.changelog for record in await manager.get_history("greeting")] == ["First"]


def test_eight_threads_updating_one_prompt_lose_nothing(manager):
    manager.create_prompt_sync(active(template="0"))

    def work(thread):
        for n in range(5):
            while True:
                latest = manager.get_prompt_sync("greeting")
                text = f"{latest.template.content} {thread}.{n}"
                try:
                    updated = manager.update_prompt_sync(latest, template=text)
                except VersionConflictError:
                    continue
                assert updated.template.content == text
                manager.set_label_sync("greeting", "production", updated.version)
                break

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    history = manager.get_history_sync("greeting")
    assert [record.version for record in history] == [f"1.0.{n}" for n in range(40, -1, -1)]
    assert sorted(history[0].prompt.template.content.split()[1:]) == sorted(
        f"{thread}.{n}" for thread in range(8) for n in range(5)
    )
    for newer, older in pairwise(history):
        assert newer.prompt.template.content.startswith(older.prompt.template.content)
        assert newer.parent_version == older.version
