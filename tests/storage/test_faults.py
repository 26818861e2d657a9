"""Many writers, killed writers, full and read-only disks: nothing is lost, half written or visible twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from helpers import create_text_prompt
from prompt_manager.exceptions import StorageReadError, StorageWriteError, VersionConflictError
from prompt_manager.storage import FileSystemStorage, InMemoryStorage

pytestmark = pytest.mark.integration

BIG = "All work and no play makes Jack a dull boy.\n" * 400


def active(version="1.0.0", template="Hello {{name}}!", **changes):
    return create_text_prompt(version=version, template=template, status="active", **changes)


def run(code, *arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def leftovers(root):
    """List the files in the store other than versions, labels, locks and the generation."""
    usual = (".lock", ".labels.json", ".generation")
    return [path for path in root.rglob("*") if path.is_file() and path.name[0] == "." and path.name not in usual]


#: A process of eight threads. Each saves its own versions, and tries each contested version with its own content.
WRITER = """
import sys
from threading import Thread
from prompt_manager import Prompt
from prompt_manager.exceptions import VersionConflictError
from prompt_manager.storage import FileSystemStorage

storage, process = FileSystemStorage(sys.argv[1]), int(sys.argv[2])

def prompt(version, text):
    return Prompt(id="greeting", format="text", version=version, template=text, status="active")

def work(thread):
    for round in range(3):
        storage.save_sync(prompt(f"{process}.{thread}.{round}", f"{process} {thread} {round}"))
        text = f"by {process} {thread}"
        try:
            storage.save_sync(prompt(f"100.0.{round}", text))
        except VersionConflictError:
            continue
        print(f"100.0.{round}={text}", flush=True)

threads = [Thread(target=work, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_eight_processes_lose_nothing_and_agree_on_a_winner(tmp_path, format):
    root = tmp_path / "store"
    code = WRITER.replace("sys.argv[1])", f"sys.argv[1], format={format!r})")
    processes = [run(code, root, number) for number in range(8)]
    outputs = [process.communicate() for process in processes]
    assert [error for _, error in outputs] == [""] * 8
    won = dict(line.split("=") for output, _ in outputs for line in output.splitlines())
    assert sum(output.count("=") for output, _ in outputs) == 3
    storage = FileSystemStorage(root)
    assert storage.check_sync() == []
    kept = {prompt.version: prompt.template.content for prompt in storage.list_sync()}
    own = {f"{p}.{t}.{r}": f"{p} {t} {r}" for p in range(8) for t in range(8) for r in range(3)}
    assert kept == {**own, **won}
    assert leftovers(root) == []


def test_eight_threads_on_one_id_in_memory_lose_nothing():
    storage, won = InMemoryStorage(), []

    def work(number):
        for minor in range(50):
            storage.save_sync(active(f"{number}.{minor}.0"))
            with contextlib.suppress(VersionConflictError):
                storage.save_sync(active(f"100.{minor}.0", f"by {number}"))
                won.append((f"100.{minor}.0", f"by {number}"))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(storage.list_sync()) == 9 * 50
    assert len(won) == 50
    assert all(storage.load_sync("greeting", version).template.content == text for version, text in won)


#: Saves versions from a number on, each first as a draft. Prints each one that is saved, and moves a label along.
ENDLESS = """
import sys
from prompt_manager import Prompt
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    prompt = Prompt(id="greeting", format="text", version=f"1.0.{number}", template=f"{number}" * 500)
    # The killed writer may have finished this version. An active version does not become a draft again.
    if not storage.exists_sync("greeting", prompt.version):
        storage.save_sync(prompt)
    storage.save_sync(prompt.replace(status="active"))
    if number % 10 == 0:
        storage.set_label_sync("greeting", "production", prompt.version)
    print(number, flush=True)
"""


def test_killed_writers_lose_no_finished_save(tmp_path):
    root, total, done, kills = tmp_path / "store", 500, 0, 0
    dice = random.Random(4)  # noqa: S311
    while done < total:
        process = run(ENDLESS, root, done, total)
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        acknowledged, error = process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert error == ""
        numbers = [int(line) for line in acknowledged.splitlines()]
        done = max([done, *numbers]) + 1
        storage = FileSystemStorage(root)
        assert storage.check_sync() == []
        kept = {prompt.version: prompt for prompt in storage.list_sync()}
        for number in range(done):
            assert kept[f"1.0.{number}"].template.content == f"{number}" * 500
            assert kept[f"1.0.{number}"].status == "active"
        # The version that was being written may exist too, but only whole.
        assert len(kept) <= done + 1
    assert kills >= 5
    history = storage.get_label_history_sync("greeting", "production")
    assert [move.previous for move in history[1:]] == [move.version for move in history[:-1]]
    assert {f"1.0.{number}" for number in range(0, total, 10)} <= {move.version for move in history}
    # The next save removes leftovers of the killed writers.
    storage.save_sync(active("2.0.0"))
    assert leftovers(root) == []


@contextlib.contextmanager
def mounted(path, options):
    """Mount a file system in memory; skip the test if that is not permitted."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "prompts", str(path)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_an_error_and_keeps_the_old_state(tmp_path):
    with mounted(tmp_path / "disk", "size=64k") as root:
        storage = FileSystemStorage(root)
        storage.save_sync(active())
        draft = create_text_prompt(version="2.0.0")
        storage.save_sync(draft)
        filler = root / "filler"
        for prompt in (active("1.1.0", BIG * 10), create_text_prompt(version="2.0.0", template=BIG * 10)):
            with pytest.raises(StorageWriteError, match="no space left on device") as caught:
                storage.save_sync(prompt)
            assert caught.value.path == str(root / "greeting" / f"{prompt.version}.json")
        with contextlib.suppress(OSError):
            filler.write_bytes(bytes(100_000))
        for attempt in (active("3.0.0", BIG[:3000]), active(id="new", template=BIG[:3000])):
            with pytest.raises(StorageWriteError, match="no space left on device"):
                storage.save_sync(attempt)
        with pytest.raises(StorageWriteError, match="no space left on device"):
            storage.set_label_sync("greeting", "x" * 250, "1.0.0", author=BIG[:3000])
        assert storage.list_sync() == [storage.load_sync("greeting", "1.0.0"), draft]
        assert leftovers(root) == []
        assert storage.check_sync() == []
        filler.unlink()
        storage.save_sync(active("3.0.0"))
        assert storage.load_sync("greeting").version == "3.0.0"


#: A process that may not write files larger than 4 KB.
LIMITED = f"""
import resource, sys
from prompt_manager import Prompt
from prompt_manager.exceptions import StorageWriteError
from prompt_manager.storage import FileSystemStorage

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
storage = FileSystemStorage(sys.argv[1])
prompt = Prompt(id="greeting", format="text", template="short", status="draft")
storage.save_sync(prompt)
try:
    storage.save_sync(prompt.replace(template={BIG!r}))
except StorageWriteError as error:
    print(error.path)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit exists only on POSIX systems")
def test_a_file_size_limit_keeps_the_old_file(tmp_path):
    process = run(LIMITED, tmp_path)
    output, error = process.communicate()
    assert error == ""
    assert output.strip() == str(tmp_path / "greeting" / "1.0.0.json")
    assert FileSystemStorage(tmp_path).load_sync("greeting").template.content == "short"
    assert leftovers(tmp_path) == []


def test_a_read_only_directory_can_be_read_but_not_written(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as root:
        kept = active(labels=["production"])
        storage = FileSystemStorage(root)
        storage.save_sync(kept)
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        assert storage.load_sync("greeting") == kept
        assert storage.list_sync() == [kept]
        assert storage.exists_sync("greeting", "1.0.0")
        for write in (
            lambda: storage.save_sync(active("2.0.0")),
            lambda: storage.save_sync(active(id="new")),
            lambda: storage.delete_sync("greeting"),
            lambda: storage.delete_sync("greeting", "1.0.0"),
            lambda: storage.set_label_sync("greeting", "staging", "1.0.0"),
        ):
            with pytest.raises(StorageWriteError, match="read-only file system") as caught:
                write()
            assert caught.value.path.startswith(str(root))
        assert storage.load_sync("greeting") == kept


#: Takes the lock of a prompt as any writer does, prints a line, and keeps the lock.
HOLDER = """
import fcntl, sys, time
with open(sys.argv[1]) as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="the test takes the lock by flock")
async def test_a_writer_waits_for_the_lock_of_another_process(tmp_path):
    storage = FileSystemStorage(tmp_path, lock_timeout=0.1)
    storage.save_sync(active())
    holder = run(HOLDER, tmp_path / "greeting" / ".lock")
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StorageWriteError, match=r"another writer has held it for 0\.1 s") as caught:
        await storage.save(active("2.0.0"))
    assert caught.value.path == str(tmp_path / "greeting" / ".lock")
    assert (await storage.load("greeting")).version == "1.0.0"
    # A writer with a longer timeout gets the lock as soon as the holder dies.
    waiting = asyncio.ensure_future(FileSystemStorage(tmp_path).save(active("2.0.0")))
    await asyncio.sleep(0.05)
    holder.kill()
    holder.communicate()
    await waiting
    assert (await storage.load("greeting")).version == "2.0.0"


async def test_a_cancelled_save_leaves_a_whole_file_or_none(tmp_path):
    storage = FileSystemStorage(tmp_path)
    dice = random.Random(7)  # noqa: S311
    for number in range(60):
        task = asyncio.ensure_future(storage.save(active(f"1.0.{number}", BIG)))
        await asyncio.sleep(dice.uniform(0, 0.003))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await storage.check() == []
    # The lock is free again, so no write is running any more.
    await storage.save(active("2.0.0"))
    assert all(prompt.template.content == BIG for prompt in (await storage.list())[:-1])
    assert leftovers(tmp_path) == []


FORKED = """
import asyncio, os, sys, warnings
from prompt_manager import Prompt
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
prompt = Prompt(id="greeting", format="text", template="a", status="active")
asyncio.run(storage.save(prompt))
# Python 3.12 and later warn of threads that another process does not get.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
child = os.fork()
asyncio.run(storage.save(prompt.replace(version="2.0.0" if child else "3.0.0")))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_parent_and_forked_child_can_both_save(tmp_path):
    process = run(FORKED, tmp_path)
    _, error = process.communicate(timeout=60)
    assert error == ""
    assert [prompt.version for prompt in FileSystemStorage(tmp_path).list_sync()] == ["1.0.0", "2.0.0", "3.0.0"]


#: Starts children that exit right after an await; prints their exit codes.
HASTY = """
import asyncio, os, sys
from prompt_manager.storage import FileSystemStorage

storage = FileSystemStorage(sys.argv[1])
children = []
for _ in range(30):
    child = os.fork()
    if not child:
        asyncio.run(storage.exists("greeting"))
        sys.exit()
    children.append(child)
print({os.waitpid(child, 0)[1] for child in children})
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_exits_cleanly_right_after_an_await(tmp_path):
    output, error = run(HASTY, tmp_path).communicate(timeout=120)
    assert (output, error) == ("{0}\n", "")


def test_readers_see_whole_versions_during_writes(tmp_path):
    storage, ended = FileSystemStorage(tmp_path), threading.Event()
    texts = [letter * 20_000 for letter in "ab"]
    storage.save_sync(create_text_prompt(template=texts[0]))

    def write():
        for round_ in range(100):
            storage.save_sync(create_text_prompt(template=texts[round_ % 2]))
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not ended.is_set():
        seen.add(storage.load_sync("greeting").template.content)
        seen.update(prompt.template.content for prompt in storage.list_sync())
    writer.join()
    assert seen == set(texts)


def test_readers_see_a_recreated_prompt_whole_or_not_at_all(tmp_path):
    storage, ended, failures = FileSystemStorage(tmp_path), threading.Event(), []

    def churn(id):
        try:
            for _ in range(40):
                storage.save_sync(active(id=id))
                storage.save_sync(active("2.0.0", id=id))
                storage.delete_sync(id, "1.0.0")
                storage.delete_sync(id)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    def read():
        while not ended.is_set():
            try:
                storage.list_sync()
                for prompt_id in ("a/b", "a/c"):
                    storage.exists_sync(prompt_id)
            except Exception as error:  # noqa: BLE001
                failures.append(error)

    writers = [threading.Thread(target=churn, args=[each]) for each in ("a/b", "a/c", "a/b/d")]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for writer in writers:
        writer.join()
    ended.set()
    reader.join()
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".generation", ".lock"]


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_a_truncated_file_is_named_and_hides_no_other(tmp_path, format):
    storage = FileSystemStorage(tmp_path, format=format)
    storage.save_sync(active(template="Hello\n{{name}}!\n", metadata={"author": "Ada"}, labels=["production"]))
    storage.save_sync(active("2.0.0"))
    storage.save_sync(active(id="other"))
    path = tmp_path / "greeting" / f"1.0.0.{format}"
    whole = path.read_bytes()
    full = storage.load_sync("greeting", "1.0.0")
    damaged = 0
    for length in range(0, len(whole) - 1, 3):
        path.write_bytes(whole[:length])
        problems = storage.check_sync()
        if not problems:
            # YAML that is cut between two keys is still valid YAML, without the keys after the cut.
            assert format == "yaml"
            assert storage.load_sync("greeting", "1.0.0") != full
            continue
        damaged += 1
        assert [problem.path for problem in problems] == [str(path)]
        assert str(path) in str(problems[0])
        with pytest.warns(UserWarning, match=r"greeting.1\.0\.0\."):
            kept = storage.list_sync()
        assert [f"{prompt.id} {prompt.version}" for prompt in kept] == ["greeting 2.0.0", "other 1.0.0"]
        assert storage.load_sync("greeting").version == "2.0.0"
        for use in (lambda: storage.load_sync("greeting", "1.0.0"), lambda: storage.save_sync(active())):
            with pytest.raises(StorageReadError, match=r"greeting.1\.0\.0\."):
                use()
        assert path.read_bytes() == whole[:length]
    assert damaged > (100 if format == "json" else 20)


def test_saves_work_if_the_clock_goes_backwards(tmp_path):
    storage = FileSystemStorage(tmp_path)
    for version in ("1.0.0", "2.0.0"):
        storage.save_sync(active(version, updated_at="2099-01-01T00:00:00Z"))
    storage.set_label_sync("greeting", "production", "1.0.0")
    file = tmp_path / "greeting" / ".labels.json"
    moves = json.loads(file.read_text())
    moves["moves"][0]["moved_at"] = "2099-01-01T00:00:00Z"
    file.write_text(json.dumps(moves))
    for path in (tmp_path / "greeting").glob("*.json"):
        os.utime(path, (time.time() + 10**8, 0))
    storage.save_sync(active("3.0.0"))
    storage.save_sync(create_text_prompt(version="1.0.0", status="deprecated"))
    storage.set_label_sync("greeting", "production", "2.0.0")
    history = storage.get_label_history_sync("greeting")
    assert [move.version for move in history] == ["1.0.0", "2.0.0"]
    assert history[0].moved_at <= history[1].moved_at
    assert storage.load_sync("greeting").version == "3.0.0"
    assert storage.load_sync("greeting", "1.0.0").status == "deprecated"


@pytest.mark.parametrize("damage", ["not JSON", "a link", "two files"])
def test_a_label_moves_past_a_damaged_version(tmp_path, damage):
    storage = FileSystemStorage(tmp_path)
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        storage.save_sync(active(version, "text"))
    file = next(tmp_path.rglob("2.0.0*"))
    if damage == "not JSON":
        file.write_text("{", encoding="utf-8")
    elif damage == "a link":
        file.unlink()
        file.symlink_to(next(tmp_path.rglob("1.0.0*")))
    else:
        file.with_suffix(".yaml").write_bytes(b"")
    assert storage.set_label_sync("greeting", "production", "1.0.0").version == "1.0.0"
    assert storage.set_label_sync("greeting", "production", "3.0.0").previous == "1.0.0"
    with pytest.raises(StorageReadError):
        storage.set_label_sync("greeting", "production", "2.0.0")
    assert storage.get_label_history_sync("greeting", "production")[-1].version == "3.0.0"
    assert storage.set_label_sync("greeting", "production", None).version is None
