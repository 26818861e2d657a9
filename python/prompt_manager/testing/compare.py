"""Runs cases, and compares what they give with what they expect."""

from __future__ import annotations

import difflib
import json
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prompt_manager._json_bytes import bytes_as_base64
from prompt_manager._native import plain_json
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prompt_manager.core.manager import PromptManager
    from prompt_manager.testing.cases import PromptCase

__all__ = ["CaseFailure", "run_case"]


@dataclass(frozen=True)
class CaseFailure:
    """An expectation that was not met.

    Attributes:
        path: The keys of the expectation in the case: ``("text",)`` or ``("request", "expected")``.
        message: What differs.
        actual: What the prompt gives now.
        can_update: Whether ``--update`` can write it as the expected value.
    """

    path: tuple[str, ...]
    message: str
    actual: Any = None
    can_update: bool = False


def run_case(manager: PromptManager, case: PromptCase) -> list[CaseFailure]:
    """Run a case. The list is empty if every expectation is met."""
    if "raises" in case.expected:
        return _check_raises(manager, case)
    with warnings.catch_warnings():
        # Warnings are for the load, which has shown them.
        warnings.simplefilter("ignore", UserWarning)
        return _CaseRun(manager, case).failures()


def _described(error: PromptManagerError) -> str:
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])


def _check_raises(manager: PromptManager, case: PromptCase) -> list[CaseFailure]:
    wanted = case.expected["raises"]
    try:
        manager.render_sync(case.prompt_id, case.variables, version=case.version, label=case.label)
    except PromptManagerError as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        if wanted in names or wanted in str(error):
            return []
        return [CaseFailure(("raises",), f"raises another error: {_described(error)}")]
    return [CaseFailure(("raises",), "raises nothing")]


#: The most lines of a rendered text that a message shows.
_SHOWN_LINES = 20


#: Arguments of ``build_request`` that are keys of the case, with what to do.
_OF_CASE = {
    "prompt_id": "write `prompt` in the case",
    "variables": "write them in the case",
    "version": "write it in the case",
    "label": "write it in the case",
}


class _CaseRun:
    """What a case renders, once for all its expectations."""

    def __init__(self, manager: PromptManager, case: PromptCase) -> None:
        self._manager = manager
        self._case = case
        self._chosen: dict[str, Any] = {"version": case.version, "label": case.label}
        self._rendered: str | None = None
        self._is_shown = False

    def failures(self) -> list[CaseFailure]:
        checks: dict[str, Callable[[Any], Iterator[CaseFailure]]] = {
            "text": self._text,
            "messages": self._messages,
            "request": self._request,
            "contains": self._contains,
            "not_contains": self._not_contains,
            "matches": self._matches,
            "max_chars": self._max_chars,
            "parses": self._parses,
        }
        found: list[CaseFailure] = []
        for key, expected in self._case.expected.items():
            try:
                found += checks[key](expected)
            except PromptManagerError as error:
                # The same error for several expectations is reported once.
                message = _described(error)
                if all(failure.message != message for failure in found):
                    found.append(CaseFailure((key,), message))
        return found

    def _render(self) -> str:
        if self._rendered is None:
            case = self._case
            self._rendered = self._manager.render_sync(case.prompt_id, case.variables, **self._chosen)
        return self._rendered

    def _text(self, expected: str | None) -> Iterator[CaseFailure]:
        yield from _compared(("text",), expected, self._render())

    def _messages(self, expected: Any) -> Iterator[CaseFailure]:
        case = self._case
        messages = self._manager.render_messages_sync(case.prompt_id, case.variables, **self._chosen)
        yield from _compared(("messages",), expected, plain_json(messages, "messages"))

    def _request(self, given: dict[str, Any]) -> Iterator[CaseFailure]:
        case = self._case
        arguments = {key: value for key, value in given.items() if key not in {"provider", "expected"}}
        if misplaced := [key for key in _OF_CASE if key in arguments]:
            yield CaseFailure(
                ("request",), f"`{misplaced[0]}` does not belong into `request`: {_OF_CASE[misplaced[0]]}"
            )
            return
        try:
            request = self._manager.build_request_sync(
                case.prompt_id, case.variables, given["provider"], **self._chosen, **arguments
            )
        except (TypeError, ValueError) as error:
            # A provider or argument that does not exist, or a value of another type.
            message = "\n".join([str(error), *getattr(error, "__notes__", ())])
            yield CaseFailure(("request",), f"`request` is wrong: {message}")
            return
        actual = plain_json(bytes_as_base64(request), "request")
        yield from _compared(("request", "expected"), given.get("expected"), actual)

    def _contains(self, texts: str | list[str]) -> Iterator[CaseFailure]:
        for text in _listed(texts):
            if text not in self._render():
                yield CaseFailure(("contains",), f"the text does not contain {text!r}{self._shown_once()}")

    def _not_contains(self, texts: str | list[str]) -> Iterator[CaseFailure]:
        for text in _listed(texts):
            if text in self._render():
                yield CaseFailure(("not_contains",), f"the text contains {text!r}")

    def _matches(self, patterns: str | list[str]) -> Iterator[CaseFailure]:
        for pattern in _listed(patterns):
            if not re.search(pattern, self._render()):
                yield CaseFailure(("matches",), f"the text does not match {pattern!r}{self._shown_once()}")

    def _shown_once(self) -> str:
        """The rendered text, for the first message that needs it. The end of a long text is left out."""
        if self._is_shown:
            return ""
        self._is_shown = True
        lines = self._render().splitlines()
        more = [f"… ({len(lines) - _SHOWN_LINES} more lines)"] if len(lines) > _SHOWN_LINES else []
        return "; it is:\n" + "\n".join(f"  {line}" for line in lines[:_SHOWN_LINES] + more)

    def _max_chars(self, limit: int) -> Iterator[CaseFailure]:
        if (length := len(self._render())) > limit:
            yield CaseFailure(("max_chars",), f"the text has {length} characters, more than {limit}")

    def _parses(self, given: dict[str, Any]) -> Iterator[CaseFailure]:
        parsed = self._manager.parse_output(self._case.prompt_id, given["answer"], **self._chosen)
        yield from _compared(("parses", "expected"), given.get("expected"), plain_json(parsed.data, "answer"))


def _listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


def _compared(path: tuple[str, ...], expected: Any, actual: Any) -> Iterator[CaseFailure]:
    what = path[0]
    if expected is None and actual is not None:
        message = f"`{'.'.join(path)}` has no value yet; run `prompt-manager test --update` to fill it in"
        yield CaseFailure(path, message, actual, can_update=True)
    elif _differ(expected, actual):
        message = f"the {what} differs (- expected, + actual):\n{_diff(expected, actual)}"
        if what == "messages":
            message = message.replace("differs", "differ", 1)
        yield CaseFailure(path, message, actual, can_update=True)


def _differ(expected: Any, actual: Any) -> bool:
    """Whether two plain values differ. True is not 1."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() != actual.keys() or any(_differ(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) != len(actual) or any(map(_differ, expected, actual))
    return isinstance(expected, bool) != isinstance(actual, bool) or bool(expected != actual)


def _diff(expected: Any, actual: Any) -> str:
    old, new = _shown(expected), _shown(actual)
    lines = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    return "\n".join(f"  {line}" for line in lines)


def _shown(value: Any) -> list[str]:
    """The lines of a value. A text without a line break at its end says so, as in the diffs of git."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, indent=2).split("\n")
    lines = value.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines, "\\ no line break at the end"]
