"""The registry: versions, latest, labels, lists, and custom storages."""

from __future__ import annotations

import asyncio
import pickle
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.core.models import LabelMove, PromptSummary
from prompt_manager.exceptions import (
    PromptNotFoundError,
    PromptValidationError,
    PromptWarning,
    StorageWriteError,
    TemplateSyntaxError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.storage import InMemoryStorage
from prompt_manager.versioning import VersionStore


@pytest.fixture
def registry():
    return PromptRegistry()


def active(version="1.0.0", **changes):
    return create_text_prompt(**{"version": version, "status": "active", **changes})


@pytest.fixture(params=["await", "sync"])
def register(request, registry):
    async def add(*prompts, to=registry):
        for prompt in prompts:
            if request.param == "await":
                await to.register(prompt)
            else:
                to.register_sync(prompt)

    return add


class TestRegister:
    async def test_a_registered_prompt_can_be_retrieved(self, registry, register):
        prompt = active()
        await register(prompt)
        assert await registry.get("greeting") == prompt
        assert registry.get_sync("greeting", "1.0.0") == prompt

    async def test_registering_replaces_a_draft(self, registry, register):
        await register(create_text_prompt(template="first {{name}}"), create_text_prompt(template="second"))
        assert registry.get_sync("greeting").template.content == "second"
        await register(active(template="third"))
        assert registry.get_sync("greeting").template.content == "third"

    @pytest.mark.parametrize("status", ["active", "deprecated", "archived"])
    async def test_other_content_for_a_released_version_is_refused(self, registry, register, status):
        first = create_text_prompt(status=status)
        await register(first)
        with pytest.raises(VersionConflictError, match="greeting") as caught:
            await register(create_text_prompt(status=status, template="Bye {{name}}"))
        assert caught.value.context["prompt_id"] == "greeting"
        assert caught.value.context["version"] == "1.0.0"
        assert registry.get_sync("greeting", "1.0.0") == first

    async def test_registering_the_same_content_changes_nothing(self, registry, register):
        first = active()
        again = active(metadata={"author": "other"}, labels=["production"])
        await register(first, again)
        assert registry.get_sync("greeting") == first
        assert again.uid != first.uid

    @pytest.mark.parametrize(
        "change",
        [
            {"template": {"content": "Hello {{name}}!", "variables": ["name"]}},
            {"template": {"content": "Hello {{name}}!", "partials": {"p": "x"}}},
            {"tools": [{"name": "f"}]},
            {"tool_choice": "none"},
            {"settings": {"temperature": 1}},
            {"metadata": {"temperature": 1}},
            {"input_schema": "s"},
            {"output_schema": {"type": "object"}},
            {"format": "completion"},
        ],
        ids=str,
    )
    async def test_each_field_that_a_model_sees_counts_as_content(self, register, change):
        await register(active())
        with pytest.raises(VersionConflictError):
            await register(active(**change))

    async def test_a_template_with_a_syntax_error_is_refused(self, registry, register):
        with pytest.raises(TemplateSyntaxError, match="never closed") as caught:
            await register(active(template="\n{{#if a}}"))
        assert caught.value.context["prompt_id"] == "greeting"
        assert (caught.value.line, caught.value.column) == (2, 1)
        assert not registry.exists_sync("greeting")

    async def test_a_chat_message_with_a_syntax_error_is_refused(self, registry, register):
        wrong = "{{#if a}}"
        call = {"id": "c", "function": {"name": "f", "arguments": {"a": [wrong]}}}
        for message in (
            {"role": "user", "content": wrong},
            {"role": "user", "content": [{"type": "text", "text": wrong}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": wrong}}]},
            {"role": "assistant", "tool_calls": [call]},
        ):
            with pytest.raises(TemplateSyntaxError):
                await register(chat_of(message))
        assert registry.count_sync() == 0

    async def test_a_registered_prompt_cannot_be_changed_from_outside(self, registry, register):
        custom = {"a": [1]}
        prompt = active(metadata={"custom": custom}, tools=[{"name": "f", "parameters": {"type": "object"}}])
        await register(prompt)
        for reference in (prompt, registry.get_sync("greeting")):
            for held in (reference.metadata.custom, reference.tools[0].parameters, reference.template.partials):
                with pytest.raises(TypeError, match=r"prompt\.replace"):
                    held["evil"] = True
        custom["a"].append(2)
        held = registry.get_sync("greeting")
        assert held.metadata.custom == {"a": [1]}
        assert held.tools[0].parameters == {"type": "object"}
        assert held.template.partials == {}


LATEST = [
    ("the highest active", [("1.0.0", "active"), ("2.0.0", "active"), ("3.0.0", "draft")], "2.0.0"),
    ("by number, not by text", [("1.9.0", "active"), ("1.10.0", "active")], "1.10.0"),
    ("an old active over a new deprecated", [("1.0.0", "active"), ("2.0.0", "deprecated")], "1.0.0"),
    ("without an active one the highest", [("1.0.0", "deprecated"), ("2.0.0", "draft")], "2.0.0"),
    ("not an archived one", [("1.0.0", "deprecated"), ("2.0.0", "archived")], "1.0.0"),
    ("a release over its candidates", [("2.0.0-rc.2", "active"), ("2.0.0", "active")], "2.0.0"),
    ("a candidate over the release before", [("1.0.0", "active"), ("2.0.0-rc.1", "active")], "2.0.0-rc.1"),
    ("candidates by number", [("2.0.0-rc.2", "active"), ("2.0.0-rc.10", "active")], "2.0.0-rc.10"),
]


@pytest.mark.parametrize(("versions", "expected"), [pytest.param(*row[1:], id=row[0]) for row in LATEST])
@pytest.mark.parametrize("backwards", [False, True])
def test_latest_is_the_highest_active_version_if_there_is_one(registry, versions, expected, backwards):
    for version, status in reversed(versions) if backwards else versions:
        registry.register_sync(create_text_prompt(version=version, status=status))
    assert registry.get_sync("greeting").version == expected
    assert [summary.version for summary in registry.list_sync()] == [expected]


class TestGet:
    def test_an_unknown_id_gets_a_suggestion(self, registry):
        registry.register_sync(active())
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            registry.get_sync("greting")
        assert "greeting" in str(caught.value)
        assert caught.value.context["prompt_id"] == "greting"

    def test_get_fails_if_all_versions_are_archived(self, registry):
        registry.register_sync(create_text_prompt(status="archived"))
        with pytest.raises(PromptNotFoundError, match="archived"):
            registry.get_sync("greeting")
        assert registry.get_sync("greeting", "1.0.0").status == "archived"
        assert registry.list_sync() == []

    @pytest.mark.parametrize("version", ["9.9.9", "1.0", "latest", ""])
    def test_an_unknown_version_names_the_existing_ones(self, registry, version):
        registry.register_sync(active())
        with pytest.raises(VersionNotFoundError) as caught:
            registry.get_sync("greeting", version)
        assert caught.value.context["prompt_id"] == "greeting"

    def test_get_finds_a_version_by_label(self, registry):
        registry.register_sync(active("1.0.0", labels=["production"]))
        registry.register_sync(active("2.0.0", labels=["staging"]))
        assert registry.get_sync("greeting", label="production").version == "1.0.0"
        assert registry.get_sync("greeting", label="staging").version == "2.0.0"
        with pytest.raises(VersionNotFoundError, match="canary"):
            registry.get_sync("greeting", label="canary")

    def test_get_refuses_version_and_label_together(self, registry):
        registry.register_sync(active(labels=["production"]))
        with pytest.raises(ValueError, match="not both"):
            registry.get_sync("greeting", "1.0.0", label="production")


@pytest.fixture
def filled(registry):
    """Fill a registry with five prompts, one of them archived."""
    for prompt in (
        active(id="b/two", metadata={"tags": ["x", "y"], "category": "service"}, labels=["production"]),
        active(id="a", metadata={"tags": ["x"], "description": "First", "author": "Ada"}),
        active("2.0.0", id="a", metadata={"tags": ["z"], "description": "Second", "author": "Bo"}),
        create_chat_prompt(id="c", status="deprecated", metadata={"category": "service", "tags": [" ÉMOI "]}),
        create_text_prompt(id="d", status="archived", metadata={"tags": ["x"]}),
    ):
        registry.register_sync(prompt)
    return registry


LISTS = [
    ({}, ["a", "b/two", "c"]),
    ({"status": "active"}, ["a", "b/two"]),
    ({"status": "deprecated"}, ["c"]),
    ({"status": "archived"}, []),
    ({"tags": ["x"]}, ["b/two"]),
    ({"tags": ["x", "y"]}, ["b/two"]),
    ({"tags": ["x", "q"]}, []),
    ({"tags": ["X ", " y"]}, ["b/two"]),
    ({"tags": ["émoi"]}, ["c"]),
    ({"tags": ["xy"]}, []),
    ({"tags": []}, ["a", "b/two", "c"]),
    ({"category": "service"}, ["b/two", "c"]),
    ({"format": "chat"}, ["c"]),
    ({"label": "production"}, ["b/two"]),
    ({"category": "service", "status": "active"}, ["b/two"]),
    ({"limit": 2}, ["a", "b/two"]),
    ({"limit": 0}, []),
    ({"offset": 1}, ["b/two", "c"]),
    ({"limit": 1, "offset": 1}, ["b/two"]),
    ({"offset": 9}, []),
]


@pytest.mark.parametrize(("filters", "expected"), LISTS, ids=str)
async def test_a_list_has_the_latest_versions_matching_the_filters(filled, filters, expected):
    assert [summary.id for summary in await filled.list(**filters)] == expected
    assert [summary.id for summary in filled.list_sync(**filters)] == expected


def test_a_list_returns_summaries(filled):
    first = filled.list_sync()[0]
    assert first == PromptSummary(
        id="a", version="2.0.0", format="text", status="active", description="Second", author="Bo", tags=("z",)
    )


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"status": "activ"}, "unknown status 'activ'; did you mean 'active'?\n  hint: known: draft, active, "),
        ({"format": "poem"}, "unknown format 'poem'\n  hint: known: text, chat, completion, instruction"),
    ],
)
def test_a_list_refuses_unknown_filter_values(filled, filters, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        filled.list_sync(**filters)


class TestDelete:
    async def test_delete_removes_one_version_or_all(self, registry):
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            registry.register_sync(active(version))
        await registry.delete("greeting", "2.0.0")
        assert await registry.get_versions("greeting") == ["1.0.0", "3.0.0"]
        registry.delete_sync("greeting", "3.0.0")
        assert registry.get_versions_sync("greeting") == ["1.0.0"]
        registry.delete_sync("greeting")
        assert not registry.exists_sync("greeting")
        assert registry.count_sync() == await registry.count() == 0

    async def test_deleting_the_last_version_removes_the_prompt(self, registry):
        registry.register_sync(active())
        registry.delete_sync("greeting", "1.0.0")
        assert not await registry.exists("greeting")

    def test_deleting_a_missing_prompt_raises_an_error(self, registry):
        with pytest.raises(PromptNotFoundError):
            registry.delete_sync("greeting")
        with pytest.raises(PromptNotFoundError):
            registry.delete_sync("greeting", "1.0.0")
        registry.register_sync(active())
        with pytest.raises(VersionNotFoundError):
            registry.delete_sync("greeting", "2.0.0")
        assert registry.exists_sync("greeting", "1.0.0")


async def test_exists_and_versions_reflect_the_registry(registry):
    for version in ("2.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"):
        registry.register_sync(active(version))
    assert registry.get_versions_sync("greeting") == ["1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0"]
    assert await registry.exists("greeting")
    assert await registry.exists("greeting", "1.9.0")
    assert not await registry.exists("greeting", "1.9.1")
    assert not registry.exists_sync("greeting", "no version")
    assert registry.count_sync() == 1
    with pytest.raises(PromptNotFoundError):
        registry.get_versions_sync("other")


class OwnStorage:
    """A custom storage whose methods really wait, and which refuses ids that begin with ``no``."""

    def __init__(self):
        self.kept = {}

    async def _wait(self, prompt_id):
        await asyncio.sleep(0)
        if prompt_id.startswith("no"):
            raise StorageWriteError("the disk is full", path="/kept")

    async def save(self, prompt):
        await self._wait(prompt.id)
        self.kept[prompt.id, prompt.version] = prompt

    async def load(self, prompt_id, version=None):
        await self._wait(prompt_id)
        return self.kept[prompt_id, version]

    async def delete(self, prompt_id, version=None):
        await self._wait(prompt_id)
        for key in [key for key in self.kept if key[0] == prompt_id and version in (None, key[1])]:
            del self.kept[key]

    async def list(self, *, tags=None, status=None):  # noqa: ARG002 - the protocol's
        await asyncio.sleep(0)
        return list(self.kept.values())

    async def exists(self, prompt_id, version=None):
        return (prompt_id, version) in self.kept


class WaitingMemory(InMemoryStorage):
    """An in-memory storage whose methods really wait."""

    async def save(self, prompt):
        await asyncio.sleep(0)
        await super().save(prompt)

    async def list(self, *, tags=None, status=None):
        await asyncio.sleep(0)
        return await super().list(tags=tags, status=status)


STORAGES = [InMemoryStorage, OwnStorage, WaitingMemory]


@pytest.mark.parametrize("storage", STORAGES)
class TestStorage:
    async def test_registered_prompts_are_saved_in_the_storage(self, storage):
        kept = storage()
        registry = PromptRegistry(kept)
        assert registry.storage is kept
        await registry.register(active())
        assert [prompt.id for prompt in await kept.list()] == ["greeting"]
        await registry.delete("greeting")
        assert await kept.list() == []

    def test_register_sync_saves_in_the_storage(self, storage):
        kept = storage()
        registry = PromptRegistry(kept)
        registry.register_sync(active())
        registry.register_sync(active("2.0.0"))
        registry.delete_sync("greeting", "1.0.0")
        assert [prompt.version for prompt in asyncio.run(kept.list())] == ["2.0.0"]

    async def test_another_registry_loads_the_stored_prompts(self, storage):
        kept = storage()
        first = PromptRegistry(kept)
        await first.register(active())
        await first.register(active("2.0.0"))
        second = PromptRegistry(kept)
        assert await second.load_from_storage() == 2
        assert second.get_versions_sync("greeting") == ["1.0.0", "2.0.0"]

    def test_load_from_storage_sync_loads_the_stored_prompts(self, storage):
        kept = storage()
        PromptRegistry(kept).register_sync(active())
        second = PromptRegistry(kept)
        assert second.load_from_storage_sync() == 1
        assert second.get_sync("greeting").template.content == "Hello {{name}}!"


class TestOwnStorage:
    async def test_a_failed_save_leaves_the_registry_unchanged(self):
        registry = PromptRegistry(OwnStorage())
        with pytest.raises(StorageWriteError, match="disk is full"):
            await registry.register(active(id="no/greeting"))
        assert not registry.exists_sync("no/greeting")
        assert registry.list_sync() == []

    def test_a_failed_save_sync_leaves_the_registry_unchanged(self):
        registry = PromptRegistry(OwnStorage())
        with pytest.raises(StorageWriteError):
            registry.register_sync(active(id="no/greeting"))
        assert registry.count_sync() == 0

    async def test_a_failed_delete_keeps_the_prompt_registered(self):
        class ReadOnly(OwnStorage):
            async def delete(self, prompt_id, version=None):  # noqa: ARG002 - the protocol's
                raise StorageWriteError("read-only")

        registry = PromptRegistry(ReadOnly())
        await registry.register(active())
        with pytest.raises(StorageWriteError, match="read-only"):
            await registry.delete("greeting")
        assert registry.exists_sync("greeting")

    async def test_a_refused_prompt_never_reaches_the_storage(self):
        storage = OwnStorage()
        registry = PromptRegistry(storage)
        await registry.register(active())
        with pytest.raises(VersionConflictError):
            await registry.register(active(template="other"))
        with pytest.raises(TemplateSyntaxError):
            await registry.register(active("2.0.0", template="{{#if a}}"))
        assert [prompt.template.content for prompt in storage.kept.values()] == ["Hello {{name}}!"]

    async def test_two_saves_at_once_leave_storage_and_registry_equal(self):
        storage = OwnStorage()
        registry = PromptRegistry(storage)
        outcomes = await asyncio.gather(
            registry.register(active(template="one")),
            registry.register(active(template="two")),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes if outcome] == [VersionConflictError]
        assert storage.kept["greeting", "1.0.0"] == registry.get_sync("greeting")

    @pytest.mark.parametrize("refused", [{"one"}, {"two"}, {"one", "two"}], ids=sorted)
    async def test_if_one_of_two_saves_fails_the_other_is_kept(self, refused):
        class FailingForSome(OwnStorage):
            async def save(self, prompt):
                for _ in range(3 if prompt.template.content == "one" else 5):
                    await asyncio.sleep(0)
                if prompt.template.content in refused:
                    raise StorageWriteError("the disk is full")
                await super().save(prompt)

        storage = FailingForSome()
        registry = PromptRegistry(storage)
        drafts = [create_text_prompt(template=text) for text in ("one", "two")]
        await asyncio.gather(*map(registry.register, drafts), return_exceptions=True)
        held = [registry.get_sync("greeting")] if registry.exists_sync("greeting") else []
        assert held == list(storage.kept.values())

    async def test_a_cancelled_register_leaves_no_prompt(self):
        class Slow(OwnStorage):
            async def save(self, prompt):
                await asyncio.Event().wait()
                await super().save(prompt)

        registry = PromptRegistry(Slow())
        task = asyncio.ensure_future(registry.register(active()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not registry.exists_sync("greeting")

    async def test_a_sync_call_in_a_running_loop_names_the_coroutine(self):
        registry = PromptRegistry(OwnStorage())
        for name, call in (
            ("register", lambda: registry.register_sync(active())),
            ("load_from_storage", registry.load_from_storage_sync),
        ):
            with pytest.raises(RuntimeError, match=f"await {name}") as caught:
                call()
            assert "OwnStorage" in str(caught.value)
        assert registry.count_sync() == 0

    async def test_sync_reads_work_in_a_running_loop(self):
        registry = PromptRegistry(OwnStorage())
        await registry.register(active())
        assert registry.get_sync("greeting").id == "greeting"
        assert len(registry.list_sync()) == 1

    async def test_sync_calls_work_with_memory_storage_in_a_loop(self):
        registry = PromptRegistry(InMemoryStorage())
        registry.register_sync(active())
        registry.delete_sync("greeting")
        assert registry.count_sync() == 0


def test_load_without_a_storage_loads_nothing(registry):
    assert registry.storage is None
    assert registry.load_from_storage_sync() == 0


def test_the_engine_of_the_registry_compiles_its_prompts(registry):
    engine = TemplateEngine(allow_none=True)
    engine.register_partial("sign", "Bye")
    own = PromptRegistry(template_engine=engine)
    assert own.template_engine is engine
    prompt = active(template="{{name}}{{> sign}}")
    for home in (registry, own):  # compiled by one engine, then by the other
        home.register_sync(prompt)
    assert own._core.render("greeting", {"name": None}) == "Bye"


class TestUpdate:
    @pytest.fixture(params=["await", "sync"])
    def update(self, request, registry):
        async def change(prompt, to=registry):
            return await to.update(prompt) if request.param == "await" else to.update_sync(prompt)

        return change

    async def test_update_changes_status_and_metadata(self, registry, update):
        first = active()
        registry.register_sync(first)
        await update(first.replace(status="deprecated", metadata={"author": "Ada"}))
        held = registry.get_sync("greeting")
        assert (held.status, held.metadata.author) == ("deprecated", "Ada")
        assert held.content_hash == first.content_hash

    async def test_update_replaces_a_whole_draft(self, registry, update):
        registry.register_sync(create_text_prompt())
        await update(active(template="Bye {{name}}"))
        assert registry.get_sync("greeting").template.content == "Bye {{name}}"

    async def test_update_refuses_other_content_for_a_version(self, registry, update):
        first = active()
        registry.register_sync(first)
        with pytest.raises(VersionConflictError, match="active and its content cannot change") as caught:
            await update(first.replace(template="other"))
        assert "save the change as a new version" in str(caught.value)
        assert registry.get_sync("greeting") == first

    async def test_update_cannot_turn_a_released_version_into_a_draft(self, registry, update):
        registry.register_sync(active())
        with pytest.raises(VersionConflictError, match="cannot become a draft again"):
            await update(create_text_prompt())
        assert registry.get_sync("greeting").status == "active"

    async def test_updating_a_missing_prompt_suggests_existing_ones(self, registry, update):
        registry.register_sync(active())
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            await update(active(id="greting"))
        assert "did you mean 'greeting'" in str(caught.value)
        with pytest.raises(VersionNotFoundError, match=r"no version 2\.0\.0") as caught:
            await update(active("2.0.0"))
        assert "its only version is 1.0.0" in str(caught.value)

    @pytest.mark.parametrize("storage", STORAGES)
    async def test_an_update_is_saved_in_the_storage(self, storage):
        kept = storage()
        registry = PromptRegistry(kept)
        await registry.register(active())
        await registry.update(active(status="archived"))
        assert [prompt.status for prompt in await kept.list()] == ["archived"]

    async def test_an_update_that_fails_to_save_changes_nothing(self):
        storage = Failing()
        registry = PromptRegistry(storage)
        await registry.register(active())
        storage.refuses = {"save"}
        with pytest.raises(StorageWriteError):
            await registry.update(active(status="archived"))
        assert registry.get_sync("greeting").status == "active"


class Failing(OwnStorage):
    """A storage whose calls fail if they are listed in ``refuses``."""

    def __init__(self):
        super().__init__()
        self.refuses = set()

    async def _perhaps(self, name):
        await asyncio.sleep(0)
        if name in self.refuses:
            raise StorageWriteError("the disk is full")

    async def save(self, prompt):
        await self._perhaps("save")
        await super().save(prompt)

    async def delete(self, prompt_id, version=None):
        await self._perhaps(f"delete {prompt_id}")
        await super().delete(prompt_id, version)

    async def list(self, *, tags=None, status=None):
        await self._perhaps("list")
        return await super().list(tags=tags, status=status)


class TestFailingStorage:
    def test_a_failed_load_leaves_the_registry_unchanged(self):
        storage = Failing()
        registry = PromptRegistry(storage)
        registry.register_sync(active())
        storage.refuses = {"list"}
        with pytest.raises(StorageWriteError):
            registry.load_from_storage_sync()
        assert registry.count_sync() == 1

    async def test_clear_stops_at_the_first_failed_delete(self):
        storage = Failing()
        registry = PromptRegistry(storage)
        for prompt_id in ("a", "b", "c"):
            await registry.register(active(id=prompt_id))
        storage.refuses = {"delete b"}
        with pytest.raises(StorageWriteError):
            await registry.clear()
        assert [summary.id for summary in registry.list_sync()] == ["b", "c"]
        assert sorted(prompt_id for prompt_id, _ in storage.kept) == ["b", "c"]

    async def test_a_prompt_is_visible_only_once_it_is_saved(self):
        class Slow(OwnStorage):
            def __init__(self):
                super().__init__()
                self.go = asyncio.Event()

            async def save(self, prompt):
                await self.go.wait()
                await super().save(prompt)

        storage = Slow()
        registry = PromptRegistry(storage)
        task = asyncio.ensure_future(registry.register(active()))
        await asyncio.sleep(0.01)
        assert not registry.exists_sync("greeting")
        storage.go.set()
        await task
        assert registry.exists_sync("greeting")

    async def test_a_prompt_already_gone_from_storage_can_be_deleted(self):
        class Strict(OwnStorage):
            async def delete(self, prompt_id, version=None):  # noqa: ARG002 - the protocol's
                raise PromptNotFoundError(f"there is no prompt {prompt_id}")

        registry = PromptRegistry(Strict())
        await registry.register(active())
        registry.storage.kept.clear()
        await registry.delete("greeting")
        assert not registry.exists_sync("greeting")


class TestLoad:
    async def test_a_load_waits_for_writes_and_writes_wait_for_it(self):
        order = []

        class Slow(OwnStorage):
            async def save(self, prompt):
                order.append(f"save {prompt.id}")
                for _ in range(5):
                    await asyncio.sleep(0)
                await super().save(prompt)
                order.append(f"saved {prompt.id}")

            async def list(self, *, tags=None, status=None):
                order.append("list")
                for _ in range(5):
                    await asyncio.sleep(0)
                order.append("listed")
                return await super().list(tags=tags, status=status)

        registry = PromptRegistry(Slow())
        await asyncio.gather(
            registry.register(active(id="a")),
            registry.register(active(id="b")),
            registry.load_from_storage(),
            registry.register(active(id="c")),
        )
        assert order == ["save a", "save b", "saved a", "saved b", "list", "listed", "save c", "saved c"]
        assert [summary.id for summary in registry.list_sync()] == ["a", "b", "c"]

    async def test_writes_work_after_a_cancelled_load(self):
        class Stuck(OwnStorage):
            async def list(self, *, tags=None, status=None):  # noqa: ARG002 - the protocol's
                await asyncio.Event().wait()

        registry = PromptRegistry(Stuck())
        load = asyncio.ensure_future(registry.load_from_storage())
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(registry.register(active()))
        await asyncio.sleep(0)
        load.cancel()
        await waiting
        assert registry.exists_sync("greeting")

    async def test_a_load_takes_over_status_and_metadata(self):
        storage = OwnStorage()
        registry = PromptRegistry(storage)
        await registry.register(active())
        storage.kept["greeting", "1.0.0"] = active(status="deprecated")
        assert await registry.load_from_storage() == 1
        assert registry.get_sync("greeting").status == "deprecated"

    async def test_a_load_with_conflicting_content_loads_nothing(self):
        storage = OwnStorage()
        registry = PromptRegistry(storage)
        await registry.register(active(id="b"))
        storage.kept = {("a", "1.0.0"): active(id="a"), ("b", "1.0.0"): active(id="b", template="other")}
        with pytest.raises(VersionConflictError, match="'b'"):
            await registry.load_from_storage()
        assert [summary.id for summary in registry.list_sync()] == ["b"]


class TestTwins:
    def test_sync_methods_of_a_storage_are_used_in_a_running_loop(self):
        class StorageWithSync(OwnStorage):
            def save_sync(self, prompt):
                self.kept[prompt.id, prompt.version] = prompt

        async def main():
            registry = PromptRegistry(StorageWithSync())
            registry.register_sync(active())
            return registry.count_sync()

        assert asyncio.run(main()) == 1

    async def test_a_sync_call_that_would_deadlock_is_an_error(self):
        class StorageWithSync(OwnStorage):
            async def save(self, prompt):
                await asyncio.sleep(0.05)
                await super().save(prompt)

            def save_sync(self, prompt):
                self.kept[prompt.id, prompt.version] = prompt

        registry = PromptRegistry(StorageWithSync())
        task = asyncio.ensure_future(registry.register(active()))
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError, match="await"):
            registry.register_sync(active("2.0.0"))
        await task
        registry.register_sync(active("2.0.0"))
        assert registry.get_versions_sync("greeting") == ["1.0.0", "2.0.0"]

    def test_sync_calls_of_other_threads_wait_for_their_turn(self):
        class StorageWithSync(OwnStorage):
            def save_sync(self, prompt):
                assert not self.busy
                self.busy = True
                time.sleep(0.02)
                self.kept[prompt.id, prompt.version] = prompt
                self.busy = False

            busy = False

        registry = PromptRegistry(StorageWithSync())
        versions = [f"{n}.0.0" for n in range(1, 9)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda version: registry.register_sync(active(version)), versions))
        assert registry.get_versions_sync("greeting") == versions


class TestLabels:
    @pytest.fixture(params=["await", "sync"])
    def call(self, request):
        async def run(part, name, *arguments, **options):
            if request.param == "await":
                return await getattr(part, name)(*arguments, **options)
            return getattr(part, f"{name}_sync")(*arguments, **options)

        return run

    @pytest.fixture
    def labelled(self, registry):
        """Register three versions; the first has the label ``production`` in its file."""
        for version, labels in (("1.0.0", ["production"]), ("2.0.0", []), ("3.0.0", ["staging"])):
            registry.register_sync(active(version, labels=labels))
        return registry

    async def test_a_label_moves_in_one_step(self, labelled, call):
        move = await call(labelled, "set_label", "greeting", "production", "2.0.0", author="Ada")
        assert (move.label, move.version, move.previous, move.author) == ("production", "2.0.0", "1.0.0", "Ada")
        assert move.moved_at.tzinfo is UTC
        assert labelled.get_sync("greeting", label="production").version == "2.0.0"
        assert labelled.get_sync("greeting", "1.0.0").labels == ()
        assert labelled.get_sync("greeting", "2.0.0").labels == ("production",)
        assert [(each.id, each.version) for each in labelled.list_sync(label="production")] == [("greeting", "2.0.0")]

    async def test_labels_keep_their_history(self, labelled, call):
        for version in ("2.0.0", "3.0.0", None):
            await call(labelled, "set_label", "greeting", "production", version)
        await call(labelled, "set_label", "greeting", "canary", "3.0.0")
        history = await call(labelled, "get_label_history", "greeting", "production")
        assert [(move.previous, move.version) for move in history] == [
            ("1.0.0", "2.0.0"),
            ("2.0.0", "3.0.0"),
            ("3.0.0", None),
        ]
        everything = await call(labelled, "get_label_history", "greeting")
        assert [move.label for move in everything] == ["production", "production", "production", "canary"]
        assert everything == sorted(everything, key=lambda move: move.moved_at)
        with pytest.raises(VersionNotFoundError, match="no label 'production'"):
            labelled.get_sync("greeting", label="production")

    async def test_setting_a_label_again_records_no_move(self, labelled, call):
        await call(labelled, "set_label", "greeting", "production", "2.0.0")
        move = await call(labelled, "set_label", "greeting", "production", "2.0.0")
        assert (move.previous, move.version) == ("2.0.0", "2.0.0")
        assert len(await call(labelled, "get_label_history", "greeting")) == 1

    async def test_labels_roll_back_one_step_at_a_time(self, labelled, call):
        for version in ("2.0.0", "3.0.0"):
            await call(labelled, "set_label", "greeting", "production", version)
        moves = [await call(labelled, "rollback", "greeting", "production", author="Bo") for _ in range(2)]
        assert [(move.previous, move.version, move.author) for move in moves] == [
            ("3.0.0", "2.0.0", "Bo"),
            ("2.0.0", "1.0.0", "Bo"),
        ]
        with pytest.raises(VersionNotFoundError, match="there is no earlier one"):
            await call(labelled, "rollback", "greeting", "production")
        assert labelled.get_sync("greeting", label="production").version == "1.0.0"

    async def test_rollback_skips_deleted_versions(self, labelled, call):
        for version in ("2.0.0", "3.0.0"):
            await call(labelled, "set_label", "greeting", "production", version)
        await call(labelled, "delete", "greeting", "2.0.0")
        assert (await call(labelled, "rollback", "greeting", "production")).version == "1.0.0"

    async def test_rollback_restores_a_removed_label(self, labelled, call):
        for version in ("2.0.0", None):
            await call(labelled, "set_label", "greeting", "production", version)
        assert (await call(labelled, "rollback", "greeting", "production")).version == "2.0.0"

    async def test_deleting_a_version_removes_its_labels(self, labelled, call):
        await call(labelled, "set_label", "greeting", "production", "3.0.0")
        await call(labelled, "delete", "greeting", "3.0.0")
        history = await call(labelled, "get_label_history", "greeting")
        assert [(move.label, move.previous, move.version) for move in history] == [
            ("production", "1.0.0", "3.0.0"),
            ("staging", "3.0.0", None),
            ("production", "3.0.0", None),
        ]
        with pytest.raises(VersionNotFoundError):
            labelled.get_sync("greeting", label="production")

    async def test_a_moved_label_overrides_labels_in_files(self, labelled, call):
        await call(labelled, "set_label", "greeting", "production", "2.0.0")
        await call(labelled, "register", active("4.0.0", labels=["production", "fresh"]))
        assert labelled.get_sync("greeting", label="production").version == "2.0.0"
        assert labelled.get_sync("greeting", "4.0.0").labels == ("fresh",)

    @pytest.mark.parametrize(
        ("label", "why"),
        [
            ("", "it is empty"),
            ("a b", "not allowed"),
            ("../x", "not allowed"),
            ("x" * 256, "longer than 255"),
            (".hidden", "neither a letter nor a digit"),
            ("1.0.0", "it is a version"),
            ("é", "not allowed"),
        ],
    )
    async def test_invalid_label_names_are_refused(self, labelled, call, label, why):
        with pytest.raises(PromptValidationError, match=why):
            await call(labelled, "set_label", "greeting", label, "1.0.0")
        with pytest.raises(ValueError, match=why):
            active(labels=[label])

    async def test_a_label_must_point_at_an_existing_version(self, labelled, call):
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            await call(labelled, "set_label", "greting", "production", "1.0.0")
        assert "greeting" in str(caught.value)
        for version in ("9.0.0", "1.0", ""):
            with pytest.raises(VersionNotFoundError):
                await call(labelled, "set_label", "greeting", "production", version)
        with pytest.raises(VersionNotFoundError, match="no label 'productoin'") as caught:
            await call(labelled, "set_label", "greeting", "productoin", None)
        assert "did you mean 'production'" in str(caught.value)
        with pytest.raises(VersionNotFoundError, match="never moved"):
            await call(labelled, "rollback", "greeting", "staging")
        with pytest.raises(PromptNotFoundError):
            await call(labelled, "get_label_history", "greting")
        assert await call(labelled, "get_label_history", "greeting") == []


class LabelStorage(OwnStorage):
    """A storage that saves labels."""

    def __init__(self):
        super().__init__()
        self.moves = []
        self.refuses = False

    async def set_label(self, prompt_id, label, version, *, author=None):  # noqa: ARG002 - one prompt is enough
        await asyncio.sleep(0)
        if self.refuses:
            raise StorageWriteError("the disk is full")
        before = [move.version for move in self.moves if move.label == label]
        self.moves.append(LabelMove(label=label, version=version, previous=before[-1] if before else None))
        return self.moves[-1]

    async def get_label_history(self, prompt_id, label=None):  # noqa: ARG002 - one prompt is enough
        await asyncio.sleep(0)
        return [move for move in self.moves if label in (None, move.label)]


class TestStoredLabels:
    async def test_labels_are_saved_and_loaded_again(self):
        storage = LabelStorage()
        first = PromptRegistry(storage)
        for version in ("1.0.0", "2.0.0"):
            await first.register(active(version))
        await first.set_label("greeting", "production", "1.0.0")
        await first.set_label("greeting", "production", "2.0.0")
        second = PromptRegistry(storage)
        await second.load_from_storage()
        assert second.get_sync("greeting", label="production").version == "2.0.0"
        assert (await second.rollback("greeting", "production")).version == "1.0.0"
        assert [move.version for move in await second.get_label_history("greeting")] == ["1.0.0", "2.0.0", "1.0.0"]

    def test_a_label_that_fails_to_save_does_not_move(self):
        storage = LabelStorage()
        registry = PromptRegistry(storage)
        registry.register_sync(active())
        storage.refuses = True
        with pytest.raises(StorageWriteError):
            registry.set_label_sync("greeting", "production", "1.0.0")
        with pytest.raises(VersionNotFoundError):
            registry.get_sync("greeting", label="production")

    async def test_deleting_a_version_removes_its_stored_labels(self):
        storage = LabelStorage()
        registry = PromptRegistry(storage)
        for version in ("1.0.0", "2.0.0"):
            await registry.register(active(version))
        await registry.set_label("greeting", "production", "2.0.0")
        await registry.delete("greeting", "2.0.0")
        assert storage.moves[-1].version is None


class Watching:
    """An observer that records its notifications."""

    def __init__(self):
        self.events = []

    def on_prompt_registered(self, prompt):
        self.events.append(("registered", prompt.version))

    async def on_prompt_updated(self, prompt):
        await asyncio.sleep(0)
        self.events.append(("updated", prompt.status.value))

    def on_prompt_deleted(self, prompt):
        self.events.append(("deleted", prompt.version))

    def on_label_moved(self, prompt_id, move):
        self.events.append((prompt_id, move.label, move.version))


class TestObservers:
    def test_observers_are_notified_of_changes(self):
        observer = Watching()
        registry = PromptRegistry(observers=[observer])
        registry.add_observer(observer)  # an observer added twice is notified once
        registry.register_sync(active())
        registry.update_sync(active(status="deprecated"))
        for _ in range(2):  # the second one moves nothing
            registry.set_label_sync("greeting", "production", "1.0.0")
        registry.register_sync(active("2.0.0"))
        registry.delete_sync("greeting", "1.0.0")
        registry.remove_observer(observer)
        registry.delete_sync("greeting")
        assert observer.events == [
            ("registered", "1.0.0"),
            ("updated", "deprecated"),
            ("greeting", "production", "1.0.0"),
            ("registered", "2.0.0"),
            ("deleted", "1.0.0"),
            ("greeting", "production", None),
        ]

    def test_observers_are_not_notified_of_failed_changes(self):
        observer = Watching()
        registry = PromptRegistry(OwnStorage(), observers=[observer])
        with pytest.raises(StorageWriteError):
            registry.register_sync(active(id="no/thing"))
        with pytest.raises(PromptNotFoundError):
            registry.delete_sync("greeting")
        assert observer.events == []

    async def test_an_observer_that_raises_is_logged_once(self, caplog):
        class Broken:
            def on_prompt_registered(self, prompt):
                raise KeyError(f"{SECRET} {prompt.id}")

        observer = Watching()
        registry = PromptRegistry(observers=[Broken(), observer])
        for version in ("1.0.0", "2.0.0"):
            await registry.register(active(version))
        assert len(observer.events) == 2
        (record,) = caplog.records
        assert "Broken raised KeyError in on_prompt_registered" in record.getMessage()
        assert "test_registry.py:" in record.getMessage()
        assert SECRET not in caplog.text

    async def test_async_observers_need_await_in_a_running_loop(self):
        observer = Watching()
        registry = PromptRegistry(observers=[observer])
        await registry.register(active())
        with pytest.warns(PromptWarning, match="Watching.on_prompt_updated is a coroutine"):
            registry.update_sync(active(status="deprecated"))
        assert registry.get_sync("greeting").status == "deprecated"
        await registry.update(active(status="archived"))
        assert observer.events == [("registered", "1.0.0"), ("updated", "archived")]


SEARCHES = [
    ("greet", ["a"]),
    ("GREET ada", ["a"]),
    ("billing", ["b/two"]),
    ("tag-x", ["a", "b/two"]),
    ("tone-word", ["b/two"]),
    ("question", ["c"]),
    ("two", ["b/two"]),
    ("grüß", ["c"]),
    ("nothing of that", []),
    ("  ", ["a", "b/two", "c"]),
]


@pytest.mark.parametrize(("text", "expected"), SEARCHES)
async def test_search_covers_ids_descriptions_tags_and_templates(registry, text, expected):
    registry.register_sync(active(id="a", template="Greetings, {{name}}", metadata={"tags": ["tag-X"]}))
    registry.register_sync(active("2.0.0", id="a", template="Greet Ada", metadata={"tags": ["tag-X"]}))
    registry.register_sync(
        active(
            id="b/two",
            template={"content": "{{> tone}}", "partials": {"tone": "Tone-word"}},
            metadata={"description": "For Billing", "tags": ["tag-x"]},
        )
    )
    registry.register_sync(
        chat_of({"role": "user", "content": [{"type": "text", "text": "GRÜß {{question}}"}]}, id="c", status="active")
    )
    assert [summary.id for summary in registry.list_sync(text=text)] == expected
    assert await registry.count(text=text) == registry.count_sync(text=text) == len(expected)


def test_a_list_by_label_has_the_labelled_versions(registry):
    registry.register_sync(active("1.0.0", labels=["production"]))
    registry.register_sync(active("2.0.0"))
    registry.register_sync(active(id="other"))
    assert [(each.id, each.version) for each in registry.list_sync(label="production")] == [("greeting", "1.0.0")]
    assert registry.count_sync(label="production") == 1


@pytest.mark.parametrize("options", [{"limit": -1}, {"offset": -1}])
def test_a_list_refuses_negative_limits(registry, options):
    with pytest.raises(ValueError, match="must not be negative"):
        registry.list_sync(**options)


def test_the_tags_filter_must_be_a_list(registry):
    with pytest.raises(TypeError, match="not one text"):
        registry.list_sync(tags="x")


def test_stats_count_prompts_versions_and_statuses(filled):
    assert filled.get_stats() == {
        "total_prompts": 4,
        "total_versions": 5,
        "status_distribution": {"active": 2, "archived": 1, "deprecated": 1},
        "has_storage": False,
        "observer_count": 0,
    }


@pytest.mark.parametrize("storage", STORAGES)
async def test_clear_can_include_or_leave_out_the_storage(storage):
    kept = storage()
    registry = PromptRegistry(kept)
    await registry.register(active())
    await registry.clear(persist=False)
    assert registry.count_sync() == 0
    assert await registry.load_from_storage() == 1
    await registry.clear()
    assert await kept.list() == []
    assert await registry.load_from_storage() == 0


@pytest.mark.parametrize("storage", [None, InMemoryStorage, OwnStorage])
def test_eight_threads_on_one_id_lose_and_repeat_nothing(storage):
    kept = storage and storage()
    registry = PromptRegistry(kept)
    registry.register_sync(active("0.0.1"))
    seen = []

    def work(thread):
        for n in range(20):
            version = f"{thread + 1}.{n}.0"
            registry.register_sync(active(version, template=f"{thread} {n}"))
            registry.update_sync(active(version, template=f"{thread} {n}", status="deprecated"))
            registry.set_label_sync("greeting", "production", version)
            seen.append(registry.get_sync("greeting", label="production").version)
            versions = registry.get_versions_sync("greeting")
            assert len(set(versions)) == len(versions)
            assert version in versions

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    wanted = {"0.0.1"} | {f"{thread + 1}.{n}.0" for thread in range(8) for n in range(20)}
    assert set(registry.get_versions_sync("greeting")) == wanted
    assert len(registry.get_label_history_sync("greeting")) == 160
    for version in wanted - {"0.0.1"}:
        assert registry.get_sync("greeting", version).status == "deprecated"
    if kept is not None:
        stored = {prompt.version: prompt.status for prompt in asyncio.run(kept.list())}
        assert stored == {version: registry.get_sync("greeting", version).status for version in wanted}
    holders = [each for each in wanted if "production" in registry.get_sync("greeting", each).labels]
    assert holders == [registry.get_label_history_sync("greeting")[-1].version]


@pytest.mark.parametrize("storage", [None, InMemoryStorage, OwnStorage])
def test_of_eight_threads_with_different_content_one_wins(storage):
    kept = storage and storage()
    registry = PromptRegistry(kept)

    def work(thread):
        try:
            registry.register_sync(active(template=f"content {thread}"))
        except VersionConflictError:
            return None
        return f"content {thread}"

    with ThreadPoolExecutor(8) as pool:
        won = [text for text in pool.map(work, range(8)) if text]
    assert won == [registry.get_sync("greeting").template.content]
    if kept is not None:
        assert [prompt.template.content for prompt in asyncio.run(kept.list())] == won


def test_a_custom_engine_is_refused_with_an_alternative():
    class Jinja:
        async def render(self, template, variables, *, partials=None): ...

    with pytest.raises(
        TypeError, match=r"needs a prompt_manager\.TemplateEngine, not Jinja; pass your own engine to an integration"
    ):
        PromptRegistry(template_engine=Jinja())


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        ([], "there are no prompts yet: load a directory, or create one with `create_prompt`"),
        (["b"], "the only prompt is b"),
        (["b", "a"], "the prompts are a, b"),
        (list("gfedcba"), "there are 7 prompts, among them a, b, c, d, e; `list_prompts` gives them all"),
    ],
)
def test_an_unknown_id_is_answered_with_those_there_are(ids, hint):
    manager = PromptManager()
    for prompt_id in ids:
        manager.create_prompt_sync(create_text_prompt(id=prompt_id))
    with pytest.raises(PromptNotFoundError) as caught:
        manager.render_sync("unknown", {})
    assert str(caught.value).endswith(f"\n  hint: {hint}")


def test_a_rollback_of_a_label_that_was_never_set_says_how_to_set_it():
    manager = PromptManager()
    manager.create_prompt_sync(create_text_prompt())
    with pytest.raises(VersionNotFoundError, match="hint: a rollback undoes what `set_label` did"):
        manager.rollback_sync("greeting", "production")


def test_wrong_arguments_name_the_class_that_the_caller_uses():
    manager = PromptManager()
    for call in (manager.batch, manager.build_request_sync):
        with pytest.raises(TypeError, match=rf"^PromptManager\.{call.__name__}\(\) missing"):
            call()
        function = getattr(PromptManager, call.__name__)
        assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize(
    ("load", "hint"),
    [
        (lambda: InMemoryStorage().load_sync("unknown"), "save one with `save`"),
        (lambda: VersionStore().list_versions_sync("unknown"), "save a version with `save_version`"),
    ],
    ids=["storage", "version store"],
)
def test_an_empty_store_names_its_own_method_in_the_hint(load, hint):
    with pytest.raises(PromptNotFoundError, match=f"\n  hint: there are no prompts yet: {hint}$"):
        load()
