"""Compares the template engine with handlebars.js on random cases: ``python tests/oracle/compare.py --count 10000``.

A parent process distributes ranges of cases to workers. Each worker has a Node.js process that generates the cases and
renders them with handlebars.js. The worker renders them with our engine, and reports the differences. If a worker
crashes or hangs, the case is reported and the comparison continues. `shrink.py` then makes differing cases smaller.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from engine import OurEngine
from shrink import Case, as_file, shape, shrink

HERE = Path(__file__).parent
SLICE = 2000
TIMEOUT = 20.0
KEEP = 2000


class Node:
    """The Node.js process that runs handlebars.js."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--stack-size=200", str(HERE / "generate.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input = self.process.stdin
        self.output = self.process.stdout
        hello = json.loads(self.output.readline())
        self.features: list[str] = hello["features"]
        self.version: str = hello["version"]
        self.contexts: int = hello["contexts"]

    def ask(self, request: dict[str, Any]) -> Any:
        self.input.write(json.dumps(request).encode() + b"\n")
        self.input.flush()
        line = self.output.readline()
        if not line:
            raise RuntimeError(f"Node.js ended during the request {json.dumps(request)[:2000]}")
        return json.loads(line)

    def make(self, seed: int, first: int, count: int) -> Any:
        return self.ask({"make": [seed, first, count]})

    def render(self, case: Case, *, separate: bool = False) -> tuple[str | None, str | None]:
        request = {
            "template": case.template,
            "partials": case.partials,
            "data": json.dumps(case.data),
            "options": case.options,
            "given": None if case.given is None else json.dumps(case.given),
            "separate": separate,
        }
        output, error = self.ask({"render": [request]})[0]
        return output, error

    def close(self) -> None:
        self.input.close()
        self.process.wait()


def difference(theirs: str | None, ours: str | None) -> str:
    """Return how two results differ, or an empty text if they are equal."""
    if theirs == ours:
        return ""
    if theirs is None:
        return "only theirs fails"
    return "only ours fails" if ours is None else "output"


def work(progress_path: str) -> None:
    """Run a worker: read ranges from the parent, one on each line, and write the current case to a file."""
    with Path(progress_path).open("r+b") as file:
        progress = mmap.mmap(file.fileno(), 8)
    node, ours = Node(), OurEngine()
    for line in sys.stdin:
        seed, first, count = json.loads(line)
        made = node.make(seed, first, count)
        differing = []
        both_fail = 0
        foreign: Counter[str] = Counter()
        for at, case in enumerate(made["cases"], first):
            struct.pack_into("<q", progress, 0, at)
            template, partials, data, options, given, theirs, error, features = case
            output, message = ours.render(template, partials, data, options, given)
            if message.startswith("!"):
                foreign[message[1:].partition(":")[0]] += 1
            if output != theirs:
                adds = False
                if theirs is not None and output is not None:
                    changed = Case(template, partials, data, options, given)
                    adds = node.render(changed, separate=True)[0] == output
                differing.append([at, adds, features, error, message])
            elif theirs is None:
                both_fail += 1
        struct.pack_into("<q", progress, 0, -1)
        print(
            json.dumps(
                {"differing": differing, "features": made["features"], "both_fail": both_fail, "foreign": foreign}
            ),
            flush=True,
        )


class Worker:
    """A worker process, and the range that it is working on."""

    def __init__(self) -> None:
        handle, self.place = tempfile.mkstemp(prefix="compare-")
        os.write(handle, struct.pack("<q", -1))
        os.close(handle)
        self.slice: tuple[int, int, int] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", self.place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.seen = (-1, time.monotonic())

    def give(self, part: tuple[int, int, int]) -> None:
        self.slice = part
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(part).encode() + b"\n")
        self.process.stdin.flush()
        self.seen = (-1, time.monotonic())

    def at(self) -> int:
        return int(struct.unpack("<q", Path(self.place).read_bytes())[0])

    def is_stuck(self) -> bool:
        at = self.at()
        if at != self.seen[0]:
            self.seen = (at, time.monotonic())
        return time.monotonic() - self.seen[1] > TIMEOUT * (1 if at >= 0 else 6)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.end()
        Path(self.place).unlink()


class Tally:
    """The results of the comparison."""

    def __init__(self, features: list[str], contexts: int) -> None:
        self.names = features
        self.contexts = contexts
        self.seen: set[int] = set()
        self.done = self.differ = self.adds = self.both_fail = 0
        self.totals = [0] * len(features)
        self.different = [0] * len(features)
        self.foreign: Counter[str] = Counter()
        self.kept: list[int] = []
        self.crashes: list[tuple[int, str]] = []

    def add(self, count: int, report: dict[str, Any]) -> None:
        self.done += count
        self.both_fail += report["both_fail"]
        self.foreign.update(report["foreign"])
        for at, total in enumerate(report["features"]):
            self.totals[at] += total
        for at, adds, mask, _error, _message in report["differing"]:
            self.differ += 1
            for bit in range(len(self.names)):
                if mask >> bit & 1:
                    self.different[bit] += 1
            if adds:
                self.adds += 1
            elif len(self.kept) < KEEP and at // self.contexts not in self.seen:
                # Cases with the same template usually differ for the same reason.
                self.seen.add(at // self.contexts)
                self.kept.append(at)

    def print(self) -> None:
        agreed = self.done - self.differ
        share = 100 * agreed / self.done if self.done else 0.0
        crashed = len(self.crashes)
        print(f"{self.done} cases, {agreed} agree ({share:.3f} %), {self.differ} differ, {crashed} crash or hang")
        print(f"both fail in {self.both_fail}; {self.adds} differ only because handlebars.js adds adjacent numbers")
        for name, count in self.foreign.most_common():
            print(f"ours raised {name} and not a TemplateError in {count}")
        print(f"\n{'feature':<22}{'cases':>9}{'differ':>8}{'agree %':>10}")
        for name, total, different in zip(self.names, self.totals, self.different, strict=True):
            if total:
                print(f"{name:<22}{total:>9}{different:>8}{100 * (total - different) / total:>10.3f}")


class Pool:
    """The workers, and the ranges that are not done."""

    def __init__(self, args: argparse.Namespace, tally: Tally) -> None:
        last = args.first + args.count
        self.slices = iter([(args.seed, first, min(SLICE, last - first)) for first in range(args.first, last, SLICE)])
        self.again: list[tuple[int, int, int]] = []
        self.tally = tally
        self.workers = [Worker() for _ in range(args.jobs)]

    def feed(self, worker: Worker) -> None:
        part = self.again.pop() if self.again else next(self.slices, None)
        worker.slice = None
        if part is not None:
            worker.give(part)

    def restart(self, worker: Worker, reason: str) -> None:
        """Record the case at which the worker crashed, queue the rest of its range, and restart it."""
        assert worker.slice is not None
        seed, first, count = worker.slice
        at = worker.at()
        worker.end()
        if at < 0:
            raise RuntimeError(f"{reason} outside our engine, in the range from case {first}")
        self.tally.crashes.append((at, reason))
        parts = ((seed, first, at - first), (seed, at + 1, first + count - at - 1))
        self.again += [part for part in parts if part[2]]
        worker.start()
        self.feed(worker)

    def check(self, worker: Worker, *, answered: bool) -> None:
        assert worker.process.stdout is not None
        assert worker.slice is not None
        if not answered:
            if worker.is_stuck():
                self.restart(worker, f"no answer in {TIMEOUT:.0f} s")
            return
        line = worker.process.stdout.readline()
        if not line:
            self.restart(worker, f"the process ended with status {worker.process.wait()}")
            return
        self.tally.add(worker.slice[2], json.loads(line))
        self.feed(worker)
        if sys.stderr.isatty():
            print(f"\r{self.tally.done} ({self.tally.differ} differ)", end="", file=sys.stderr)

    def run(self) -> None:
        for worker in self.workers:
            self.feed(worker)
        while busy := [worker for worker in self.workers if worker.slice]:
            ready, _, _ = select.select([worker.process.stdout for worker in busy], [], [], 1.0)
            for worker in busy:
                self.check(worker, answered=worker.process.stdout in ready)
        for worker in self.workers:
            worker.close()


def quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def case_at(args: argparse.Namespace, at: int, node: Node) -> Case:
    return Case(*node.make(args.seed, at, 1)["cases"][0][:5])


def small_case(args: argparse.Namespace, at: int, case: Case, node: Node, ours: OurEngine) -> tuple[str, str]:
    """Shrink a differing case, and return its shape and its text."""

    def differ(case: Case) -> str:
        return difference(node.render(case)[0], ours.render(*case.parts())[0])

    wanted = differ(case)
    small = shrink(case, lambda candidate: differ(candidate) == wanted)
    theirs, error = node.render(small)
    output, message = ours.render(*small.parts())
    shown = as_file(f"seed {args.seed}, case {at}", small, theirs)
    answers = [error or quoted(theirs), message.partition("\n")[0] or quoted(output)]
    text = f"({wanted}):\n{shown}\n  handlebars.js: {answers[0]}\n  ours: {answers[1]}"
    return f"{wanted}, {(error or '')[:24]}, {shape(small)}", text


def show(args: argparse.Namespace, tally: Tally, node: Node) -> None:
    """Print the first differences after shrinking, one of each shape."""
    ours = OurEngine()
    shapes: Counter[str] = Counter()
    cases: dict[str, str] = {}
    end = time.monotonic() + args.seconds
    for at in tally.kept:
        if shapes.total() >= args.look or time.monotonic() > end:
            break
        case = case_at(args, at, node)
        if not (args.plain and case.options):
            name, text = small_case(args, at, case, node, ours)
            shapes[name] += 1
            cases.setdefault(name, text)
    for name, count in shapes.most_common(args.show):
        print(f"\n{count} of {shapes.total()} differences {cases[name]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="number of cases (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random cases (default: 1)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default: 0)")
    parser.add_argument("--show", type=int, default=10, help="number of differences to print (default: 10)")
    parser.add_argument(
        "--look", type=int, default=0, help="number of differences to shrink for that (default: 3 times --show)"
    )
    parser.add_argument("--seconds", type=float, default=120, help="maximum time for shrinking (default: 120)")
    parser.add_argument("--plain", action="store_true", help="print only differences of cases without options")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="number of processes")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    sys.stdout.reconfigure(errors="backslashreplace")
    args = parser.parse_args()
    if args.work:
        work(args.work)
        return 0
    args.look = args.look or 3 * args.show
    node = Node()
    ours = OurEngine()
    print(f"handlebars.js {node.version}")
    if ours.left_out:
        print(f"TemplateEngine does not support {', '.join(ours.left_out)}: left out")
    tally = Tally(node.features, node.contexts)
    started = time.monotonic()
    Pool(args, tally).run()
    seconds = time.monotonic() - started
    print(f"seed {args.seed}, {seconds:.1f} s, {tally.done / seconds:.0f} cases a second")
    tally.print()
    for at, reason in tally.crashes[: args.show]:
        print(f"\n{reason}:\n{as_file(f'seed {args.seed}, case {at}', case_at(args, at, node), None)}")
    if args.show:
        show(args, tally, node)
    node.close()
    return 1 if tally.differ or tally.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
