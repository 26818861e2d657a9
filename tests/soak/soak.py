"""Runs an application's work for minutes: no text may be wrong, and memory must not grow. ``make soak`` calls it.

    python tests/soak/soak.py [--seconds 300]

Sixteen threads and an event loop render and convert prompts of a storage and of a watched directory, with observers,
metrics and a cache, while others write new versions, delete old ones, move labels and rewrite files. Every text names
the version that it comes from and is compared with what this version gives.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import itertools
import random
import resource
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_manager import Prompt, PromptManager, PromptRegistry
from prompt_manager.core.cache import MemoryCache
from prompt_manager.exceptions import VersionNotFoundError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import MetricsCollector, Observer
from prompt_manager.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many versions of a prompt exist at a time. Older ones are deleted.
KEPT = 6

#: How much memory may grow after the first fifth of the run.
GROWTH = 1.10

PROMPTS = ("greeting", "team/summary", "support")


def template(version: int) -> str:
    """Return the template of a version."""
    return f"v{version} {{{{name}}}}:{{{{#each docs}}}} {version}.{{{{this}}}}{{{{/each}}}}"


def text(version: int, name: str, docs: list[str]) -> str:
    """Return what this version gives, without the template engine."""
    return f"v{version} {name}:" + "".join(f" {version}.{doc}" for doc in docs)


def prompt(prompt_id: str, version: int) -> Prompt:
    """Return a prompt in this version."""
    return Prompt(id=prompt_id, version=f"1.0.{version}", template=template(version), status="active")


class Events(Observer):
    """Counts the events, and raises now and then, which must not matter."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()

    def on_render_complete(self, *_: object, **__: object) -> None:
        with self.lock:
            self.counts["renders"] += 1
        if self.counts["renders"] % 10_007 == 0:
            raise RuntimeError("observers may fail")

    def on_cache_hit(self, *_: object, **__: object) -> None:
        with self.lock:
            self.counts["cache hits"] += 1

    def on_label_moved(self, *_: object) -> None:
        with self.lock:
            self.counts["label moves"] += 1

    def on_reload(self, *_: object) -> None:
        with self.lock:
            self.counts["reloads"] += 1


class Soak:
    """The application, its threads, and what they found."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.failures: list[str] = []
        self.done: Counter[str] = Counter()
        self.events = Events()
        self.metrics = MetricsCollector()
        self.newest = dict.fromkeys(PROMPTS, 0)
        self.storage = folder / "storage"
        self.files = folder / "prompts"
        self.files.mkdir()
        self.writer = PromptManager(PromptRegistry(storage=FileSystemStorage(self.storage)))
        for prompt_id in PROMPTS:
            self.write(prompt_id)
        self.reader = PromptManager.from_storage_sync(
            FileSystemStorage(self.storage),
            refresh=0.1,
            observers=[self.events],
            metrics=self.metrics,
            cache=MemoryCache(max_entries=500, ttl=5),
        )
        self.rewrite(0)
        self.directory = PromptManager.from_directory_sync(self.files, watch=True)
        self.integration = OpenAIIntegration(self.reader.template_engine)

    def write(self, prompt_id: str) -> None:
        """Create the next version, label it, and delete one that is old."""
        version = self.newest[prompt_id] + 1
        self.writer.create_prompt_sync(prompt(prompt_id, version))
        self.newest[prompt_id] = version
        self.writer.set_label_sync(prompt_id, "production", f"1.0.{version}")
        if version > KEPT:
            self.writer.delete_prompt_sync(prompt_id, f"1.0.{version - KEPT}")

    def rewrite(self, version: int) -> None:
        """Replace the file of the watched directory."""
        draft = self.files / ".draft"
        draft.write_text(f"template: '{template(version)}'\n", encoding="utf-8")
        draft.replace(self.files / "watched.yaml")

    def check(self, found: str, name: str, docs: list[str]) -> None:
        """Compare a text with what the version gives that it names."""
        version = int(found[1 : found.index(" ")])
        if found != text(version, name, docs):
            self.failures.append(f"{found!r} is not what version {version} gives for {name!r} and {docs!r}")

    def values(self, rng: random.Random) -> tuple[str, list[str]]:
        """Return values of which some repeat."""
        return rng.choice(["Ada", "Žofie", "李"]), [f"d{rng.randrange(5)}" for _ in range(rng.randrange(4))]

    def render(self, rng: random.Random) -> None:
        name, docs = self.values(rng)
        label = rng.choice([None, "production"])
        self.check(self.reader.render_sync(rng.choice(PROMPTS), {"name": name, "docs": docs}, label=label), name, docs)

    def convert(self, rng: random.Random) -> None:
        name, docs = self.values(rng)
        found = self.reader.get_prompt_sync(rng.choice(PROMPTS), label="production")
        self.check(self.integration.convert_sync(found, {"name": name, "docs": docs}), name, docs)

    def render_file(self, rng: random.Random) -> None:
        name, docs = self.values(rng)
        self.check(self.directory.render_sync("watched", {"name": name, "docs": docs}), name, docs)

    def update(self, rng: random.Random) -> None:
        self.write(rng.choice(PROMPTS))
        time.sleep(0.1)

    def move_back_and_forth(self, rng: random.Random) -> None:
        prompt_id = rng.choice(PROMPTS)
        try:
            self.writer.set_label_sync(prompt_id, "canary", f"1.0.{max(1, self.newest[prompt_id] - rng.randrange(3))}")
        except VersionNotFoundError:
            self.done["moves to a version that was just deleted"] += 1
        # Every move is kept in the label history, so a storage grows with them. Ten a second are many.
        time.sleep(0.1)

    def rewrite_file(self, _: random.Random) -> None:
        self.rewrite(next(FILE_VERSIONS))
        time.sleep(0.1)

    def report(self, _: random.Random) -> None:
        self.reader.get_metrics_sync()
        self.metrics.prometheus_text()
        time.sleep(0.05)

    def thread(self, work: Callable[[random.Random], None], seed: int) -> threading.Thread:
        """Return a thread that repeats this work until the end."""

        def run() -> None:
            rng = random.Random(seed)  # noqa: S311
            try:
                while time.monotonic() < self.end and not self.failures:
                    work(rng)
                    self.done[work.__name__] += 1
            except BaseException:  # noqa: BLE001
                self.failures.append(traceback.format_exc())

        return threading.Thread(target=run, name=f"{work.__name__}-{seed}")

    async def loop(self) -> None:
        """Render in an event loop, many at a time."""
        rng = random.Random(0)  # noqa: S311
        while time.monotonic() < self.end and not self.failures:
            given = [self.values(rng) for _ in range(50)]
            texts = await asyncio.gather(
                *(
                    self.reader.render(rng.choice(PROMPTS), {"name": name, "docs": docs}, label="production")
                    for name, docs in given
                )
            )
            for found, (name, docs) in zip(texts, given, strict=True):
                self.check(found, name, docs)
            self.done["awaited"] += len(texts)
            await asyncio.sleep(0)

    def run(self) -> list[int]:
        """Run everything, and return the resident memory in KiB, once a second."""
        work = [*[self.render] * 7, *[self.convert] * 3, *[self.render_file] * 2, self.update]
        work += [self.move_back_and_forth, self.rewrite_file, self.report]
        threads = [self.thread(each, seed) for seed, each in enumerate(work)]
        threads.append(threading.Thread(target=lambda: asyncio.run(self.loop()), name="loop"))
        for thread in threads:
            thread.start()
        memory = []
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            memory.append(resident())
        for thread in threads:
            thread.join()
        self.settled()
        self.directory.close_sync()
        return memory

    def settled(self) -> None:
        """Wait until the reader renders what was written last."""
        end = time.monotonic() + 30
        for prompt_id in PROMPTS:
            wanted = f"v{self.newest[prompt_id]} "
            while not self.reader.render_sync(prompt_id, {"name": "", "docs": []}, label="production").startswith(
                wanted
            ):
                if time.monotonic() > end:
                    self.failures.append(f"{prompt_id} still gives an old version after 30 s")
                    break
                time.sleep(0.05)


FILE_VERSIONS = itertools.count(1)


def give_back_free_memory() -> None:
    """Return freed memory to the system, so that what is resident is what is in use.

    glibc keeps an arena a thread, and each keeps what its thread once needed: with 18 threads this grows for minutes.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def resident() -> int:
    """Return the resident memory of this process in KiB."""
    give_back_free_memory()
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    """Run the soak, print its figures, and return 1 if something was wrong."""
    parser = argparse.ArgumentParser(description="Render, convert and change prompts for minutes.")
    parser.add_argument("--seconds", type=float, default=300, help="how long (default: 300)")
    seconds = parser.parse_args().seconds
    # A thread that is interrupted with a lock in its hand should not hold up the others for long.
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), seconds)
        memory = soak.run()
    for name, count in sorted((soak.done + soak.events.counts).items()):
        print(f"{name:45} {count:>10}")
    later = memory[len(memory) // 5 :]
    half = len(later) // 2
    early, late = statistics.median(later[:half]), statistics.median(later[half:])
    print(f"memory: {early / 1024:.1f} MiB, later {late / 1024:.1f} MiB ({late / early:.3f} times)")
    if late > early * GROWTH:
        soak.failures.append(f"the memory grew {late / early:.2f} times")
    for failure in soak.failures[:5]:
        print(failure, file=sys.stderr)
    print("failed" if soak.failures else f"no wrong text in {seconds:.0f} s")
    return bool(soak.failures)


if __name__ == "__main__":
    sys.exit(main())
