"""Other template engines from PyPI, each used in the fastest way that its documentation describes.

A template is compiled once if the engine can keep it. :func:`prepared` returns a function that renders values, or
raises an error with the reason why the engine cannot do a case. Its output is compared with ours before it is timed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from templates import shout

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates import Case, Values

    Render = Callable[[Values], object]

__all__ = ["COMPILERS", "PEERS", "UnavailableError", "prepared", "versions"]


class UnavailableError(Exception):
    """An engine cannot do a case, or is not installed."""


def jinja2(case: Case) -> list[Render]:
    """``jinja2``: compiled to Python bytecode."""
    engine = import_module("jinja2")
    environment = engine.Environment(
        keep_trailing_newline=True, loader=engine.DictLoader(case.sources.partials.get("jinja", {}))
    )
    environment.globals["shout"] = shout
    return [environment.from_string(source).render for source in case.sources.jinja]


def minijinja(case: Case) -> list[Render]:
    """``minijinja``: written in Rust. Templates have names, and values are keyword arguments."""
    names = [f"template {i}" for i in range(len(case.sources.jinja))]
    templates = {**case.sources.partials.get("jinja", {}), **dict(zip(names, case.sources.jinja, strict=True))}
    environment = import_module("minijinja").Environment(
        keep_trailing_newline=True, templates=templates, globals={"shout": shout}
    )
    render = environment.render_template
    return [lambda values, name=name: render(name, **values) for name in names]


def chevron(case: Case) -> list[Render]:
    """``chevron``: Mustache in Python. It caches the tokens of a template and does not compile it."""
    render = import_module("chevron").render
    partials = case.sources.partials.get("mustache", {})

    def helper(text: str, render: Callable[[str], str]) -> str:
        return shout(render(text))

    def rendering(source: str) -> Render:
        if case.helper:
            return lambda values: render(source, {**values, "shout": helper}, partials_dict=partials)
        if partials:
            return lambda values: render(source, values, partials_dict=partials)
        return lambda values: render(source, values)

    return [rendering(source) for source in case.sources.mustache]


def pybars4(case: Case) -> list[Render]:
    """``pybars4``: Handlebars, compiled to Python. It always escapes, so tags need three braces."""
    compiler = import_module("pybars").Compiler()

    def compiled(source: str) -> Any:
        return compiler.compile(unescaped(source))

    partials = {name: compiled(source) for name, source in case.sources.partials.get("handlebars", {}).items()}
    helpers = {"shout": lambda _this, text: shout(text)}

    def rendering(source: str) -> Render:
        template = compiled(source)
        if case.helper:
            return lambda values: template(values, helpers=helpers)
        if partials:
            return lambda values: template(values, partials=partials)
        return template

    return [rendering(source) for source in case.sources.handlebars]


def unescaped(source: str) -> str:
    """Write the tags that print with three braces."""
    parts = []
    for part in source.split("{{"):
        tag, brace, rest = part.partition("}}")
        prints = brace and not tag.startswith(("#", "/", ">", "^", "else"))
        parts.append(f"{{{tag}}}}}}}{rest}" if prints else part)
    return "{{".join(parts)


def pydantic_handlebars(case: Case) -> list[Render]:
    """``pydantic-handlebars``: Handlebars without partials, compiled to Python closures."""
    if case.sources.partials:
        raise UnavailableError("has no partials")
    environment = import_module("pydantic_handlebars").HandlebarsEnvironment()
    environment.helper("shout")(lambda text, **_: shout(text))
    return [environment.compile(source).render for source in case.sources.handlebars]


PEERS = {
    "minijinja": minijinja,
    "jinja2": jinja2,
    "chevron": chevron,
    "pybars4": pybars4,
    "pydantic-handlebars": pydantic_handlebars,
}


def prepared(peer: str, case: Case) -> Render:
    """Return a function that renders the case with this engine.

    Raises:
        UnavailableError: the engine cannot do the case, or its text is different from that of the f-string.
    """
    try:
        rendered = combined(PEERS[peer](case))
        got = rendered(case.values)
    except ImportError as missing:
        raise UnavailableError(f"{missing.name} is not installed") from missing
    # The engine is third-party code, which may raise anything. The other engines are still measured.
    except Exception as failed:
        if isinstance(failed, UnavailableError):
            raise
        raise UnavailableError(f"{type(failed).__name__}: {failed}") from failed
    if as_text(got) != as_text(case.by_hand(case.values)):
        raise UnavailableError("renders a different text")
    return rendered


def combined(renders: list[Render]) -> Render:
    """Combine the templates of a case into one function: the only one, or one that returns a list of texts."""
    return renders[0] if len(renders) == 1 else lambda values: [render(values) for render in renders]


def as_text(rendered: object) -> object:
    """Convert the result of an engine to text. The result of pybars is a list of strings with ``__str__``."""
    if type(rendered) is list:
        return [str(text) for text in rendered]
    return str(rendered)


def compile_jinja2() -> Callable[[str], object]:
    return import_module("jinja2").Environment().from_string


def compile_minijinja() -> Callable[[str], object]:
    environment = import_module("minijinja").Environment()
    return lambda source: environment.add_template("compiled", source)


def compile_pybars4() -> Callable[[str], object]:
    return import_module("pybars").Compiler().compile


def compile_pydantic_handlebars() -> Callable[[str], object]:
    return import_module("pydantic_handlebars").HandlebarsEnvironment().compile


#: Case G: the language that an engine compiles, and its compiler. chevron has no compilation step.
COMPILERS: dict[str, tuple[str, Callable[[], Callable[[str], object]]]] = {
    "minijinja": ("jinja", compile_minijinja),
    "jinja2": ("jinja", compile_jinja2),
    "pybars4": ("handlebars", compile_pybars4),
    "pydantic-handlebars": ("handlebars", compile_pydantic_handlebars),
}


def versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for peer in PEERS:
        try:
            found[peer] = version(peer)
        except ImportError:
            continue
    return found
