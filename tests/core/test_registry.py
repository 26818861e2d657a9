"""The registry: versions, latest, labels, lists, and a storage of the user's own."""

from __future__ import annotations

import asyncio

import pytest

from helpers import chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import PromptRegistry, TemplateEngine
from prompt_manager.core.models import PromptSummary
from prompt_manager.exceptions import (
    PromptNotFoundError,
    StorageWriteError,
    TemplateSyntaxError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.storage import InMemoryStorage


@pytest.fixture
def registry():
    return PromptRegistry()


def active(version="1.0.0", **changes):
    return create_text_prompt(version=version, status="active", **changes)


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
    async def test_adds_a_prompt_that_can_be_had_again(self, registry, register):
        prompt = active()
        await register(prompt)
        assert await registry.get("greeting") == prompt
        assert registry.get_sync("greeting", "1.0.0") == prompt

    async def test_replaces_a_draft(self, registry, register):
        await register(create_text_prompt(template="first {{name}}"), create_text_prompt(template="second"))
        assert registry.get_sync("greeting").template.content == "second"
        await register(active(template="third"))
        assert registry.get_sync("greeting").template.content == "third"

    @pytest.mark.parametrize("status", ["active", "deprecated", "archived"])
    async def test_refuses_other_content_for_a_version_that_is_no_draft(self, registry, register, status):
        first = create_text_prompt(status=status)
        await register(first)
        with pytest.raises(VersionConflictError, match="greeting") as caught:
            await register(create_text_prompt(status=status, template="Bye {{name}}"))
        assert caught.value.context["prompt_id"] == "greeting"
        assert caught.value.context["version"] == "1.0.0"
        assert registry.get_sync("greeting", "1.0.0") == first

    async def test_does_nothing_for_the_same_content(self, registry, register):
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
    async def test_what_changes_the_model_s_input_is_other_content(self, register, change):
        await register(active())
        with pytest.raises(VersionConflictError):
            await register(active(**change))

    async def test_refuses_a_template_that_does_not_parse(self, registry, register):
        with pytest.raises(TemplateSyntaxError, match="never closed") as caught:
            await register(active(template="\n{{#if a}}"))
        assert caught.value.context["prompt_id"] == "greeting"
        assert (caught.value.line, caught.value.column) == (2, 1)
        assert not registry.exists_sync("greeting")

    async def test_refuses_any_template_of_a_chat_that_does_not_parse(self, registry, register):
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

    async def test_what_is_registered_cannot_be_changed_through_a_reference(self, registry, register):
        custom = {"a": [1]}
        prompt = active(metadata={"custom": custom}, tools=[{"name": "f", "parameters": {"type": "object"}}])
        await register(prompt)
        for reference in (prompt, registry.get_sync("greeting")):
            reference.metadata.custom["evil"] = True
            reference.tools[0].parameters["evil"] = True
            reference.template.partials["evil"] = "{{evil}}"
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
def test_the_latest_version_is(registry, versions, expected, backwards):
    for version, status in reversed(versions) if backwards else versions:
        registry.register_sync(create_text_prompt(version=version, status=status))
    assert registry.get_sync("greeting").version == expected
    assert [summary.version for summary in registry.list_sync()] == [expected]


class TestGet:
    def test_names_the_nearest_where_the_id_is_unknown(self, registry):
        registry.register_sync(active())
        with pytest.raises(PromptNotFoundError, match="greting") as caught:
            registry.get_sync("greting")
        assert "greeting" in str(caught.value)
        assert caught.value.context["prompt_id"] == "greting"

    def test_finds_nothing_where_all_versions_are_archived(self, registry):
        registry.register_sync(create_text_prompt(status="archived"))
        with pytest.raises(PromptNotFoundError, match="archived"):
            registry.get_sync("greeting")
        assert registry.get_sync("greeting", "1.0.0").status == "archived"
        assert registry.list_sync() == []

    @pytest.mark.parametrize("version", ["9.9.9", "1.0", "latest", ""])
    def test_names_the_versions_where_one_is_unknown(self, registry, version):
        registry.register_sync(active())
        with pytest.raises(VersionNotFoundError) as caught:
            registry.get_sync("greeting", version)
        assert caught.value.context["prompt_id"] == "greeting"

    def test_finds_by_label(self, registry):
        registry.register_sync(active("1.0.0", labels=["production"]))
        registry.register_sync(active("2.0.0", labels=["staging"]))
        assert registry.get_sync("greeting", label="production").version == "1.0.0"
        assert registry.get_sync("greeting", label="staging").version == "2.0.0"
        with pytest.raises(VersionNotFoundError, match="canary"):
            registry.get_sync("greeting", label="canary")

    def test_takes_a_version_or_a_label(self, registry):
        registry.register_sync(active(labels=["production"]))
        with pytest.raises(ValueError, match="not both"):
            registry.get_sync("greeting", "1.0.0", label="production")


@pytest.fixture
def shelf(registry):
    """Five prompts, one of them archived."""
    for prompt in (
        active(id="b/two", metadata={"tags": ["x", "y"], "category": "service"}, labels=["production"]),
        active(id="a", metadata={"tags": ["x"], "description": "First", "author": "Ada"}),
        active("2.0.0", id="a", metadata={"tags": ["z"], "description": "Second", "author": "Bo"}),
        create_chat_prompt(id="c", status="deprecated", metadata={"category": "service"}),
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
async def test_a_list_has_the_latest_versions_that_fit(shelf, filters, expected):
    assert [summary.id for summary in await shelf.list(**filters)] == expected
    assert [summary.id for summary in shelf.list_sync(**filters)] == expected


def test_a_list_gives_light_summaries(shelf):
    first = shelf.list_sync()[0]
    assert first == PromptSummary(
        id="a", version="2.0.0", format="text", status="active", description="Second", author="Bo", tags=("z",)
    )


@pytest.mark.parametrize("filters", [{"status": "done"}, {"format": "poem"}])
def test_a_list_refuses_words_that_do_not_exist(shelf, filters):
    with pytest.raises(ValueError, match="is not a valid"):
        shelf.list_sync(**filters)


class TestDelete:
    async def test_removes_one_version_or_all(self, registry):
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            registry.register_sync(active(version))
        await registry.delete("greeting", "2.0.0")
        assert await registry.get_versions("greeting") == ["1.0.0", "3.0.0"]
        registry.delete_sync("greeting", "3.0.0")
        assert registry.get_versions_sync("greeting") == ["1.0.0"]
        registry.delete_sync("greeting")
        assert not registry.exists_sync("greeting")
        assert registry.count_sync() == await registry.count() == 0

    async def test_of_the_last_version_removes_the_prompt(self, registry):
        registry.register_sync(active())
        registry.delete_sync("greeting", "1.0.0")
        assert not await registry.exists("greeting")

    def test_of_what_is_not_there_says_so(self, registry):
        with pytest.raises(PromptNotFoundError):
            registry.delete_sync("greeting")
        with pytest.raises(PromptNotFoundError):
            registry.delete_sync("greeting", "1.0.0")
        registry.register_sync(active())
        with pytest.raises(VersionNotFoundError):
            registry.delete_sync("greeting", "2.0.0")
        assert registry.exists_sync("greeting", "1.0.0")


async def test_existence_and_versions_are_told(registry):
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
    """A storage that somebody else wrote: it really waits, and refuses ids that begin with ``no``."""

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
    """Our storage with something awaited before it."""

    async def save(self, prompt):
        await asyncio.sleep(0)
        await super().save(prompt)

    async def list(self, *, tags=None, status=None):
        await asyncio.sleep(0)
        return await super().list(tags=tags, status=status)


STORAGES = [InMemoryStorage, OwnStorage, WaitingMemory]


@pytest.mark.parametrize("storage", STORAGES)
class TestStorage:
    async def test_keeps_what_is_registered(self, storage):
        kept = storage()
        registry = PromptRegistry(kept)
        assert registry.storage is kept
        await registry.register(active())
        assert [prompt.id for prompt in await kept.list()] == ["greeting"]
        await registry.delete("greeting")
        assert await kept.list() == []

    def test_keeps_it_without_an_event_loop_too(self, storage):
        kept = storage()
        registry = PromptRegistry(kept)
        registry.register_sync(active())
        registry.register_sync(active("2.0.0"))
        registry.delete_sync("greeting", "1.0.0")
        assert [prompt.version for prompt in asyncio.run(kept.list())] == ["2.0.0"]

    async def test_gives_its_prompts_to_another_registry(self, storage):
        kept = storage()
        first = PromptRegistry(kept)
        await first.register(active())
        await first.register(active("2.0.0"))
        second = PromptRegistry(kept)
        assert await second.load_from_storage() == 2
        assert second.get_versions_sync("greeting") == ["1.0.0", "2.0.0"]

    def test_gives_them_without_an_event_loop_too(self, storage):
        kept = storage()
        PromptRegistry(kept).register_sync(active())
        second = PromptRegistry(kept)
        assert second.load_from_storage_sync() == 1
        assert second.get_sync("greeting").template.content == "Hello {{name}}!"


class TestOwnStorage:
    async def test_that_refuses_leaves_the_registry_as_it_was(self):
        registry = PromptRegistry(OwnStorage())
        with pytest.raises(StorageWriteError, match="disk is full"):
            await registry.register(active(id="no/greeting"))
        assert not registry.exists_sync("no/greeting")
        assert registry.list_sync() == []

    def test_that_refuses_does_so_without_an_event_loop_too(self):
        registry = PromptRegistry(OwnStorage())
        with pytest.raises(StorageWriteError):
            registry.register_sync(active(id="no/greeting"))
        assert registry.count_sync() == 0

    async def test_that_refuses_to_delete_keeps_the_prompt_registered(self):
        class ReadOnly(OwnStorage):
            async def delete(self, prompt_id, version=None):  # noqa: ARG002 - the protocol's
                raise StorageWriteError("read-only")

        registry = PromptRegistry(ReadOnly())
        await registry.register(active())
        with pytest.raises(StorageWriteError, match="read-only"):
            await registry.delete("greeting")
        assert registry.exists_sync("greeting")

    async def test_is_not_asked_for_what_the_registry_refuses(self):
        storage = OwnStorage()
        registry = PromptRegistry(storage)
        await registry.register(active())
        with pytest.raises(VersionConflictError):
            await registry.register(active(template="other"))
        with pytest.raises(TemplateSyntaxError):
            await registry.register(active("2.0.0", template="{{#if a}}"))
        assert [prompt.template.content for prompt in storage.kept.values()] == ["Hello {{name}}!"]

    async def test_two_at_once_leave_storage_and_registry_with_the_same(self):
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
    async def test_that_refuses_one_of_two_drafts_at_once_leaves_what_it_keeps(self, refused):
        class Picky(OwnStorage):
            async def save(self, prompt):
                for _ in range(3 if prompt.template.content == "one" else 5):
                    await asyncio.sleep(0)
                if prompt.template.content in refused:
                    raise StorageWriteError("the disk is full")
                await super().save(prompt)

        storage = Picky()
        registry = PromptRegistry(storage)
        drafts = [create_text_prompt(template=text) for text in ("one", "two")]
        await asyncio.gather(*map(registry.register, drafts), return_exceptions=True)
        held = [registry.get_sync("greeting")] if registry.exists_sync("greeting") else []
        assert held == list(storage.kept.values())

    async def test_that_is_given_up_on_while_it_waits_leaves_nothing(self):
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

    async def test_in_a_running_loop_the_twin_says_what_to_await(self):
        registry = PromptRegistry(OwnStorage())
        for name, call in (
            ("register", lambda: registry.register_sync(active())),
            ("load_from_storage", registry.load_from_storage_sync),
        ):
            with pytest.raises(RuntimeError, match=f"await {name}") as caught:
                call()
            assert "OwnStorage" in str(caught.value)
        assert registry.count_sync() == 0

    async def test_in_a_running_loop_reading_still_works(self):
        registry = PromptRegistry(OwnStorage())
        await registry.register(active())
        assert registry.get_sync("greeting").id == "greeting"
        assert len(registry.list_sync()) == 1

    async def test_of_ours_has_working_twins_in_a_running_loop(self):
        registry = PromptRegistry(InMemoryStorage())
        registry.register_sync(active())
        registry.delete_sync("greeting")
        assert registry.count_sync() == 0


def test_without_a_storage_there_is_nothing_to_load(registry):
    assert registry.storage is None
    assert registry.load_from_storage_sync() == 0


def test_the_registry_s_engine_compiles(registry):
    engine = TemplateEngine(allow_none=True)
    engine.register_partial("sign", "Bye")
    own = PromptRegistry(template_engine=engine)
    assert own.template_engine is engine
    prompt = active(template="{{name}}{{> sign}}")
    for home in (registry, own):  # compiled by one engine, then by the other
        home.register_sync(prompt)
    assert own._core.render("greeting", {"name": None}) == "Bye"
