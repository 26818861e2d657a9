"""Parses and validates the answers of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["ParsedOutput", "Repair", "read_answer", "read_text"]


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair that was needed to parse an answer, and its position. Line and column count from 1.

    ``kind`` is one of ``code_fence``, ``prose``, ``trailing_comma``, ``single_quotes``, ``curly_quotes``,
    ``triple_quotes``, ``unescaped_quote``, ``unquoted_text``, ``needless_escape``, ``unknown_escape``, ``comment``,
    ``unquoted_key``, ``python_word``, ``not_finite``, ``control_character``, ``list_around``, ``json_in_text`` and
    ``cut_off``.
    """

    kind: str
    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ParsedOutput:
    """The validated data of an answer, and the repairs that were needed to parse it.

    >>> ParsedOutput({"a": 1}).was_repaired
    False
    """

    data: Any
    repairs: tuple[Repair, ...] = ()

    @property
    def was_repaired(self) -> bool:
        """Whether the answer was repaired."""
        return bool(self.repairs)

    @property
    def is_cut_off(self) -> bool:
        """Whether the end of the answer is missing. Incomplete parts are left out of the data."""
        return any(repair.kind == "cut_off" for repair in self.repairs)

    @classmethod
    def _of(cls, data: Any, repairs: Sequence[Mapping[str, Any]]) -> ParsedOutput:
        return cls(data, tuple(Repair(**repair) for repair in repairs))


def read_text(prompt: CompiledPrompt, text: str, *, strict: bool) -> ParsedOutput:
    """Parse and validate the JSON in an answer. See :meth:`PromptManager.parse_output`."""
    from prompt_manager._native import parse_answer

    data, repairs, unclosed = parse_answer(prompt, text, strict=strict)
    validated = prompt.validate_output(data)
    _remove_defaults(validated, data, unclosed)
    return ParsedOutput._of(validated, repairs)


def _remove_defaults(validated: Any, data: Any, unclosed: int) -> None:
    """Remove the default values that validation added to lists and dicts that were cut off.

    The missing end of the answer could have contained other values.

    Args:
        validated: The result of validation, which is changed.
        data: The parsed answer.
        unclosed: How many lists and dicts lack their end. Each is the last item of the one around it.

    Raises:
        SchemaValidationError: a default is in the instance of a model, which must have all its fields.
    """
    path = ""
    for _ in range(unclosed):
        if isinstance(data, list):
            if not data:
                return
            path += f"[{len(data) - 1}]"
            validated, data = validated[-1], data[-1]
            continue
        if isinstance(validated, dict):
            for name in validated.keys() - data.keys():
                del validated[name]
        elif unset := sorted(type(validated).model_fields.keys() - validated.model_fields_set):
            raise _cut_off_error([f"{path}.{name}".removeprefix(".") for name in unset])
        if not data:
            return
        name = next(reversed(data))
        path += f".{name}"
        validated = validated.get(name) if isinstance(validated, dict) else getattr(validated, name, None)
        data = data[name]


def _cut_off_error(paths: list[str]) -> Exception:
    from prompt_manager.exceptions import SchemaValidationError

    message = "the answer ends before this value; its default is not used"
    errors = [{"path": path, "rule": "cut_off", "message": message} for path in paths]
    more = "" if len(paths) == 1 else f" (and {len(paths) - 1} more)"
    return SchemaValidationError(f"the answer is not complete: {paths[0]}: {message}{more}", errors=errors)


def read_answer(prompt: CompiledPrompt, answer: Any, *, strict: bool) -> Any:
    """Validate an answer, and return its data. A text is parsed first."""
    return read_text(prompt, answer, strict=strict).data if isinstance(answer, str) else prompt.validate_output(answer)
