"""Measures the cases A to I with our engine, with f-strings and with other engines."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from measure import interleaved
from peers import COMPILERS, PEERS, UnavailableError, combined, prepared
from report import Row, check_equal
from templates import CASES, COMPILED, shout

from prompt_manager import TemplateEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from measure import Effort
    from templates import Case, Values

__all__ = ["measure", "measure_compilation", "ours"]


#: The maximum time of a compilation, in seconds.
MAX_SECONDS = 0.3


def ours(case: Case) -> Callable[[Values], object]:
    """Return a function that renders the case with our engine. For one template it is ``Template.render`` itself."""
    engine = TemplateEngine()
    engine.register_helper("shout", shout)
    for name, source in case.sources.partials.get("handlebars", {}).items():
        engine.register_partial(name, source)
    return combined([engine.compile(source).render for source in case.sources.handlebars])


def measure(effort: Effort, *, with_peers: bool = True) -> list[Row]:
    """Measure every case."""
    return [_row(case, effort, PEERS if with_peers else ()) for case in CASES]


def _row(case: Case, effort: Effort, names: Iterable[str]) -> Row:
    functions = {"ours": ours(case), "by hand": case.by_hand}
    check_equal(case.name, functions["ours"](case.values), case.by_hand(case.values))
    left_out = {}
    for peer in names:
        try:
            functions[peer] = prepared(peer, case)
        except UnavailableError as reason:
            left_out[peer] = str(reason)
    timings = interleaved(functions, case.values, effort)
    return Row.of(case.name, case.title, timings, case.target, left_out=left_out)


def measure_compilation(effort: Effort, *, with_peers: bool = True) -> list[Row]:
    """Measure case G for each size. Engines that take longer than :data:`MAX_SECONDS` are left out."""
    rows = []
    for name, title, sources in COMPILED:
        functions = {"ours": _compiling(TemplateEngine().compile, "handlebars")}
        left_out = {"chevron": "has no compilation step"} if with_peers else {}
        for peer in COMPILERS if with_peers else ():
            try:
                functions[peer] = _tried(peer, sources)
            except UnavailableError as reason:
                left_out[peer] = str(reason)
        rows.append(Row.of(name, title, interleaved(functions, sources, effort), left_out=left_out))
    return rows


def _compiling(compiler: Callable[[str], object], language: str) -> Callable[[dict[str, str]], object]:
    return lambda sources: compiler(sources[language])


def _tried(peer: str, sources: dict[str, str]) -> Callable[[dict[str, str]], object]:
    """Return a function that compiles the source in the engine's language, after trying it once."""
    language, make = COMPILERS[peer]
    try:
        compiling = _compiling(make(), language)
        start = perf_counter()
        compiling(sources)
        taken = perf_counter() - start
    except ImportError as missing:
        raise UnavailableError(f"{missing.name} is not installed") from missing
    # The engine is third-party code, which may raise anything. The other engines are still measured.
    except Exception as failed:
        raise UnavailableError(f"{type(failed).__name__}: {failed}") from failed
    if taken > MAX_SECONDS:
        raise UnavailableError(f"took {taken:.1f} s")
    return compiling
