"""Reads the cases of test files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prompt_manager._native import nearest
from prompt_manager._shown_path import shown_path
from prompt_manager.exceptions import PromptValidationError
from prompt_manager.testing.yaml_file import YamlNode, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CASE_KEYS", "EXPECTATIONS", "PromptCase", "prompt_beside", "read_cases"]


@dataclass(frozen=True)
class PromptCase:
    """One case of a test file: what to render, and what to expect.

    ``expected`` has the expectations by their keys in the file, such as ``text`` and ``contains``.
    """

    path: Path
    line: int
    name: str
    prompt_id: str
    version: str | None
    label: str | None
    variables: dict[str, Any]
    expected: dict[str, Any]


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and value != [] and all(isinstance(item, str) for item in value)
    )


def _is_patterns(value: Any) -> bool:
    if not _is_texts(value):
        return False
    try:
        for pattern in [value] if isinstance(value, str) else value:
            re.compile(pattern)
    except re.error:
        return False
    return True


def _is_mapping_with(*keys: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(isinstance(value.get(key), str) for key in keys)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_TEXT = ("a string", lambda value: isinstance(value, str))
_TEXTS = ("a string or a list of strings", _is_texts)

#: What a case can expect: by key, the description of its value and the check of it. ``--update`` fills in a null.
EXPECTATIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a string", _is_text_or_none),
    "messages": ("a list of messages", lambda value: value is None or isinstance(value, list)),
    "request": ("a mapping with `provider`, `expected` and arguments", _is_mapping_with("provider")),
    "contains": _TEXTS,
    "not_contains": _TEXTS,
    "matches": ("a regular expression or a list of them", _is_patterns),
    "max_chars": ("a number of characters", _is_count),
    "raises": ("the name of an exception, or a part of its message", _TEXT[1]),
    "parses": ("a mapping with `answer` and `expected`", _is_mapping_with("answer")),
}

#: The keys of a case, with the description and the check of the value.
CASE_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": _TEXT,
    "prompt": _TEXT,
    "version": _TEXT,
    "label": _TEXT,
    "variables": ("a mapping of names to values", lambda value: isinstance(value, dict)),
    **EXPECTATIONS,
}


class _Mistakes:
    """The mistakes of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[PromptValidationError] = []

    def add(self, node: YamlNode, message: str) -> None:
        where = f"{shown_path(self.path)}:{node.line}:{node.column}"
        error = PromptValidationError(
            f"{message}\n  at {where}", path=str(self.path), line=node.line, column=node.column
        )
        self.found.append(error)

    def check(self) -> None:
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            report = "\n".join(str(error) for error in self.found)
            raise PromptValidationError(f"{len(self.found)} problems in {shown_path(self.path)}\n{report}", self.found)


def prompt_beside(path: Path, root: Path) -> str:
    """Return the id of the prompt whose file is next to a test file.

    It is the ``id`` in the prompt file, or else the path below the directory without the extensions.
    """
    stem = path.name[: -len(".test") - len(path.suffix)]
    for suffix in (".yaml", ".yml"):
        prompt_file = path.with_name(stem + suffix)
        if prompt_file.is_file():
            try:
                node = read(prompt_file)
            except PromptValidationError:
                # The load of the prompts reports it, or the file has several documents.
                break
            plain = node.plain()
            if isinstance(plain, dict) and isinstance(plain.get("id"), str):
                return str(plain["id"])
            break
    return path.relative_to(root).with_name(stem).as_posix()


def read_cases(path: Path, root: Path) -> list[PromptCase]:
    """Read the cases of a test file below a directory of prompts.

    Raises:
        StorageReadError: the file cannot be read.
        PromptValidationError: the file breaks a rule. The message has every mistake with its line and column.
    """
    node = read(path)
    mistakes = _Mistakes(path)
    if not isinstance(node.value, list):
        mistakes.add(node, "expected a list of cases")
        mistakes.check()
    beside = prompt_beside(path, root)
    names: dict[str, int] = {}
    cases = []
    for item in node.items():
        case = _read_case(item, path, beside, mistakes)
        if case is None:
            continue
        if case.name in names:
            mistakes.add(item, f"two cases have the name {case.name!r}; the first is in line {names[case.name]}")
        names.setdefault(case.name, case.line)
        cases.append(case)
    mistakes.check()
    return cases


def _read_case(node: YamlNode, path: Path, beside: str, mistakes: _Mistakes) -> PromptCase | None:
    before = len(mistakes.found)
    if not node.is_mapping:
        mistakes.add(node, "expected a case, which is a mapping with `name`")
        return None
    fields = _read_fields(node, mistakes)
    if "name" not in fields:
        mistakes.add(node, "a case needs a `name`")
    expected = {name: value for name, value in fields.items() if name in EXPECTATIONS}
    if not expected:
        mistakes.add(node, f"the case expects nothing; add one of {', '.join(EXPECTATIONS)}")
    if "raises" in expected and len(expected) > 1:
        mistakes.add(node, "`raises` cannot be combined with other expectations")
    if "version" in fields and "label" in fields:
        mistakes.add(node, "`version` and `label` cannot be used together")
    if len(mistakes.found) > before:
        return None
    return PromptCase(
        path=path,
        line=node.line,
        name=fields["name"],
        prompt_id=fields.get("prompt", beside),
        version=fields.get("version"),
        label=fields.get("label"),
        variables=fields.get("variables", {}),
        expected=expected,
    )


def _read_fields(node: YamlNode, mistakes: _Mistakes) -> dict[str, Any]:
    """The values of a case by key."""
    fields: dict[str, Any] = {}
    for name, (key, value) in node.members().items():
        if name not in CASE_KEYS:
            near = nearest(name, list(CASE_KEYS))
            mistakes.add(key, f"unknown key {name!r}" + (f"; did you mean {near!r}?" if near else ""))
            continue
        what, is_valid = CASE_KEYS[name]
        try:
            plain = value.plain()
        except PromptValidationError as error:
            mistakes.add(value._replace(line=error.context["line"], column=error.context["column"]), error.message)
            continue
        if not is_valid(plain):
            mistakes.add(value, f"`{name}` must be {what}")
        fields[name] = plain
    return fields
