"""Work on one store runs in the order in which it was asked for, whatever is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from helpers import create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.core._keyed_lock import ALL_KEYS, KeyedLock
from prompt_manager.core._sync import AWAITING, BLOCKING
from prompt_manager.core.models import PromptVersion
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.storage import FileSystemStorage, InMemoryStorage
from prompt_manager.versioning import VersionStore

#: Writing it takes longer than writing a short text.
LONG = "x" * 20_000


def draft(content, **changes):
    return create_text_prompt(template=content, **changes)


async def cancelled_after(steps, coroutine):
    """Start a coroutine as a task, let the loop run so many steps, and cancel it."""
    task = asyncio.ensure_future(coroutine)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class TestACancelledWrite:
    """500 rounds in all: a write, another that is cancelled, and a third, which is the one that counts."""

    @pytest.mark.parametrize("format", ["json", "yaml"])
    async def test_never_replaces_a_later_one_in_files(self, tmp_path, format):
        storage = FileSystemStorage(tmp_path, format=format)
        for number in range(100):
            await storage.save(draft(f"first {number}"))
            await cancelled_after(1 + number % 3, storage.save(draft(f"old {number} {LONG}")))
            await storage.save(draft(f"new {number}"))
            await asyncio.sleep(0.001)
            assert (await storage.load("greeting")).template.content == f"new {number}"

    async def test_never_replaces_a_later_one_in_the_version_store(self, tmp_path):
        store = VersionStore(tmp_path)
        for number in range(100):
            await store.save_version(PromptVersion(prompt=draft(f"first {number}")))
            old = PromptVersion(prompt=draft(f"old {number} {LONG}"))
            await cancelled_after(1 + number % 3, store.save_version(old))
            await store.save_version(PromptVersion(prompt=draft(f"new {number}")))
            await asyncio.sleep(0.001)
            assert (await store.get_latest("greeting")).prompt.template.content == f"new {number}"

    async def test_leaves_registry_and_files_with_the_same(self, tmp_path):
        storage = FileSystemStorage(tmp_path)
        registry = PromptRegistry(storage)
        for number in range(100):
            await registry.register(draft(f"first {number}"))
            await cancelled_after(1 + number % 4, registry.register(draft(f"old {number} {LONG}")))
            if number % 2:
                await registry.register(draft(f"new {number}"))
                assert registry.get_sync("greeting").template.content == f"new {number}"
            else:
                await registry.load_from_storage()
            assert registry.get_sync("greeting") == await storage.load("greeting")

    async def test_never_moves_a_label_after_a_later_move(self, tmp_path):
        storage = FileSystemStorage(tmp_path)
        registry = PromptRegistry(storage)
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            await registry.register(draft("Hello", version=version, status="active"))
        for number in range(100):
            part = storage if number % 2 else registry
            await part.set_label("greeting", "production", "1.0.0")
            await cancelled_after(1 + number % 4, part.set_label("greeting", "production", "2.0.0"))
            await part.set_label("greeting", "production", "3.0.0")
            await asyncio.sleep(0.001)
            assert (await storage.load("greeting", "3.0.0")).labels == ("production",)
        moves = await storage.get_label_history("greeting")
        assert all(before.version == after.previous for before, after in pairwise(moves))
        await registry.load_from_storage()
        assert registry.get_sync("greeting", label="production").version == "3.0.0"


class TestAFileStore:
    async def test_never_begins_a_write_that_is_cancelled_while_it_waits(self, tmp_path):
        storage = FileSystemStorage(tmp_path)
        storage.save_sync(draft("zeroth", version="0.1.0"))
        with held_lock(tmp_path / "greeting" / ".lock"):
            tasks = [asyncio.ensure_future(storage.save(draft("a", version=f"{n}.0.0"))) for n in range(1, 31)]
            await asyncio.sleep(0)
            for task in tasks[1:]:
                task.cancel()
            await asyncio.wait(tasks[1:])
        await tasks[0]
        await storage.save(draft("last", version="99.0.0"))
        assert [prompt.version for prompt in await storage.list()] == ["0.1.0", "1.0.0", "99.0.0"]

    async def test_reads_what_was_asked_for_before(self, tmp_path):
        storage = FileSystemStorage(tmp_path)
        for number in range(50):
            _, loaded, _, exists, _, listed = await asyncio.gather(
                storage.save(draft(f"{LONG} {number}")),
                storage.load("greeting"),
                storage.delete("greeting"),
                storage.exists("greeting"),
                storage.save(draft("short")),
                storage.list(),
            )
            assert loaded.template.content == f"{LONG} {number}"
            assert exists is False
            assert [prompt.template.content for prompt in listed] == ["short"]

    async def test_takes_a_blocking_call_in_turn_with_awaited_ones(self, tmp_path):
        storage = FileSystemStorage(tmp_path)
        for number in range(50):
            task = asyncio.ensure_future(storage.save(draft(f"awaited {number} {LONG}")))
            await asyncio.sleep(0)
            storage.save_sync(draft(f"blocking {number}"))
            assert storage.load_sync("greeting").template.content == f"blocking {number}"
            await task
            assert (await storage.load("greeting")).template.content == f"blocking {number}"

    def test_serves_threads_and_event_loops_at_once(self, tmp_path):
        storage = FileSystemStorage(tmp_path)

        async def awaiting(name):
            await asyncio.gather(*(storage.save(draft("a", id=name, version=f"1.{n}.0")) for n in range(20)))

        def work(number):
            if number % 2:
                asyncio.run(awaiting(f"p{number}"))
            else:
                for n in range(20):
                    storage.save_sync(draft("a", id=f"p{number}", version=f"1.{n}.0"))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert len(storage.list_sync()) == 160

    async def test_does_not_wait_for_another(self, tmp_path):
        storage, other = FileSystemStorage(tmp_path / "a"), FileSystemStorage(tmp_path / "b")
        storage.save_sync(draft("first"))
        with held_lock(tmp_path / "a" / "greeting" / ".lock"):
            waiting = asyncio.ensure_future(storage.save(draft("second")))
            await asyncio.sleep(0.01)
            await other.save(draft("other"))
            other.save_sync(draft("another"))
            assert not waiting.done()
        await waiting
        assert storage.load_sync("greeting").template.content == "second"


@contextlib.contextmanager
def held_lock(path):
    """Keep writers of a prompt's directory waiting, as a writer in another process does."""
    fcntl = pytest.importorskip("fcntl")
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


#: The first save waits for the lock of another process, the second for its turn behind the first, until Ctrl-C.
INTERRUPTED = """
import os, signal, sys, threading, time
from prompt_manager import Prompt
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
prompt = Prompt(id="greeting", format="text", template="first")
thread = threading.Thread(target=storage.save_sync, args=[prompt])
thread.start()
time.sleep(0.2)
threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
try:
    storage.save_sync(prompt.replace(version="2.0.0"))
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
thread.join()
print([prompt.version for prompt in storage.list_sync()])
"""

#: As above, but a signal handler calls the storage while the main thread waits for its turn.
CALLED_BY_A_HANDLER = """
import os, signal, sys, threading, time
from prompt_manager import Prompt
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
other = FileSystemStorage(sys.argv[2])
prompt = Prompt(id="greeting", format="text", template="first")

def handler(*_):
    other.save_sync(prompt)
    for call in (storage.list_sync, lambda: storage.save_sync(prompt)):
        try:
            call()
        except RuntimeError as error:
            print(error, flush=True)

signal.signal(signal.SIGUSR1, handler)
signal.alarm(60)  # The handler must not wait forever.
thread = threading.Thread(target=storage.save_sync, args=[prompt])
thread.start()
time.sleep(0.2)
threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGUSR1]).start()
storage.save_sync(prompt.replace(version="2.0.0"))
thread.join()
print([prompt.version for prompt in storage.list_sync()], [prompt.version for prompt in other.list_sync()])
"""

#: A child is forked while a thread of the parent writes and another waits.
FORKED = """
import os, sys, threading, time, warnings
from prompt_manager import Prompt
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.storage import FileSystemStorage

warnings.simplefilter("ignore", DeprecationWarning)
storage = FileSystemStorage(sys.argv[1])
registry = PromptRegistry(storage)
prompt = Prompt(id="greeting", format="text", template="first")
threads = [
    threading.Thread(target=registry.register_sync, args=[prompt]),
    threading.Thread(target=registry.register_sync, args=[prompt.replace(version="2.0.0")]),
    threading.Thread(target=storage.save_sync, args=[prompt.replace(version="3.0.0")]),
]
for thread in threads:
    thread.start()
time.sleep(0.3)
child = os.fork()
if not child:
    other = Prompt(id="child", format="text", template="child")
    registry.register_sync(other)
    storage.save_sync(other)
    registry._lock.run(prompt.id, None, None).close()
    import asyncio
    asyncio.run(storage.save(other))
    asyncio.run(registry.set_label("child", "a", "1.0.0"))
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
sys.stdin.readline()
for thread in threads:
    thread.join()
print(sorted(f"{prompt.id} {prompt.version}" for prompt in storage.list_sync()))
"""


def started(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="signals and the lock are those of POSIX")
class TestAWait:
    def test_for_the_turn_ends_with_ctrl_c(self, tmp_path):
        FileSystemStorage(tmp_path).save_sync(draft("zeroth"))
        with held_lock(tmp_path / "greeting" / ".lock"):
            process = started(INTERRUPTED, tmp_path)
            assert process.stdout.readline() == "interrupted\n"
        output, error = process.communicate("\n", timeout=60)
        assert (output, error) == ("['1.0.0']\n", "")

    def test_for_the_turn_is_not_blocked_by_a_signal_handler(self, tmp_path):
        store = tmp_path / "store"
        FileSystemStorage(store).save_sync(draft("zeroth"))
        with held_lock(store / "greeting" / ".lock"):
            process = started(CALLED_BY_A_HANDLER, store, tmp_path / "other")
            for _ in range(2):
                assert process.stdout.readline().startswith("a signal handler called a store while the thread")
        output, error = process.communicate(timeout=60)
        assert (output, error) == ("['1.0.0', '2.0.0'] ['1.0.0']\n", "")

    def test_of_the_parent_does_not_block_a_forked_child(self, tmp_path):
        FileSystemStorage(tmp_path).save_sync(draft("zeroth"))
        with held_lock(tmp_path / "greeting" / ".lock"):
            process = started(FORKED, tmp_path)
            assert process.stdout.readline() == "7\n"
        output, error = process.communicate("\n", timeout=60)
        assert (output, error) == ("['child 1.0.0', 'greeting 1.0.0', 'greeting 2.0.0', 'greeting 3.0.0']\n", "")


class SlowStorage:
    """A storage of somebody's own, whose saves wait until they are let go."""

    def __init__(self):
        self._kept = InMemoryStorage()
        self.load, self.list, self.exists = self._kept.load, self._kept.list, self._kept.exists
        self.begun = []
        self.gate = asyncio.Event()

    async def save(self, prompt):
        self.begun.append(prompt.template.content)
        await self.gate.wait()
        await self._kept.save(prompt)

    async def delete(self, prompt_id, version=None):
        await self.gate.wait()
        await self._kept.delete(prompt_id, version)


class Watcher:
    def __init__(self):
        self.told = []

    async def on_prompt_registered(self, prompt):
        await asyncio.sleep(0)
        self.told.append(("registered", prompt.template.content))

    def on_prompt_deleted(self, prompt):
        self.told.append(("deleted", prompt.template.content))

    def on_version_created(self, version):
        self.told.append(("created", version.prompt.template.content))


@pytest.fixture
async def slow():
    return SlowStorage()


class TestAStorageOfYourOwn:
    async def test_is_not_interrupted_by_a_cancelled_write(self, slow):
        watcher = Watcher()
        registry = PromptRegistry(slow, observers=[watcher])
        await cancelled_after(3, registry.register(draft("first")))
        assert slow.begun == ["first"]
        waiting = asyncio.ensure_future(registry.register(draft("second")))
        await cancelled_after(3, registry.register(draft("third")))
        assert slow.begun == ["first"]
        slow.gate.set()
        await waiting
        assert slow.begun == ["first", "second"]
        assert registry.get_sync("greeting") == await slow.load("greeting")
        assert registry.get_sync("greeting").template.content == "second"
        assert watcher.told == [("registered", "first"), ("registered", "second")]

    async def test_and_the_registry_agree_after_a_cancelled_delete(self, slow):
        watcher = Watcher()
        registry = PromptRegistry(slow, observers=[watcher])
        slow.gate.set()
        await registry.register(draft("first"))
        slow.gate.clear()
        await cancelled_after(3, registry.delete("greeting"))
        slow.gate.set()
        await registry.load_from_storage()
        assert not registry.exists_sync("greeting")
        assert not await slow.exists("greeting")
        assert watcher.told == [("registered", "first"), ("deleted", "first")]

    async def test_gets_the_record_of_a_cancelled_manager_write(self, slow):
        watcher = Watcher()
        manager = PromptManager(PromptRegistry(slow), observers=[watcher])
        await cancelled_after(3, manager.create_prompt(draft("first"), changelog="Begun"))
        slow.gate.set()
        second = await manager.create_prompt(draft("second", version="2.0.0"))
        assert [record.changelog for record in await manager.get_history("greeting")] == [None, "Begun"]
        assert manager.get_prompt_sync("greeting", version="2.0.0") == second
        created = [content for event, content in watcher.told if event == "created"]
        assert created == ["first", "second"]

    def test_is_waited_for_at_the_end_of_the_event_loop(self):
        watcher = Watcher()

        async def main():
            storage = SlowStorage()
            registry = PromptRegistry(storage, observers=[watcher])
            asyncio.get_running_loop().call_later(0.2, storage.gate.set)
            task = asyncio.ensure_future(registry.register(draft("first")))
            await asyncio.sleep(0.01)
            assert not task.done()
            return storage, registry

        storage, registry = asyncio.run(main())
        assert registry.get_sync("greeting") == asyncio.run(storage.load("greeting"))
        assert watcher.told == [("registered", "first")]

    async def test_may_use_a_timeout_of_its_own(self, slow):
        save = slow.save

        async def hasty(prompt):
            async with asyncio.timeout(0.01):
                await save(prompt)

        slow.save = hasty
        registry = PromptRegistry(slow)
        with pytest.raises(TimeoutError):
            await registry.register(draft("first"))
        assert not registry.exists_sync("greeting")


class TestAKeyedLock:
    async def test_serves_whoever_asks_first(self):
        lock, order = KeyedLock(), []

        async def work(name, key):
            async with lock.take(key, AWAITING):
                order.append(name)
                for _ in range(3):
                    await asyncio.sleep(0)

        async def latecomer():
            # It asks in the very step in which the first one ends.
            for _ in range(5):
                await asyncio.sleep(0)
            await work("late", "a")

        names = [("first", "a"), ("other", "b"), ("second", "a"), ("all", ALL_KEYS), ("third", "b"), ("fourth", "a")]
        await asyncio.gather(*(work(name, key) for name, key in names), latecomer())
        assert order == ["first", "other", "second", "all", "third", "fourth", "late"]

    async def test_passes_over_waits_that_are_cancelled(self):
        lock, order = KeyedLock(), []

        async def work(name, key="a"):
            async with lock.take(key, AWAITING):
                order.append(name)
                await asyncio.sleep(0.01)

        tasks = [asyncio.ensure_future(work(n, ALL_KEYS if n == 2 else "a")) for n in range(5)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        tasks[2].cancel()
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [0, 4]
        assert not list(lock._turns)

    def test_serves_threads_and_loops(self):
        lock, running, most = KeyedLock(), [], []

        async def work(mode, key):
            async with lock.take(key, mode):
                running.append(key)
                most.append(running.count("a") if key == "a" else len(running) + 1)
                if mode is AWAITING:
                    await asyncio.sleep(0.001)
                else:
                    time.sleep(0.001)  # noqa: ASYNC251 - nothing else runs in this thread
                running.remove(key)

        def in_thread(number):
            key = ALL_KEYS if number % 5 == 0 else "a"
            for _ in range(5):
                if number % 2:
                    asyncio.run(work(AWAITING, key))
                else:
                    with contextlib.suppress(StopIteration):
                        work(BLOCKING, key).send(None)

        threads = [threading.Thread(target=in_thread, args=[number]) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(most) == 50
        assert set(most) <= {1, 2}

    def test_refuses_a_write_of_a_signal_handler_while_it_is_changed(self):
        registry = PromptRegistry(InMemoryStorage())
        # A signal handler runs in the thread that it interrupts, so it finds the lock held by its own thread.
        with registry._lock._locked(), pytest.raises(RuntimeError, match="a signal handler called a manager"):
            registry.register_sync(draft("from the handler"))
        registry.register_sync(draft("afterwards"))
        assert registry.get_sync("greeting").template.content == "afterwards"
