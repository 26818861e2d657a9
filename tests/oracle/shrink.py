"""Makes a differing case smaller while it differs in the same way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TAG = re.compile(r"\{\{\{\{.*?\}\}\}\}|\{\{!--.*?--~?\}\}|\{\{.*?\}\}\}?|[^{]+|\{", re.DOTALL)
_TOKEN = re.compile(r"\{\{~?[{#^/>&!*]*|\}?~?\}\}|[\w$@]+|\s+|\.\./|.", re.DOTALL)
_WORDS = {
    "if",
    "unless",
    "each",
    "with",
    "lookup",
    "else",
    "as",
    "inline",
    "this",
    "true",
    "false",
    "null",
    "undefined",
}


@dataclass(frozen=True)
class Case:
    """A template with its partials, data and options."""

    template: str
    partials: dict[str, str]
    data: Any
    options: dict[str, Any]
    given: Any

    def parts(self) -> tuple[str, dict[str, str], Any, dict[str, Any], Any]:
        return self.template, self.partials, self.data, self.options, self.given


def shrink(case: Case, differs: Callable[[Case], bool], rounds: int = 6) -> Case:
    """Remove parts of the case as long as it differs."""
    for _ in range(rounds):
        before = case
        for step in (_fewer_options, _fewer_partials, _less_data, _less_text):
            case = step(case, differs)
        if case == before:
            break
    return case


def _fewer_options(case: Case, differs: Callable[[Case], bool]) -> Case:
    if case.given is not None and differs(smaller := replace(case, given=None)):
        case = smaller
    for name in list(case.options):
        smaller = replace(case, options={key: value for key, value in case.options.items() if key != name})
        if differs(smaller):
            case = smaller
    return case


def _fewer_partials(case: Case, differs: Callable[[Case], bool]) -> Case:
    for name in list(case.partials):
        smaller = replace(case, partials={key: text for key, text in case.partials.items() if key != name})
        if differs(smaller):
            case = smaller
    return case


def _smaller_values(value: Any) -> Iterator[Any]:
    """Iterate over smaller values, the smallest first."""
    if isinstance(value, dict):
        yield from ({key: item for key, item in value.items() if key != name} for name in value)
        yield from ({**value, name: item} for name in value for item in _smaller_values(value[name]))
    elif isinstance(value, list):
        yield from (value[:at] + value[at + 1 :] for at in range(len(value)))
        yield from (
            [*value[:at], smaller, *value[at + 1 :]]
            for at, item in enumerate(value)
            for smaller in _smaller_values(item)
        )
    elif isinstance(value, str) and len(value) > 1:
        yield from ("x", value[: len(value) // 2], value[1:])
    simple = value in (0, 1) if isinstance(value, (int, float)) else isinstance(value, str) or not value
    if not simple:
        yield 1


def _less_data(case: Case, differs: Callable[[Case], bool]) -> Case:
    for field in ("data", "given"):
        found = True
        while found:
            found = False
            for value in _smaller_values(getattr(case, field)):
                if not isinstance(value, dict):
                    continue
                smaller = replace(case, **{field: value})
                if differs(smaller):
                    case, found = smaller, True
                    break
    return case


def _less_text(case: Case, differs: Callable[[Case], bool]) -> Case:
    text = _shorter(case.template, lambda text: differs(replace(case, template=text)))
    case = replace(case, template=text)
    for name in list(case.partials):

        def with_partial(text: str, name: str = name, case: Case = case) -> Case:
            return replace(case, partials={**case.partials, name: text})

        text = _shorter(case.partials[name], lambda text: differs(with_partial(text)))
        case = with_partial(text)
    return case


def _shorter(text: str, differs: Callable[[str], bool]) -> str:
    text = _without_blocks(text, differs)
    text = _without_parts(_TAG.findall(text), differs)
    text = _without_blocks(text, differs)
    text = _without_parts(_TOKEN.findall(text), differs)
    if len(text) <= 200:
        text = _without_parts(list(text), differs)
    return text


def _blocks(parts: list[str]) -> Iterator[tuple[int, int]]:
    """Return the start and end of each block, outer blocks first."""
    found = []
    stack: list[int] = []
    for at, part in enumerate(parts):
        if re.match(r"\{\{~?\s*(#|\^\s*[^~}\s])", part):
            stack.append(at)
        elif re.match(r"\{\{~?\s*/", part) and stack:
            found.append((stack.pop(), at))
    return iter(sorted(found))


def _without_blocks(text: str, differs: Callable[[str], bool]) -> str:
    """Iterate over templates without one block, or without the tags of one block."""
    found = True
    while found:
        found = False
        parts = _TAG.findall(text)
        for start, end in _blocks(parts):
            inside = parts[start + 1 : end]
            for middle in ([], inside):
                smaller = "".join([*parts[:start], *middle, *parts[end + 1 :]])
                if differs(smaller):
                    text, found = smaller, True
                    break
            if found:
                break
    return text


def _without_parts(parts: list[str], differs: Callable[[str], bool]) -> str:
    """Remove runs of parts, long runs first (delta debugging)."""
    size = max(len(parts) // 2, 1)
    while size:
        at, found = 0, False
        while at < len(parts):
            smaller = parts[:at] + parts[at + size :]
            if differs("".join(smaller)):
                parts, found = smaller, True
            else:
                at += size
        if not (found and size == 1):
            size //= 2
    return "".join(parts)


def shape(case: Case) -> str:
    """Return the template without its names, so that cases with the same cause look alike."""
    texts = [case.template, *case.partials.values()]

    def plain(text: str) -> str:
        text = re.sub(r'"[^"]*"|\'[^\']*\'', "s", text)
        text = re.sub(r"\s+", " ", text)
        return re.sub(r"[^\W\d]\w*", lambda word: word[0] if word[0] in _WORDS else "x", text)

    return json.dumps([[plain(text) for text in texts], sorted(case.options)])


def as_file(name: str, case: Case, expect: str | None) -> str:
    """Return the case in the format of `tests/data/templates`."""
    shown: dict[str, Any] = {"name": name, "template": case.template, "data": case.data}
    if case.partials:
        shown["partials"] = case.partials
    if case.given is not None:
        shown["caller_data"] = case.given
    shown["options"] = {"dialect": "handlebars", **case.options}
    if expect is None:
        shown["error"] = {}
    else:
        shown["expect"] = expect
    return json.dumps(shown, ensure_ascii=False)
