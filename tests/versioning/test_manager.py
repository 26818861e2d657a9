"""The manager's part in versions: prompts created, updated and deleted, their history, labels, and who is told."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122

import pytest
from pydantic import ValidationError

from helpers import EXAMPLES, SECRET, create_chat_prompt, create_text_prompt, run_python
from prompt_manager import PromptManager, PromptRegistry, VersionStore
from prompt_manager.core.models import PromptExecution
from prompt_manager.core.protocols import ObserverProtocol
from prompt_manager.exceptions import (
    PromptNotFoundError,
    PromptValidationError,
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
    async def test_registers_a_prompt_and_begins_its_history(self, manager, call):
        prompt = active(metadata={"author": "Ada"})
        assert await call("create_prompt", prompt, changelog="First words") == prompt
        assert manager.render_sync("greeting", {"name": "Bo"}) == "Hello Bo!"
        (record,) = await call("get_history", "greeting")
        assert (record.version, record.changelog, record.created_by) == ("1.0.0", "First words", "Ada")
        assert (record.parent_version, record.checksum) == (None, prompt.content_hash)
        if manager.registry.storage is not None:
            assert manager.registry.storage.load_sync("greeting") == prompt

    async def test_of_what_is_there_changes_nothing(self, call):
        first = await call("create_prompt", active(), author="Ada")
        assert await call("create_prompt", active(status="deprecated"), author="Bo") == first
        (record,) = await call("get_history", "greeting")
        assert (record.created_by, record.prompt.status) == ("Ada", "active")

    async def test_of_other_content_is_refused(self, call):
        await call("create_prompt", active())
        with pytest.raises(VersionConflictError):
            await call("create_prompt", active(template="other"))
        with pytest.raises(TemplateSyntaxError):
            await call("create_prompt", active(version="2.0.0", template="{{#if a}}"))
        assert [record.version for record in await call("get_history", "greeting")] == ["1.0.0"]

    async def test_of_a_version_that_was_deleted_begins_anew(self, manager, call):
        await call("create_prompt", active(), changelog="old")
        manager.registry.delete_sync("greeting")  # past the manager, whose record stays
        await call("create_prompt", active(template="other"), changelog="new")
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.template.content, record.changelog) == ("other", "new")


class TestUpdate:
    async def test_raises_the_version_as_far_as_the_change_goes(self, call):
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
    async def test_raises_it_as_told(self, call, version, bump, expected):
        first = await call("create_prompt", active(version=version))
        assert (await call("update_prompt", first, template="Hi {{name}}", bump=bump)).version == expected

    async def test_by_name_raises_it_though_nothing_changed(self, call):
        first = await call("create_prompt", active())
        assert (await call("update_prompt", first, bump="minor")).version == "1.1.0"

    async def test_of_status_and_metadata_alone_changes_them_in_place(self, manager, call):
        first = await call("create_prompt", active(), changelog="First")
        changed = await call("update_prompt", first, status="deprecated", metadata={"author": "Ada"})
        assert (changed.version, changed.status, changed.metadata.author) == ("1.0.0", "deprecated", "Ada")
        assert manager.get_prompt_sync("greeting") == changed
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.status, record.changelog) == ("deprecated", "First")
        assert first.status == "active"

    async def test_gives_the_new_version_a_status_an_identity_and_a_time_of_its_own(self, call):
        first = await call("create_prompt", active(labels=["production"]))
        second = await call("update_prompt", first, template="Hi {{name}}", status="draft")
        assert (second.status, second.labels) == ("draft", ())
        assert second.uid != first.uid
        assert second.created_at > first.created_at
        third = await call("update_prompt", second, template="Ho {{name}}", labels=["canary"])
        assert (third.status, third.labels) == ("draft", ("canary",))

    async def test_from_an_old_version_does_not_lose_a_newer_one(self, call):
        first = await call("create_prompt", active())
        await call("update_prompt", first, template="Hi {{name}}", status="draft")
        with pytest.raises(
            VersionConflictError, match=r"(?s)1\.0\.1 already exists.*newest version is 1\.0\.1"
        ) as caught:
            await call("update_prompt", first, template="Ho {{name}}")
        assert caught.value.context["version"] == "1.0.1"
        again = await call("update_prompt", first, template="Hi {{name}}", status="draft")
        assert again.version == "1.0.1"
        assert (await call("update_prompt", first, template="Ho {{name}}", bump="minor")).version == "1.1.0"

    async def test_of_what_is_not_there_is_told(self, call):
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
    async def test_that_makes_no_sense_changes_nothing(self, manager, call, changes, error):
        first = await call("create_prompt", active())
        with pytest.raises(error):
            await call("update_prompt", first, **changes)
        assert manager.registry.get_versions_sync("greeting") == ["1.0.0"]
        assert manager.get_prompt_sync("greeting") == first


class TestDelete:
    async def test_takes_the_history_along(self, manager, call):
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
    async def test_has_versions_that_came_without_a_record(self, call):
        manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
        (record,) = await call("get_history", "greeting", to=manager)
        prompt = manager.get_prompt_sync("greeting")
        assert (record.prompt, record.created_at, record.changelog) == (prompt, prompt.created_at, None)

    async def test_tells_nothing_of_a_content_that_is_gone(self, manager, call):
        await call("create_prompt", active(), changelog="old", author="Ada")
        manager.registry.delete_sync("greeting")  # past the manager, whose record stays
        manager.registry.register_sync(active(template="other"))
        (record,) = await call("get_history", "greeting")
        assert (record.prompt.template.content, record.changelog, record.created_by) == ("other", None, None)

    async def test_has_limits(self, call):
        first = await call("create_prompt", active())
        await call("update_prompt", first, template="Hi {{name}}")
        now = datetime.now(UTC)
        assert len(await call("get_history", "greeting", since=now - timedelta(minutes=5), until=now)) == 2
        assert await call("get_history", "greeting", since=now + timedelta(minutes=5)) == []
        assert [each.version for each in await call("get_history", "greeting", limit=1)] == ["1.0.1"]

    async def test_of_a_prompt_that_is_not_there_names_the_nearest(self, call):
        await call("create_prompt", active())
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            await call("get_history", "greting")
        assert "did you mean 'greeting'" in str(caught.value)


class TestLabels:
    async def test_are_rendered_moved_and_rolled_back(self, manager, call):
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
            ("set_label", ("greeting", "production", prompt.version)),
            ("rollback", ("greeting", "production")),
        ):
            with pytest.raises(StorageWriteError, match="files are the truth") as caught:
                await call(name, *arguments, to=manager)
            assert "examples/prompts" in caught.value.path


class Watching:
    """An observer of everything; its methods are coroutines that really wait."""

    def __init__(self):
        self.told = []

    async def _note(self, *what):
        await asyncio.sleep(0)
        self.told.append(what)

    async def on_render_start(self, prompt_id, version, variables):
        await self._note("start", prompt_id, version, dict(variables))

    async def on_render_complete(self, prompt_id, version, execution):
        await self._note("complete", prompt_id, version, execution)

    async def on_render_error(self, prompt_id, version, error):
        await self._note("error", prompt_id, version, type(error))

    async def on_version_created(self, version):
        await self._note("version", version.version, version.changelog)


class Plain:
    """An observer that need not be awaited."""

    def __init__(self):
        self.told = []

    def on_render_start(self, prompt_id, version, variables):
        self.told.append(("start", prompt_id, version, dict(variables)))

    def on_render_complete(self, prompt_id, version, execution):
        self.told.append(("complete", prompt_id, version, execution.rendered_content))

    def on_prompt_registered(self, prompt):
        self.told.append(("registered", prompt.version))

    def on_label_moved(self, prompt_id, move):
        self.told.append(("moved", prompt_id, move.label))


class TestObservers:
    def test_are_what_the_protocol_asks_for(self):
        assert isinstance(Watching(), ObserverProtocol)

    async def test_are_told_of_renders(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        manager.registry.register_sync(active())
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"
        start, (kind, prompt_id, version, execution) = watching.told
        assert start == ("start", "greeting", "1.0.0", {"name": "Ada"})
        assert (kind, prompt_id, version) == ("complete", "greeting", "1.0.0")
        assert (execution.rendered_content, execution.variables, execution.success) == (
            "Hello Ada!",
            {"name": "Ada"},
            True,
        )
        assert execution.duration_ms > 0

    def test_that_must_be_awaited_are_told_of_renders_that_do_not_await(self):
        watching = Watching()
        manager = PromptManager()
        manager.registry.register_sync(create_chat_prompt(status="active"))
        manager.add_observer(watching)
        messages = manager.render_messages_sync("explain", {"topic": "Füchse"}, version="1.0.0")
        assert messages[1]["content"] == "Tell me about Füchse."
        assert "Tell me about Füchse." in watching.told[1][3].rendered_content

    async def test_that_must_be_awaited_keep_a_twin_from_rendering_in_a_running_loop(self):
        manager = PromptManager(observers=[Watching()])
        manager.registry.register_sync(active())
        with pytest.raises(RuntimeError, match=r"Watching.*await render\("):
            manager.render_sync("greeting", {"name": "Ada"})
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"

    async def test_that_need_no_await_work_everywhere(self):
        plain = Plain()
        manager = PromptManager(observers=[plain])
        manager.create_prompt_sync(active())
        manager.set_label_sync("greeting", "production", "1.0.0")
        assert manager.render_sync("greeting", {"name": "Ada"}, label="production") == "Hello Ada!"
        assert await manager.render("greeting", {"name": "Bo"}) == "Hello Bo!"
        assert plain.told == [
            ("registered", "1.0.0"),
            ("moved", "greeting", "production"),
            ("start", "greeting", "1.0.0", {"name": "Ada"}),
            ("complete", "greeting", "1.0.0", "Hello Ada!"),
            ("start", "greeting", "1.0.0", {"name": "Bo"}),
            ("complete", "greeting", "1.0.0", "Hello Bo!"),
        ]

    async def test_are_told_of_renders_that_fail(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        manager.registry.register_sync(active())
        with pytest.raises(TemplateRenderError, match="Missing required variable 'name'"):
            await manager.render("greeting", {})
        assert watching.told[1:] == [("error", "greeting", "1.0.0", TemplateRenderError)]
        with pytest.raises(PromptNotFoundError):
            await manager.render("nothing", {})
        assert len(watching.told) == 2

    async def test_are_told_of_versions_once_each(self):
        watching = Watching()
        manager = PromptManager(observers=[watching])
        first = await manager.create_prompt(active(), changelog="one")
        await manager.create_prompt(active())
        await manager.update_prompt(first, template="Hi {{name}}", changelog="two")
        await manager.update_prompt(first, status="deprecated")
        assert watching.told == [("version", "1.0.0", "one"), ("version", "1.0.1", "two")]

    async def test_that_raise_break_no_render_and_are_logged_once(self, caplog):
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

    async def test_may_write_themselves(self):
        class Activating:
            async def on_prompt_registered(self, prompt):
                if prompt.status == "draft":
                    await manager.update_prompt(prompt, status="active")

        manager = PromptManager(PromptRegistry(InMemoryStorage()), observers=[Activating()])
        await asyncio.wait_for(manager.create_prompt(create_text_prompt()), timeout=30)
        assert manager.get_prompt_sync("greeting").status == "active"

    async def test_without_methods_of_renders_cost_renders_nothing(self):
        class Versions:
            def on_version_created(self, version):
                pass

        manager = PromptManager(observers=[object(), Versions()])
        manager.create_prompt_sync(active())
        assert manager._renders is manager._core
        assert await manager.render("greeting", {"name": "Ada"}) == "Hello Ada!"

    def test_that_get_a_method_later_are_added_again_for_it(self):
        class Later:
            pass

        def first(_, *arguments):
            told.append(arguments[0])

        def second(*_):
            told.append("replaced")

        observer, told = Later(), []
        manager = PromptManager(observers=[observer])
        manager.registry.register_sync(active())
        Later.on_render_complete = first
        manager.render_sync("greeting", {"name": "Ada"})
        assert told == []
        manager.remove_observer(observer)
        manager.add_observer(observer)
        manager.render_sync("greeting", {"name": "Ada"})
        assert told == ["greeting"]
        Later.on_render_complete = second
        manager.render_sync("greeting", {"name": "Ada"})
        assert told == ["greeting", "replaced"]

    def test_that_give_something_to_await_are_waited_for(self):
        told = []

        async def note(*arguments):
            told.append(arguments[0])

        class Indirect:
            def on_render_complete(self, *arguments):
                return note(*arguments)

        manager = PromptManager(observers=[Indirect()])
        manager.registry.register_sync(active())
        manager.render_sync("greeting", {"name": "Ada"})
        assert told == ["greeting"]

    @pytest.mark.parametrize("how", ["sync", "await"])
    async def test_get_the_record_of_a_render_as_if_it_was_validated(self, how):
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

    def test_that_left_cost_nothing(self):
        plain = Plain()
        manager = PromptManager(observers=[plain])
        manager.registry.register_sync(active())
        manager.remove_observer(plain)
        manager.render_sync("greeting", {"name": "Ada"})
        assert plain.told == [("registered", "1.0.0")]
        assert manager._renders is manager._core


def test_a_render_that_nobody_observes_loads_nothing_for_it():
    code = """
import sys
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
print(*sorted(name for name in sys.modules if name.endswith(("_observed", "versioning.store", "models"))))
"""
    assert run_python(code).split() == []


async def test_what_a_version_store_refuses_can_be_made_up_for():
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


def test_eight_threads_that_update_one_prompt_lose_no_change(manager):
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
