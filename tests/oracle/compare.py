"""Compares the template engine with handlebars.js on random cases: ``python tests/oracle/compare.py --count 10000``.

A parent hands slices of the cases to workers. Each worker has a Node.js process that makes the cases and renders them
with handlebars.js, renders them with ours, and reports what differs. A worker that dies or stands still does not
take the comparison with it: the case at which it did is reported. What differs is then made smaller (`shrink.py`).
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
from typing import Any, BinaryIO

from engine import Ours
from shrink import Case, as_file, shape, shrink

HERE = Path(__file__).parent
SLICE = 2000
PATIENCE = 20.0
KEEP = 2000


class Node:
    """The process that has handlebars.js."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--stack-size=200", str(HERE / "generate.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input: BinaryIO = self.process.stdin  # type: ignore[assignment]
        self.output: BinaryIO = self.process.stdout  # type: ignore[assignment]
        hello = json.loads(self.output.readline())
        self.features: list[str] = hello["features"]
        self.version: str = hello["version"]
        self.contexts: int = hello["contexts"]

    def ask(self, request: dict[str, Any]) -> Any:
        self.input.write(json.dumps(request).encode() + b"\n")
        self.input.flush()
        line = self.output.readline()
        if not line:
            raise RuntimeError(f"node ended at {json.dumps(request)[:2000]}")
        return json.loads(line)

    def make(self, seed: int, first: int, count: int) -> Any:
        return self.ask({"make": [seed, first, count]})

    def render(self, case: Case, separate: bool = False) -> tuple[str | None, str | None]:
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


def kind(theirs: str | None, ours: str | None) -> str:
    """How the two differ; empty where they agree."""
    if theirs == ours:
        return ""
    if theirs is None:
        return "only theirs fails"
    return "only ours fails" if ours is None else "output"


def work(place: str) -> None:
    """Renders the slices that the parent names, one a line, and notes in `place` which case is being rendered."""
    with open(place, "r+b") as file:
        progress = mmap.mmap(file.fileno(), 8)
    node, ours = Node(), Ours()
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
    """A worker process and the slice that it is at."""

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

    def stands_still(self) -> bool:
        at = self.at()
        if at != self.seen[0]:
            self.seen = (at, time.monotonic())
        return time.monotonic() - self.seen[1] > PATIENCE * (1 if at >= 0 else 6)

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
        os.unlink(self.place)


class Tally:
    """What the comparison found."""

    def __init__(self, features: list[str], contexts: int) -> None:
        self.names = features
        self.contexts = contexts
        self.seen: set[int] = set()
        self.done = self.differ = self.adds = self.both_fail = 0
        self.totals = [0] * len(features)
        self.different = [0] * len(features)
        self.foreign: Counter[str] = Counter()
        self.kept: list[int] = []
        self.deaths: list[tuple[int, str]] = []

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
                # The cases of one template differ for one reason, mostly.
                self.seen.add(at // self.contexts)
                self.kept.append(at)

    def print(self) -> None:
        agreed = self.done - self.differ
        share = 100 * agreed / self.done if self.done else 0.0
        print(f"{self.done} cases, {agreed} agree ({share:.3f} %), {self.differ} differ, {len(self.deaths)} crash or hang")
        print(f"both fail in {self.both_fail}; {self.adds} differ only because handlebars.js adds adjacent numbers")
        for name, count in self.foreign.most_common():
            print(f"ours raised {name}, not a TemplateError, in {count}")
        print(f"\n{'feature':<22}{'cases':>9}{'differ':>8}{'agree %':>10}")
        for name, total, different in zip(self.names, self.totals, self.different, strict=True):
            if total:
                print(f"{name:<22}{total:>9}{different:>8}{100 * (total - different) / total:>10.3f}")


def run(args: argparse.Namespace, tally: Tally) -> None:
    """Hands out all slices and gathers the reports."""
    last = args.first + args.count
    slices = iter([(args.seed, first, min(SLICE, last - first)) for first in range(args.first, last, SLICE)])
    again: list[tuple[int, int, int]] = []
    workers = [Worker() for _ in range(args.jobs)]
    started = time.monotonic()

    def next_slice() -> tuple[int, int, int] | None:
        return again.pop() if again else next(slices, None)

    def feed(worker: Worker) -> None:
        part = next_slice()
        if part is None:
            worker.slice = None
        else:
            worker.give(part)

    for worker in workers:
        feed(worker)
    while busy := [worker for worker in workers if worker.slice]:
        ready, _, _ = select.select([worker.process.stdout for worker in busy], [], [], 1.0)
        for worker in busy:
            assert worker.process.stdout is not None and worker.slice is not None
            died = ""
            if worker.process.stdout in ready:
                line = worker.process.stdout.readline()
                if line:
                    tally.add(worker.slice[2], json.loads(line))
                    feed(worker)
                    if sys.stderr.isatty():
                        print(f"\r{tally.done} ({tally.differ} differ)", end="", file=sys.stderr)
                    continue
                died = f"the process ended with status {worker.process.wait()}"
            elif worker.stands_still():
                died = f"no answer in {PATIENCE:.0f} s"
            if died:
                at = worker.at()
                worker.end()
                seed, first, count = worker.slice
                if at < 0:
                    raise RuntimeError(f"{died} outside our engine, in the slice from case {first}")
                tally.deaths.append((at, died))
                again += [
                    part for part in ((seed, first, at - first), (seed, at + 1, first + count - at - 1)) if part[2]
                ]
                worker.start()
                feed(worker)
    for worker in workers:
        worker.close()
    seconds = time.monotonic() - started
    print(f"seed {args.seed}, {seconds:.1f} s, {tally.done / seconds:.0f} cases a second")


def show(args: argparse.Namespace, tally: Tally, node: Node) -> None:
    """Prints the first differences, shrunk, one of each shape."""
    ours = Ours()

    def both(case: Case) -> tuple[str | None, str | None]:
        theirs, _ = node.render(case)
        output, _ = ours.render(*case.parts())
        return theirs, output

    shapes: Counter[str] = Counter()
    cases: dict[str, str] = {}
    end = time.monotonic() + args.seconds
    looked = 0
    for at in tally.kept:
        if looked >= args.look or time.monotonic() > end:
            break
        looked += 1
        template, partials, data, options, given, theirs, error, _ = node.make(args.seed, at, 1)["cases"][0]
        case = Case(template, partials, data, options, given)
        wanted = kind(*both(case))
        small = shrink(case, lambda candidate, wanted=wanted: kind(*both(candidate)) == wanted)
        theirs, error = node.render(small)
        output, message = ours.render(*small.parts())
        name = f"{wanted}: {shape(small)}" if theirs is not None else f"{wanted}: {(error or '')[:24]}: {shape(small)}"
        shapes[name] += 1
        if name not in cases:
            shown = as_file(f"seed {args.seed}, case {at}", small, theirs)
            cases[name] = f"{shown}\n  handlebars.js: {error or json.dumps(theirs, ensure_ascii=False)}\n  ours: {message.splitlines()[0] if message else json.dumps(output, ensure_ascii=False)}"
    for name, count in shapes.most_common(args.show):
        print(f"\n{count} of {looked} looked at ({name.partition(':')[0]}):\n{cases[name]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    parser.add_argument("--look", type=int, default=0, help="how many differences to shrink for it; 3 times --show unless given")
    parser.add_argument("--seconds", type=float, default=120, help="stop shrinking after so many seconds")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="how many processes")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work)
        return 0
    args.look = args.look or 3 * args.show
    node = Node()
    ours = Ours()
    print(f"handlebars.js {node.version}")
    if ours.left_out:
        print(f"TemplateEngine does not take {', '.join(ours.left_out)}; left out")
    tally = Tally(node.features, node.contexts)
    run(args, tally)
    tally.print()
    for at, died in tally.deaths[: args.show]:
        template, partials, data, options, given, *_ = node.make(args.seed, at, 1)["cases"][0]
        print(f"\n{died}:\n{as_file(f'seed {args.seed}, case {at}', Case(template, partials, data, options, given), None)}")
    if args.show:
        show(args, tally, node)
    node.close()
    return 1 if tally.differ or tally.deaths else 0


if __name__ == "__main__":
    sys.exit(main())
