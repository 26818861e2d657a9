"""A manager over a storage takes over what other processes write: labels, versions, deletions, status changes."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from helpers import create_text_prompt
from prompt_manager import PromptManager, PromptRegistry
from prompt_manager.core.models import PromptStatus
from prompt_manager.exceptions import (
    PromptNotFoundError,
    StorageReadError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.storage import FileSystemStorage, InMemoryStorage
from workers import until, worker

pytestmark = pytest.mark.integration

ADA = {"name": "Ada"}

#: A process whose manager takes over changes at each render.
READER = """
from prompt_manager import PromptManager
from prompt_manager.storage import FileSystemStorage

manager = PromptManager.from_storage_sync(FileSystemStorage(sys.argv[1]), refresh=float(sys.argv[2]))

def render(**which):
    return manager.render_sync("greeting", {"name": "Ada"}, **which)
"""


def greeting(version, text=None, **changes):
    template = f"{version}: {{{{name}}}}" if text is None else text
    return create_text_prompt(**{"version": version, "template": template, "status": "active", **changes})


@pytest.fixture
def storage(tmp_path):
    """A storage with two versions, whose label `production` points at the first."""
    storage = FileSystemStorage(tmp_path / "store")
    for version in ("1.0.0", "1.0.1"):
        storage.save_sync(greeting(version))
    storage.set_label_sync("greeting", "production", "1.0.0")
    return storage


def fresh(storage):
    return PromptManager.from_storage_sync(storage, refresh=0)


class AsyncOnly:
    """A storage of an application: coroutines alone, which count the lists of its prompts."""

    def __init__(self, storage):
        self.storage = storage
        self.lists = 0
        self.fails = False

    async def list(self, **filters):
        self.lists += 1
        if self.fails:
            raise OSError("the database is gone")
        return await self.storage.list(**filters)

    async def save(self, prompt):
        await self.storage.save(prompt)

    async def load(self, prompt_id, version=None):
        return await self.storage.load(prompt_id, version)

    async def delete(self, prompt_id, version=None):
        await self.storage.delete(prompt_id, version)

    async def exists(self, prompt_id, version=None):
        return await self.storage.exists(prompt_id, version)

    async def set_label(self, prompt_id, label, version, *, author=None):
        return await self.storage.set_label(prompt_id, label, version, author=author)

    async def get_label_history(self, prompt_id, label=None):
        return await self.storage.get_label_history(prompt_id, label)


class Counting(AsyncOnly):
    """A storage of an application that tells whether something changed."""

    async def generation(self):
        return await self.storage.generation()


def test_a_label_moved_in_one_process_reaches_another(storage, tmp_path):
    with worker(READER, tmp_path / "store", 1.0) as reader:
        assert reader.ask("render(label='production')") == "1.0.0: Ada"
        manager = PromptManager.from_storage_sync(storage)
        manager.set_label_sync("greeting", "production", "1.0.1")
        until(lambda: reader.ask("render(label='production')"), "1.0.1: Ada")
        manager.rollback_sync("greeting", "production")
        until(lambda: reader.ask("render(label='production')"), "1.0.0: Ada")


def test_new_versions_status_changes_and_deletions_reach_another(storage, tmp_path):
    with worker(READER, tmp_path / "store", 0.05) as reader:
        storage.save_sync(greeting("2.0.0"))
        until(lambda: reader.ask("render()"), "2.0.0: Ada")
        storage.save_sync(greeting("2.0.0", status="deprecated"))
        until(lambda: reader.ask("render()"), "1.0.1: Ada")
        storage.delete_sync("greeting", "1.0.1")
        until(lambda: reader.ask("render()"), "1.0.0: Ada")
        storage.save_sync(greeting("3.0.0", "one", status="draft"))
        until(lambda: reader.ask("render(version='3.0.0')"), "one")
        storage.save_sync(greeting("3.0.0", "two", status="draft"))
        reader.ask("render()")
        until(lambda: (reader.ask("render()"), reader.ask("render(version='3.0.0')"))[1], "two")
        storage.delete_sync("greeting")
        missing = "PromptNotFoundError: there is no prompt 'greeting'\n  hint: there are no prompts yet: "
        until(lambda: reader.ask("render()"), missing + "load a directory, or create one with `create_prompt`")
        storage.save_sync(greeting("1.0.0", "other content"))
        until(lambda: reader.ask("render()"), "other content")


def test_between_two_looks_nothing_is_read(storage, tmp_path):
    manager = PromptManager.from_storage_sync(storage, refresh=3600)
    storage.set_label_sync("greeting", "production", "1.0.1")
    (tmp_path / "store").rename(tmp_path / "away")
    for _ in range(100):
        assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"
    assert manager.reload_errors == ()


def test_a_version_asked_for_by_number_needs_no_look(storage, tmp_path):
    manager = fresh(storage)
    (tmp_path / "store").rename(tmp_path / "away")
    assert manager.render_sync("greeting", ADA, version="1.0.0") == "1.0.0: Ada"
    assert manager.reload_errors == ()
    assert manager.render_sync("greeting", ADA) == "1.0.1: Ada"
    assert len(manager.reload_errors) == 1


@pytest.mark.parametrize("call", ["render", "render_messages", "get_prompt", "list_prompts", "count", "plugin"])
@pytest.mark.parametrize("blocks", [True, False])
def test_every_call_for_a_label_takes_over_changes(call, blocks, tmp_path):
    storage = FileSystemStorage(tmp_path)
    for version in ("1.0.0", "1.0.1"):
        messages = [{"role": "user", "content": f"{version}: {{{{name}}}}"}]
        storage.save_sync(greeting(version, None, format="chat", template=None, chat_template={"messages": messages}))
    manager = fresh(storage)
    calls = {
        "render": ("render", ("greeting", ADA), {"label": "beta"}),
        "render_messages": ("render_messages", ("greeting", ADA), {"label": "beta"}),
        "get_prompt": ("get_prompt", ("greeting",), {"label": "beta"}),
        "list_prompts": ("list_prompts", (), {"label": "beta"}),
        "count": ("count", (), {"label": "beta"}),
        "plugin": ("render_for_plugin", ("greeting", ADA, "openai"), {"label": "beta"}),
    }
    name, arguments, options = calls[call]
    owner = manager.registry if call == "count" else manager
    storage.set_label_sync("greeting", "beta", "1.0.1")
    if blocks:
        found = getattr(owner, f"{name}_sync")(*arguments, **options)
    else:
        found = asyncio.run(getattr(owner, name)(*arguments, **options))
    assert "1.0.1" in str(found) if call != "count" else found == 1


@pytest.mark.parametrize("blocks", [True, False])
def test_lists_of_versions_take_over_changes(blocks, storage):
    manager = fresh(storage)
    registry = manager.registry

    def asked(owner, name, *arguments):
        if blocks:
            return getattr(owner, f"{name}_sync")(*arguments)
        return asyncio.run(getattr(owner, name)(*arguments))

    storage.save_sync(greeting("1.0.2"))
    assert asked(registry, "get_versions", "greeting") == ["1.0.0", "1.0.1", "1.0.2"]
    storage.delete_sync("greeting", "1.0.2")
    assert [record.version for record in asked(manager, "get_history", "greeting")] == ["1.0.1", "1.0.0"]
    for number, arguments in enumerate([("other",), ("greeting", "2.0.0")]):
        assert not asked(registry, "exists", *arguments)
        storage.save_sync(create_text_prompt(id=arguments[0], version=("1.0.0", "2.0.0")[number], status="active"))
        assert asked(registry, "exists", *arguments)
    storage.delete_sync("other")
    assert asked(registry, "count") == 1
    assert not asked(registry, "exists", "other")


def test_only_changed_files_are_read_again(storage):
    for number in range(40):
        storage.save_sync(create_text_prompt(id=f"other-{number}", status="active"))
    manager = fresh(storage)
    kept = manager.get_prompt_sync("other-7")
    storage.set_label_sync("greeting", "production", "1.0.1")
    assert manager.get_prompt_sync("greeting", label="production").version == "1.0.1"
    assert manager.get_prompt_sync("other-7") is kept


@pytest.mark.parametrize("damage", ["vanished", "empty", "garbage", "older", "a link", "a directory"])
def test_a_damaged_generation_file_ends_in_a_full_look(damage, storage, tmp_path):
    path = tmp_path / "store" / ".generation"
    old = path.read_bytes()
    manager = fresh(storage)
    storage.set_label_sync("greeting", "production", "1.0.1")
    path.unlink()
    if damage == "older":
        path.write_bytes(old)
    elif damage == "a link":
        path.symlink_to(tmp_path / "outside")
    elif damage == "a directory":
        path.mkdir()
    elif damage != "vanished":
        path.write_bytes(b"" if damage == "empty" else b"\x00 nonsense \xff")
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.1: Ada"
    # Nor does anything get lost while the file stays damaged.
    storage.save_sync(greeting("1.0.2"))
    assert manager.render_sync("greeting", ADA) == "1.0.2: Ada"
    assert not (tmp_path / "outside").exists()


def test_a_storage_of_an_older_version_without_generations_works(storage, tmp_path):
    manager = fresh(storage)
    for text in ("one", "two"):
        (tmp_path / "store" / ".generation").unlink(missing_ok=True)
        file = tmp_path / "store" / "greeting" / "1.0.1.json"
        edited = file.read_text(encoding="utf-8").replace("1.0.1: {{name}}", text).replace("one", text)
        file.write_text(edited, encoding="utf-8")
        assert manager.render_sync("greeting", ADA) == text


def test_a_directory_that_vanishes_and_comes_back(storage, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="prompt_manager")
    manager = fresh(storage)
    store, away = tmp_path / "store", tmp_path / "away"
    store.rename(away)
    for _ in range(3):
        assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"
    (error,) = manager.reload_errors
    assert isinstance(error, StorageReadError)
    assert "missing or empty" in error.message
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    # The empty mount point of a disk that is gone.
    store.mkdir()
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"
    store.rmdir()
    FileSystemStorage(away).set_label_sync("greeting", "production", "1.0.1")
    away.rename(store)
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.1: Ada"
    assert manager.reload_errors == ()
    assert "can be read again" in caplog.text


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_moves_of_labels_say_that_the_directory_is_gone(state, storage, tmp_path):
    manager = fresh(storage)
    (tmp_path / "store").rename(tmp_path / "away")
    if state == "empty":
        (tmp_path / "store").mkdir()
    for move in (
        lambda: manager.rollback_sync("greeting", "production"),
        lambda: manager.set_label_sync("greeting", "production", "1.0.1"),
        lambda: manager.set_label_sync("greeting", "production", None),
        lambda: manager.get_label_history_sync("greeting"),
    ):
        with pytest.raises(PromptNotFoundError, match=f"{tmp_path / 'store'} is missing or empty"):
            move()
    with pytest.raises(PromptNotFoundError, match="the only prompt is greeting"):
        manager.rollback_sync("other", "production")


def test_a_storage_that_loses_all_its_prompts_is_empty(storage):
    manager = fresh(storage)
    storage.delete_sync("greeting")
    with pytest.raises(PromptNotFoundError):
        manager.render_sync("greeting", ADA)


def test_a_damaged_file_keeps_its_last_good_version(storage, tmp_path, caplog):
    manager = fresh(storage)
    file = tmp_path / "store" / "greeting" / "1.0.1.json"
    good = file.read_bytes()
    file.write_bytes(good[:-40])
    storage.save_sync(create_text_prompt(id="other", status="active"))
    assert manager.render_sync("other", ADA) == "Hello Ada!"
    assert manager.render_sync("greeting", ADA) == "1.0.1: Ada"
    (error,) = manager.reload_errors
    assert str(file) in str(error)
    assert caplog.text.count("The last good prompts stay in use") == 1
    # A repair by hand is seen too.
    file.write_bytes(good.replace(b"1.0.1: ", b"better: "))
    assert manager.render_sync("greeting", ADA) == "better: Ada"
    assert manager.reload_errors == ()


def test_a_damaged_label_file_keeps_the_last_good_labels(storage, tmp_path):
    manager = fresh(storage)
    (tmp_path / "store" / "greeting" / ".labels.json").write_text("{", encoding="utf-8")
    storage.save_sync(create_text_prompt(id="other", status="active"))
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"
    assert len(manager.reload_errors) == 1


def test_a_label_whose_version_is_deleted_is_gone(storage):
    manager = fresh(storage)
    storage.delete_sync("greeting", "1.0.0")
    with pytest.raises(VersionNotFoundError):
        manager.render_sync("greeting", ADA, label="production")


def test_a_process_sees_its_own_writes_at_once(storage):
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    prompt = manager.get_prompt_sync("greeting")
    for number in range(20):
        prompt = manager.update_prompt_sync(prompt, template=f"{number} {{{{name}}}}")
        manager.set_label_sync("greeting", "production", prompt.version)
        assert manager.render_sync("greeting", ADA, label="production") == f"{number} Ada"
    manager.delete_prompt_sync("greeting", prompt.version)
    assert manager.render_sync("greeting", ADA) == "18 Ada"
    assert manager.reload_errors == ()


def test_writers_and_readers_in_one_process_agree_with_the_storage(storage):
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            found = manager.render_sync("greeting", ADA, label="production")
            if found not in {"1.0.0: Ada", "1.0.1: Ada"}:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(60):
        version = ("1.0.0", "1.0.1")[number % 2]
        manager.set_label_sync("greeting", "production", version)
        # No look that began before the move may undo it.
        seen = {manager.render_sync("greeting", ADA, label="production") for _ in range(5)}
        wrong.extend(seen - {f"{version}: Ada"})
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_a_version_that_another_process_registered_first_is_a_reload_error(storage):
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    manager.registry.register_sync(greeting("2.0.0", "mine"), persist=False)
    storage.save_sync(greeting("2.0.0", "theirs"))
    assert manager.render_sync("greeting", ADA) == "mine"
    (error,) = manager.reload_errors
    assert isinstance(error, VersionConflictError)


def test_observers_hear_of_labels_that_others_moved(storage):
    moved = []

    class Observer:
        def on_label_moved(self, prompt_id, move):
            moved.append((prompt_id, move.label, move.previous, move.version, move.author))

    manager = PromptManager.from_storage_sync(storage, refresh=0, observers=[Observer()])
    storage.set_label_sync("greeting", "production", "1.0.1", author="Bo")
    manager.render_sync("greeting", ADA)
    storage.delete_sync("greeting", "1.0.1")
    asyncio.run(manager.render("greeting", ADA))
    assert moved == [
        ("greeting", "production", "1.0.0", "1.0.1", "Bo"),
        ("greeting", "production", "1.0.1", None, None),
    ]
    manager.set_label_sync("greeting", "production", "1.0.0")
    manager.render_sync("greeting", ADA)
    assert len(moved) == 3


WRITER = """
import random, sys
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
print("ready", flush=True)
while True:
    storage.set_label_sync("greeting", "production", random.choice(["1.0.0", "1.0.1"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
def test_a_killed_writer_leaves_no_reader_with_old_text(storage, tmp_path):
    manager = fresh(storage)
    for milliseconds in (0, 1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(milliseconds / 1000)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        (version,) = [prompt.version for prompt in storage.list_sync() if "production" in prompt.labels]
        assert manager.render_sync("greeting", ADA, label="production") == f"{version}: Ada"


def render_in_child(manager, asked, answers):
    for label in iter(asked.get, None):
        answers.put(manager.render_sync("greeting", ADA, label=label))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_workers_forked_after_the_load_take_over_changes(storage):
    """As with `gunicorn --preload`: the application loads the prompts, and its workers are forked later."""
    manager = fresh(storage)
    manager.render_sync("greeting", ADA)
    context = multiprocessing.get_context("fork")
    asked, answers = context.Queue(), context.Queue()
    children = [context.Process(target=render_in_child, args=(manager, asked, answers)) for _ in range(2)]
    for child in children:
        child.start()
    storage.set_label_sync("greeting", "production", "1.0.1")
    for _ in range(6):
        asked.put("production")
    assert [answers.get(timeout=60) for _ in range(6)] == ["1.0.1: Ada"] * 6
    for _ in children:
        asked.put(None)
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_in_the_middle_of_looks_leaves_a_working_child(storage):
    manager = fresh(storage)
    stop = threading.Event()

    def work():
        number = 0
        while not stop.is_set():
            number += 1
            storage.set_label_sync("greeting", "production", ("1.0.0", "1.0.1")[number % 2])
            manager.render_sync("greeting", ADA, label="production")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                for _ in range(5):
                    manager.render_sync("greeting", ADA, label="production")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("make", [AsyncOnly, Counting])
def test_a_storage_of_an_application_is_asked_too(make):
    memory = InMemoryStorage()
    for version in ("1.0.0", "1.0.1"):
        memory.save_sync(greeting(version))
    storage = make(memory)

    async def main():
        manager = await PromptManager.from_storage(storage, refresh=0)
        lists = storage.lists
        for _ in range(3):
            assert await manager.render("greeting", ADA) == "1.0.1: Ada"
        # One that tells whether something changed is not listed again.
        assert storage.lists - lists == (0 if make is Counting else 3)
        memory.set_label_sync("greeting", "production", "1.0.0")
        assert await manager.render("greeting", ADA, label="production") == "1.0.0: Ada"
        memory.delete_sync("greeting", "1.0.1")
        assert await manager.render("greeting", ADA) == "1.0.0: Ada"

    asyncio.run(main())


def test_a_storage_of_an_application_that_fails_keeps_the_prompts(caplog):
    memory = InMemoryStorage()
    memory.save_sync(greeting("1.0.0"))
    storage = AsyncOnly(memory)
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    storage.fails = True
    memory.save_sync(greeting("1.0.1"))
    for _ in range(3):
        assert manager.render_sync("greeting", ADA) == "1.0.0: Ada"
    (error,) = manager.reload_errors
    assert isinstance(error, StorageReadError)
    assert isinstance(error.__cause__, OSError)
    assert caplog.text.count("AsyncOnly raised OSError") == 1
    storage.fails = False
    assert manager.render_sync("greeting", ADA) == "1.0.1: Ada"
    assert manager.reload_errors == ()


STORAGES = [FileSystemStorage, lambda _: InMemoryStorage(), lambda _: AsyncOnly(InMemoryStorage())]
STORAGE_KINDS = pytest.mark.parametrize("make", STORAGES, ids=["files", "memory", "application"])


def label(storage, version):
    asyncio.run(storage.set_label("greeting", "production", version))


def publish(storage, version):
    asyncio.run(storage.save(greeting(version)))
    label(storage, version)


@STORAGE_KINDS
@pytest.mark.parametrize("refresh", [None, 3600, 0])
def test_a_rollback_goes_to_a_version_that_another_process_saved(make, refresh, tmp_path):
    storage = make(tmp_path)
    publish(storage, "1.0.0")
    manager = PromptManager.from_storage_sync(storage, refresh=refresh)
    for version in ("1.0.1", "1.0.2", "1.0.3"):
        publish(storage, version)
    asyncio.run(storage.delete("greeting", "1.0.2"))
    move = manager.rollback_sync("greeting", "production", author="Bo")
    assert (move.previous, move.version) == ("1.0.3", "1.0.1")
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.1: Ada"
    assert asyncio.run(manager.rollback("greeting", "production")).version == "1.0.0"
    assert asyncio.run(manager.render("greeting", ADA, label="production")) == "1.0.0: Ada"


@STORAGE_KINDS
@pytest.mark.parametrize("refresh", [None, 3600, 0])
def test_a_label_moves_to_a_version_that_another_process_saved(make, refresh, tmp_path):
    storage = make(tmp_path)
    manager = PromptManager.from_storage_sync(storage, refresh=refresh)
    publish(storage, "1.0.0")
    assert [move.version for move in manager.get_label_history_sync("greeting")] == ["1.0.0"]
    assert manager.set_label_sync("greeting", "stable", "1.0.0").version == "1.0.0"
    assert manager.render_sync("greeting", ADA, label="stable") == "1.0.0: Ada"
    # A label that only the storage knows can be taken off.
    asyncio.run(storage.set_label("greeting", "beta", "1.0.0"))
    assert manager.set_label_sync("greeting", "beta", None).previous == "1.0.0"
    with pytest.raises(VersionNotFoundError, match=r"has no version 9\.0\.0"):
        manager.set_label_sync("greeting", "stable", "9.0.0")
    with pytest.raises(VersionNotFoundError, match="has no label 'gamma'"):
        manager.set_label_sync("greeting", "gamma", None)
    with pytest.raises(PromptNotFoundError):
        manager.set_label_sync("nothing", "stable", "1.0.0")


def test_a_storage_that_cannot_tell_what_exists_keeps_labels():
    storage = AsyncOnly(InMemoryStorage())
    for version in ("1.0.0", "1.0.1"):
        publish(storage, version)

    class Older:
        load, list, save = storage.load, storage.list, storage.save
        set_label, get_label_history = storage.set_label, storage.get_label_history

    manager = PromptManager.from_storage_sync(Older(), refresh=None)
    assert manager.rollback_sync("greeting", "production").version == "1.0.0"
    assert manager.set_label_sync("greeting", "production", "1.0.1").previous == "1.0.0"


@STORAGE_KINDS
def test_a_label_that_another_process_moved_there_first_moves_here_too(make, tmp_path):
    storage = make(tmp_path)
    for version in ("1.0.1", "1.0.0"):
        publish(storage, version)
    manager = PromptManager.from_storage_sync(storage, refresh=None)
    label(storage, "1.0.1")
    move = manager.set_label_sync("greeting", "production", "1.0.1")
    assert (move.previous, move.version) == ("1.0.1", "1.0.1")
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.1: Ada"


def test_two_processes_that_roll_back_at_once_go_one_step_back(storage, monkeypatch):
    """Both mean the version that they found. Only the first move counts, and the second one says so."""
    moved = []

    class Observer:
        def on_label_moved(self, prompt_id, move):
            moved.append((prompt_id, move))

    storage.set_label_sync("greeting", "production", "1.0.1")
    one, other = fresh(storage), PromptManager.from_storage_sync(storage, refresh=None, observers=[Observer()])
    read = FileSystemStorage.get_label_history_sync

    def read_and_be_overtaken(self, *arguments):
        moves = read(self, *arguments)
        monkeypatch.undo()
        assert one.rollback_sync("greeting", "production").version == "1.0.0"
        return moves

    monkeypatch.setattr(FileSystemStorage, "get_label_history_sync", read_and_be_overtaken)
    move = other.rollback_sync("greeting", "production")
    assert (move.previous, move.version) == ("1.0.0", "1.0.0")
    assert moved == []
    assert [each.version for each in storage.get_label_history_sync("greeting")] == ["1.0.0", "1.0.1", "1.0.0"]
    for manager in (one, other):
        assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"


def test_registries_over_one_storage_in_memory_see_each_other():
    storage = InMemoryStorage()
    one = PromptManager(PromptRegistry(storage), refresh=0)
    other = PromptManager(PromptRegistry(storage), refresh=0)
    first = one.create_prompt_sync(greeting("1.0.0"))
    assert other.render_sync("greeting", ADA) == "1.0.0: Ada"
    other.update_prompt_sync(first, template="Hi {{name}}!")
    assert one.render_sync("greeting", ADA) == "Hi Ada!"
    one.registry.update_sync(one.get_prompt_sync("greeting").replace(status=PromptStatus.ARCHIVED))
    assert other.render_sync("greeting", ADA) == "1.0.0: Ada"


@pytest.mark.parametrize("refresh", [-1, float("nan"), float("inf")])
def test_an_impossible_interval_is_refused(refresh, storage):
    with pytest.raises(ValueError, match="refresh must be a number of seconds"):
        PromptManager.from_storage_sync(storage, refresh=refresh)


def test_refresh_needs_a_storage_and_can_be_left_out(storage):
    with pytest.raises(ValueError, match="the registry has none"):
        PromptManager(refresh=1.0)
    manager = PromptManager.from_storage_sync(storage, refresh=None)
    storage.set_label_sync("greeting", "production", "1.0.1")
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.0: Ada"


def test_a_manager_that_takes_over_changes_is_freed(storage):
    import gc
    import weakref

    manager = fresh(storage)
    manager.render_sync("greeting", ADA)
    registry = weakref.ref(manager.registry)
    del manager
    gc.collect()
    assert registry() is None


@pytest.mark.parametrize("kind", [FileSystemStorage, InMemoryStorage])
@pytest.mark.parametrize("refresh", [0, 0.01])
def test_a_draft_replaced_during_a_write_is_the_newer_one(kind, refresh, tmp_path, monkeypatch):
    """This process saves, another one replaces the draft, a look takes it over, and the write goes on."""
    storage = kind(tmp_path / "store") if kind is FileSystemStorage else kind()
    manager = PromptManager.from_storage_sync(storage, refresh=refresh)
    manager.create_prompt_sync(greeting("1.0.0", "old", status="draft"))
    save = kind.save_sync

    def save_and_be_overtaken(self, prompt):
        save(self, prompt)
        save(self, greeting("1.0.0", "theirs", status="draft"))
        time.sleep(2 * refresh)
        assert manager.render_sync("greeting") == "theirs"

    monkeypatch.setattr(kind, "save_sync", save_and_be_overtaken)
    manager.create_prompt_sync(greeting("1.0.0", "ours", status="draft"))
    for _ in range(3):
        time.sleep(2 * refresh)
        assert manager.render_sync("greeting") == "theirs"
