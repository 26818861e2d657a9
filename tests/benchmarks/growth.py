"""Measures how the time grows with the size of the input: the exponent ``k`` of ``time ~ size ** k``.

1 is linear and 2 is quadratic. The slope of the times on logarithmic scales is measured between the smallest and the
largest size, so constant costs make an exponent smaller than it is for large inputs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import log
from time import perf_counter
from typing import TYPE_CHECKING, Any

from report import Row

from prompt_manager._native import parse_json
from prompt_manager.exceptions import SchemaValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Effort

__all__ = ["measure"]

TARGET = 1.1

#: The largest size is this many times the smallest.
GROWTH = 16


@dataclass(frozen=True)
class Case:
    """Work whose time should grow with its size. ``prepare`` makes an input of a size, and ``run`` is timed with it."""

    name: str
    title: str
    prepare: Callable[[int], Any]
    run: Callable[[Any], object]
    size: int


def fastest(case: Case, size: int, rounds: int) -> float:
    """Return the shortest time in seconds for an input of this size."""
    made = case.prepare(size)
    times = []
    for _ in range(rounds):
        start = perf_counter()
        case.run(made)
        times.append(perf_counter() - start)
    return min(times)


def exponent(case: Case, rounds: int) -> float:
    """Return the exponent of a case."""
    small, large = (fastest(case, size, rounds) for size in (case.size, case.size * GROWTH))
    return log(large / small) / log(GROWTH)


def parse(text: str) -> None:
    """Parse an answer. A refusal is a result too."""
    with suppress(SchemaValidationError):
        parse_json(text, dict=True)


def repeated(frame: str, piece: str, size: int) -> str:
    """Return the frame with a piece repeated."""
    return frame.replace("%s", piece * size)


def answers() -> list[Case]:
    """Return the cases of answers: many repairs on one line, and text that only resembles JSON."""
    items = {
        "None": "None,",
        "NaN": "NaN,",
        "comments": "1,/* */",
        "curly quotes": "“x”,",
        "single quotes": "'x',",
        "needless escapes": '"\\\'",',
        "unknown escapes": '"\\d",',
        "triple quotes": '"""x""",',
        "line breaks in texts": '"\n",',
        "trailing commas": "[1,],",
    }
    texts = {f"repairs: {name}": ('{"a":[%s1]}', piece) for name, piece in items.items()}
    others = {
        "prose in brackets": ('%s{"a":1}', "{a b} "),
        "backticks": ('%s{"a":1}', "```"),
        "doubled braces": ('%s"a":1}', "{"),
        "fences": ('%s{"a":1}', "```\nx\n```\n"),
        "comments without an end": ('%s{"a":1}', "{/*} "),
    }
    cases = [
        Case(name, f"{piece!r} repeated", partial(repeated, frame, piece), parse, 20_000)
        for name, (frame, piece) in {**texts, **others}.items()
    ]
    keys = Case("repairs: unquoted keys", "'k1:1,' repeated", unquoted_keys, parse, 20_000)
    return [*cases, keys]


def unquoted_keys(size: int) -> str:
    """Return a dict with this many keys without quotes."""
    return "{" + "".join(f"k{number}:1," for number in range(size)) + "}"


def measure(effort: Effort) -> list[Row]:
    """Measure the exponent of each case."""
    rounds = min(effort.rounds, 5)
    return [Row(case.name, case.title, exponent(case, rounds), target=TARGET, unit="exponent") for case in answers()]
