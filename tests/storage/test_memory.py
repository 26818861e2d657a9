"""Prompts stored in memory."""

from __future__ import annotations

import pytest

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager.exceptions import PromptNotFoundError, VersionConflictError, VersionNotFoundError
from prompt_manager.storage import InMemoryStorage
from prompt_manager.storage.memory import InMemoryStorage as AtHome


@pytest.fixture
def storage():
    return InMemoryStorage()


def test_both_import_paths_give_one_class():
    assert InMemoryStorage is AtHome


async def test_saved_prompts_can_be_loaded(storage):
    first, second = create_text_prompt(status="active"), create_chat_prompt(status="active")
    await storage.save(first)
    storage.save_sync(second)
    assert storage.load_sync("greeting") == await storage.load("greeting", "1.0.0") == first
    assert storage.load_sync("explain", "1.0.0") == await storage.load("explain") == second


async def test_only_a_draft_can_be_replaced(storage):
    await storage.save(create_text_prompt(template="first"))
    await storage.save(create_text_prompt(template="second", status="active"))
    assert storage.load_sync("greeting").template.content == "second"
    with pytest.raises(VersionConflictError):
        await storage.save(create_text_prompt(template="third", status="active"))
    with pytest.raises(VersionConflictError):
        storage.save_sync(create_text_prompt(template="third", status="active"))
    assert storage.load_sync("greeting").template.content == "second"


async def test_the_latest_version_is_loaded(storage):
    for version, status in (("1.0.0", "active"), ("2.0.0", "deprecated"), ("1.10.0", "active")):
        await storage.save(create_text_prompt(version=version, status=status))
    assert (await storage.load("greeting")).version == "1.10.0"


async def test_missing_prompts_raise_errors(storage):
    for call in (storage.load, storage.delete):
        with pytest.raises(PromptNotFoundError):
            await call("greeting")
    for call in (storage.load_sync, storage.delete_sync):
        with pytest.raises(PromptNotFoundError):
            call("greeting", "1.0.0")
    storage.save_sync(create_text_prompt())
    for call in (storage.load_sync, storage.delete_sync):
        with pytest.raises(VersionNotFoundError):
            call("greeting", "2.0.0")


async def test_a_version_or_all_can_be_deleted(storage):
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        storage.save_sync(create_text_prompt(version=version))
    await storage.delete("greeting", "1.0.0")
    assert not await storage.exists("greeting", "1.0.0")
    assert storage.exists_sync("greeting", "2.0.0")
    storage.delete_sync("greeting")
    assert not storage.exists_sync("greeting")
    assert storage.list_sync() == []


async def test_a_list_has_all_matching_versions_in_order(storage):
    for changes in (
        {"version": "1.10.0", "status": "active", "metadata": {"tags": ["a", "b"]}},
        {"version": "1.9.0", "status": "archived", "metadata": {"tags": ["a"]}},
        {"id": "bye", "status": "active"},
    ):
        storage.save_sync(create_text_prompt(**changes))

    def keys(prompts):
        return [f"{prompt.id} {prompt.version}" for prompt in prompts]

    assert keys(await storage.list()) == ["bye 1.0.0", "greeting 1.9.0", "greeting 1.10.0"]
    assert keys(storage.list_sync(tags=["a"])) == ["greeting 1.9.0", "greeting 1.10.0"]
    assert keys(storage.list_sync(tags=["b", "a"])) == ["greeting 1.10.0"]
    assert keys(storage.list_sync(status="active")) == ["bye 1.0.0", "greeting 1.10.0"]
    assert keys(await storage.list(tags=["a"], status="archived")) == ["greeting 1.9.0"]
    with pytest.raises(ValueError, match="unknown status"):
        storage.list_sync(status="done")


async def test_two_storages_are_independent(storage):
    storage.save_sync(create_text_prompt())
    assert not InMemoryStorage().exists_sync("greeting")
