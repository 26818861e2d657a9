"""Versions, labels and histories of prompts that are stored in files."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, VersionStore
from prompt_manager.exceptions import VersionConflictError, VersionNotFoundError
from prompt_manager.storage import FileSystemStorage


@pytest.fixture
def opened(tmp_path):
    """Open a new manager on the files, as another process would."""

    def make():
        registry = PromptRegistry(FileSystemStorage(tmp_path / "prompts"))
        registry.load_from_storage_sync()
        return PromptManager(registry, version_store=VersionStore(tmp_path / "history"))

    return make


def moves(manager):
    return [(move.label, move.previous, move.version) for move in manager.get_label_history_sync("greeting")]


async def test_another_manager_sees_all_changes(opened):
    manager = opened()
    first = await manager.create_prompt(create_text_prompt(status="active", labels=["file"]), changelog="First")
    second = await manager.update_prompt(first, template="Hi {{name}}!", author="Ada")
    await manager.set_label("greeting", "production", first.version)
    await manager.set_label("greeting", "production", second.version)
    await manager.rollback("greeting", "production")
    await manager.delete_prompt("greeting", second.version)
    third = await manager.update_prompt(first, template="Ho {{name}}!")
    await manager.update_prompt(first, status="deprecated")

    other = opened()
    assert other.registry.get_versions_sync("greeting") == ["1.0.0", "1.0.1"]
    assert other.get_prompt_sync("greeting") == manager.get_prompt_sync("greeting") == third
    assert other.get_prompt_sync("greeting", label="file").status == "deprecated"
    assert other.render_sync("greeting", {"name": "Bo"}, label="production") == "Hello Bo!"
    assert other.get_history_sync("greeting") == manager.get_history_sync("greeting")
    assert [record.changelog for record in other.get_history_sync("greeting")] == [None, "First"]
    assert (
        moves(other)
        == moves(manager)
        == [
            ("production", None, "1.0.0"),
            ("production", "1.0.0", "1.0.1"),
            ("production", "1.0.1", "1.0.0"),
        ]
    )


async def test_sync_methods_work_in_a_running_loop(opened):
    manager = opened()
    first = manager.create_prompt_sync(create_text_prompt(status="active"))
    manager.update_prompt_sync(first, template="Hi {{name}}!")
    manager.set_label_sync("greeting", "production", "1.0.0")
    manager.delete_prompt_sync("greeting", "1.0.0")
    with pytest.raises(VersionNotFoundError):
        manager.get_prompt_sync("greeting", label="production")
    assert moves(manager) == [("production", None, "1.0.0"), ("production", "1.0.0", None)] == moves(opened())


async def test_versions_of_another_process_are_not_overwritten(opened):
    mine, theirs = opened(), opened()
    await theirs.create_prompt(create_text_prompt(status="active", template="theirs"))
    with pytest.raises(VersionConflictError):
        await mine.create_prompt(create_text_prompt(status="active", template="mine"))
    assert not mine.registry.exists_sync("greeting")
    await mine.registry.load_from_storage()
    assert mine.get_prompt_sync("greeting").template.content == "theirs"


def test_threads_and_tasks_writing_one_prompt_lose_nothing(opened):
    manager = opened()
    manager.create_prompt_sync(create_text_prompt(status="active"))

    async def tasks(thread):
        await asyncio.gather(
            *(
                manager.create_prompt(
                    create_text_prompt(version=f"{thread}.{n}.0", status="active", template=f"{thread} {n}")
                )
                for n in range(4)
            )
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda thread: asyncio.run(tasks(thread)), range(2, 10)))
    wanted = ["1.0.0", *(f"{thread}.{n}.0" for thread in range(2, 10) for n in range(4))]
    assert manager.registry.get_versions_sync("greeting") == wanted
    assert opened().registry.get_versions_sync("greeting") == wanted
    assert [record.version for record in manager.get_history_sync("greeting")] == wanted[::-1]
