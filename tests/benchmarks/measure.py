"""Compares the times of functions in one process.

Every round times each function once, one after the other, so that a slow moment of the machine affects all of them. A
time is the median of the rounds, and a ratio is the median of the ratios in each round. In a round, each function is
called repeatedly for a fixed time. The garbage collector is disabled.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Function = Callable[[Any], object]

__all__ = ["Effort", "Timings", "interleaved", "no_garbage_collector"]


@dataclass(frozen=True)
class Effort:
    """How long to measure: the number of rounds, and the nanoseconds for each function in a round."""

    rounds: int = 41
    round_ns: int = 2_000_000

    @classmethod
    def quick(cls) -> Effort:
        """Return a small effort, to check that a benchmark runs."""
        return cls(rounds=5, round_ns=300_000)


@dataclass(frozen=True)
class Timings:
    """The nanoseconds for each call, by function and round."""

    rounds: dict[str, list[float]]

    def ns(self, name: str) -> float:
        """Return the median time of a function."""
        return median(self.rounds[name])

    def ratio(self, name: str, base: str) -> float:
        """Return the time of a function divided by that of ``base``: the median of the ratios in each round."""
        return median(a / b for a, b in zip(self.rounds[name], self.rounds[base], strict=True))


def interleaved(functions: Mapping[str, Function], argument: object, effort: Effort) -> Timings:
    """Time each function with the argument. All times include the loop around the call, about 10 ns."""
    with no_garbage_collector():
        counts = {name: _calibrate(function, argument, effort.round_ns) for name, function in functions.items()}
        rounds: dict[str, list[float]] = {name: [] for name in functions}
        for _ in range(effort.rounds):
            for name, function in functions.items():
                rounds[name].append(_run(function, argument, counts[name]) / counts[name])
    return Timings(rounds)


def _run(function: Function, argument: object, count: int) -> int:
    start = perf_counter_ns()
    for _ in repeat(None, count):
        function(argument)
    return perf_counter_ns() - start


def _calibrate(function: Function, argument: object, round_ns: int) -> int:
    """Return the number of calls that fill a round, at least one. This also warms the function up."""
    count = 1
    while (taken := _run(function, argument, count)) < round_ns // 4:
        count *= 2
    return max(1, count * round_ns // taken)


@contextmanager
def no_garbage_collector() -> Iterator[None]:
    """Disable the garbage collector."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
