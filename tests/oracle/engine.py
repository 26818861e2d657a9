"""Renders a case with our engine, with its options and with the helpers of ``helpers.mjs`` in Python."""

from __future__ import annotations

import json
from typing import Any

from prompt_manager.core.template import TemplateEngine
from prompt_manager.exceptions import TemplateError

OPTIONS = (
    "strict",
    "escape",
    "assume_objects",
    "known_helpers",
    "known_helpers_only",
    "prevent_indent",
    "ignore_standalone",
    "explicit_partial_context",
    "compat",
)


def js_number(value: float) -> str:
    """Format a finite float as JavaScript does."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The position of the decimal point, counted from the first digit that is not zero.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not -6 < point <= 21:
        shown = digits[0] + ("." + digits[1:] if digits[1:] else "")
        return f"{sign}{shown}e{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits = digits.ljust(point, "0")
    return sign + digits[:point] + ("." + digits[point:] if digits[point:] else "")


def text(value: Any) -> str:
    """Format a value as JavaScript's ``String`` does. Null becomes an empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return js_number(float(value))
        case list():
            return ",".join(map(text, value))
        case str():
            return value
    return "[object Object]"


def _first(args: tuple[Any, ...], at: int = 0) -> Any:
    return args[at] if len(args) > at else None


def _id(_: Any, *args: Any) -> Any:
    return _first(args)


def _up(_: Any, *args: Any) -> str:
    return text(_first(args)).upper()


def _cat(options: Any, *args: Any) -> str:
    return "|".join([*map(text, args), *(f"{name}={text(value)}" for name, value in options.hash.items())])


def _same(_: Any, *args: Any) -> bool:
    a, b = _first(args), _first(args, 1)
    if isinstance(a, (list, dict)) or isinstance(b, (list, dict)) or isinstance(a, bool) != isinstance(b, bool):
        return False
    return bool(a == b)


def _cond(options: Any, *args: Any) -> str:
    value = _first(args)
    chosen = value is True or (isinstance(value, str) and value != "")
    return str(options.fn() if chosen else options.inverse())


def _dat(options: Any, *args: Any) -> Any:
    name = _first(args)
    return options.data.get(name if name in ("index", "key", "first", "last", "user") else "user")


HELPERS: dict[str, Any] = {
    "id": _id,
    "up": _up,
    "cat": _cat,
    "same": _same,
    "arr": lambda _options, *args: list(args),
    "make": lambda options, *_args: dict(options.hash),
    "ctx": lambda options, *_args: None if options.context == {} else options.context,
    "dat": _dat,
    "nul": lambda _options, *_args: None,
    "no": lambda _options, *_args: False,
    "called": lambda options, *_args: options.name,
    "once": lambda options, *_args: options.fn(),
    "twice": lambda options, *_args: f"{options.fn()},{options.fn()}",
    "inv": lambda options, *_args: options.inverse(),
    "both": lambda options, *_args: f"{options.fn()}/{options.inverse()}",
    "on": lambda options, *args: options.fn(_first(args)),
    "off": lambda options, *args: options.inverse(_first(args)),
    "dta": lambda options, *_args: options.fn(data=options.hash),
    "bps": lambda options, *args: options.fn(block_params=[_first(args), _first(args, 1)]),
    "cond": _cond,
    "raw": lambda options, *_args: options.fn(),
}


def helper_missing(options: Any, *args: Any) -> str:
    return f"[{options.name} {'|'.join(map(text, args))}]"


def block_helper_missing(options: Any, *args: Any) -> str:
    return f"({options.name} {text(_first(args))}:{options.fn()}/{options.inverse()})"


def probe() -> tuple[dict[str, Any], list[str]]:
    """Return the arguments that select the dialect, and the options that the class does not support."""
    base: dict[str, Any] = {"dialect": "handlebars"}
    try:
        TemplateEngine(**base)
    except TypeError:
        base = {"strict": False, "allow_none": True, "escape": True}
    left_out = [] if "dialect" in base else ["dialect"]
    for name in OPTIONS:
        try:
            TemplateEngine(**{**base, name: ("id",) if name == "known_helpers" else True})
        except TypeError:
            left_out.append(name)
    return base, left_out


class OurEngine:
    """Our engine, with one instance for each set of options."""

    def __init__(self) -> None:
        self.base, self.left_out = probe()
        self.engines: dict[str, TemplateEngine] = {}

    def engine(self, options: dict[str, Any]) -> TemplateEngine:
        key = json.dumps(options, sort_keys=True)
        engine = self.engines.get(key)
        if engine is None:
            if len(self.engines) > 5000:
                self.engines.clear()
            chosen = {name: value for name, value in options.items() if name in OPTIONS and name not in self.left_out}
            engine = self.engines[key] = TemplateEngine(**{**self.base, **chosen})
            for name, helper in HELPERS.items():
                engine.register_helper(name, helper, pass_options=True)
            if options.get("helper_missing"):
                engine.register_helper("helperMissing", helper_missing, pass_options=True)
            if options.get("block_helper_missing"):
                engine.register_helper("blockHelperMissing", block_helper_missing, pass_options=True)
        return engine

    def render(
        self, template: str, partials: dict[str, str], data: Any, options: Any, given: Any
    ) -> tuple[str | None, str]:
        """Return the output, or None and the error. An error that is not a ``TemplateError`` begins with ``!``."""
        try:
            engine = self.engine(options)
            return engine.render_sync(template, data, partials=partials, data=given), ""
        except TemplateError as error:
            return None, f"{type(error).__name__}: {error}"
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return None, f"!{type(error).__name__}: {error}"
