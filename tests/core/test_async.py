"""Coroutines under load: many awaits, slow disks, cancelled awaits, threads, running loops, the end of a process."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from helpers import create_text_prompt, run_python
from prompt_manager import PromptManager, PromptRegistry
from prompt_manager.storage import FileSystemStorage, InMemoryStorage

pytestmark = pytest.mark.integration

ADA = {"name": "Ada"}


def storage_in(path):
    storage = FileSystemStorage(path)
    for version in ("1.0.0", "1.0.1"):
        storage.save_sync(create_text_prompt(version=version, template=f"{version} {{{{name}}}}", status="active"))
    storage.set_label_sync("greeting", "production", "1.0.0")
    return storage


async def test_thousands_of_concurrent_renders_are_right(tmp_path):
    manager = await PromptManager.from_storage(storage_in(tmp_path), refresh=0.01)

    async def render(number):
        await asyncio.sleep(number % 7 / 1000)
        return await manager.render("greeting", {"name": number}, version="1.0.1" if number % 2 else "1.0.0")

    results = await asyncio.gather(*map(render, range(5000)))
    assert results == [f"1.0.{number % 2} {number}" for number in range(5000)]


class Slow(InMemoryStorage):
    """A storage whose disk hangs until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.asked = threading.Event()

    async def list(self, **filters):
        self.asked.set()
        await asyncio.to_thread(self.goes_on.wait)
        return await super().list(**filters)


async def test_a_slow_storage_stalls_neither_the_loop_nor_other_renders():
    storage = Slow()
    storage.save_sync(create_text_prompt(status="active"))
    manager = await PromptManager.from_storage(storage, refresh=0)
    storage.goes_on.clear()
    storage.asked.clear()
    storage.save_sync(create_text_prompt(version="1.0.1", template="Hi {{name}}!", status="active"))
    looking = asyncio.ensure_future(manager.render("greeting", ADA))
    await asyncio.to_thread(storage.asked.wait)
    # While one render looks, the others use what is there.
    others = await asyncio.wait_for(asyncio.gather(*(manager.render("greeting", ADA) for _ in range(100))), 30)
    assert set(others) == {"Hello Ada!"}
    assert not looking.done()
    storage.goes_on.set()
    assert await looking == "Hi Ada!"


async def test_the_loop_turns_while_files_are_read(tmp_path):
    storage = storage_in(tmp_path)
    manager = await PromptManager.from_storage(storage, refresh=0)
    for number in range(400):
        storage.save_sync(create_text_prompt(id=f"p{number}", template="x" * 2000 + "{{name}}", status="active"))
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.ensure_future(turn())
    assert await manager.render("greeting", ADA) == "1.0.1 Ada"
    turning.cancel()
    assert turns > 1
    assert (await manager.render("p399", ADA)).endswith("Ada")


async def test_a_cancelled_render_loses_no_change(tmp_path):
    storage = storage_in(tmp_path)
    manager = await PromptManager.from_storage(storage, refresh=0)
    cancelled = 0
    for version in ("1.0.1", "1.0.0") * 10:
        storage.set_label_sync("greeting", "production", version)
        render = asyncio.ensure_future(manager.render("greeting", ADA, label="production"))
        await asyncio.sleep(0)
        # While the look of the last round ends, a render does not wait for it, and is done by now.
        cancelled += render.cancel()
        await asyncio.wait([render])
        deadline = time.monotonic() + 30
        while await manager.render("greeting", ADA, label="production") != f"{version} Ada":
            assert time.monotonic() < deadline
    assert cancelled


def test_threads_without_a_loop_and_loops_in_threads(tmp_path):
    storage = storage_in(tmp_path)
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    wrong = []

    def blocking():
        wrong.extend({manager.render_sync("greeting", ADA) for _ in range(50)} - {"1.0.1 Ada"})

    def awaiting():
        async def main():
            return await asyncio.gather(*(manager.render("greeting", ADA) for _ in range(50)))

        wrong.extend(set(asyncio.run(main())) - {"1.0.1 Ada"})

    threads = [threading.Thread(target=work) for work in (blocking, awaiting) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


async def test_sync_calls_work_in_a_running_loop_as_in_jupyter(tmp_path, directory):
    storage = storage_in(tmp_path / "store")
    manager = PromptManager.from_storage_sync(storage, refresh=0)
    manager.set_label_sync("greeting", "production", "1.0.1")
    assert manager.render_sync("greeting", ADA, label="production") == "1.0.1 Ada"
    files = PromptManager.from_directory_sync(directory({"a.yaml": "template: x\n"}), refresh=0)
    files.set_label_sync("a", "on", "1.0.0")
    assert files.render_sync("a", label="on") == "x"


async def test_a_storage_of_coroutines_says_to_await_in_a_running_loop():
    class Coroutines:
        def __init__(self):
            self._storage = InMemoryStorage()

        def __getattr__(self, name):
            if name.endswith("_sync"):
                raise AttributeError(name)
            return getattr(self._storage, name)

    storage = Coroutines()
    await storage.save(create_text_prompt(status="active"))
    manager = await PromptManager.from_storage(storage, refresh=0)
    await storage.save(create_text_prompt(version="1.0.1", template="Hi {{name}}!", status="active"))
    assert manager.render_sync("greeting", ADA) == "Hello Ada!"
    assert "use `await render(...)`" in str(manager.reload_errors[0].__cause__)
    assert await manager.render("greeting", ADA) == "Hi Ada!"


@pytest.mark.parametrize("end", ["return", "sys.exit(0)", "loop.stop()"])
def test_the_interpreter_ends_with_work_in_flight(end, tmp_path):
    storage_in(tmp_path)
    code = f"""
import asyncio, atexit, sys, time
from pathlib import Path
from prompt_manager import PromptManager
from prompt_manager.storage import FileSystemStorage

@atexit.register
def look():
    # It was registered first, so it runs last. Linux lists threads with their names.
    time.sleep(0.1)
    threads = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    print("left:", *(name for name in threads if name == "prompt-manager"))

async def main():
    loop = asyncio.get_running_loop()
    storage = FileSystemStorage({str(tmp_path)!r})
    manager = await PromptManager.from_storage(storage, refresh=0)
    tasks = [asyncio.ensure_future(manager.render("greeting", {{"name": "Ada"}})) for _ in range(200)]
    for number in range(20):
        tasks.append(asyncio.ensure_future(manager.set_label("greeting", "production", f"1.0.{{number % 2}}")))
    await asyncio.sleep(0)
    {end}

try:
    asyncio.run(main())
except RuntimeError as error:
    assert "stopped before" in str(error)
print("ended")
"""
    output = run_python(code)
    assert output.strip().removeprefix("ended\n") == "left:"


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run there")
def test_uvloop_runs_the_same_calls(tmp_path):
    import uvloop

    storage = storage_in(tmp_path)

    async def main():
        manager = await PromptManager.from_storage(storage, refresh=0)
        await manager.set_label("greeting", "production", "1.0.1")
        return await asyncio.gather(*(manager.render("greeting", ADA, label="production") for _ in range(200)))

    assert set(uvloop.run(main())) == {"1.0.1 Ada"}


async def test_a_registry_without_a_loop_s_help_is_shared_by_loops(tmp_path):
    registry = PromptRegistry(storage_in(tmp_path), refresh=0)
    await registry.load_from_storage()
    other = await asyncio.to_thread(lambda: asyncio.run(registry.get("greeting", label="production")))
    assert other.version == (await registry.get("greeting", label="production")).version == "1.0.0"
