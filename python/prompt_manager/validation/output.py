"""Reading a model's answer: the JSON in it, and what had to be repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["ParsedOutput", "Repair", "read_answer", "read_text"]


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair that was made to read an answer, and its position; ``line`` and ``column`` count from 1.

    ``kind`` is one of ``code_fence``, ``prose``, ``trailing_comma``, ``single_quotes``, ``curly_quotes``,
    ``needless_escape``, ``comment``, ``unquoted_key``, ``python_word``, ``not_finite``, ``control_character`` and
    ``cut_off``.
    """

    kind: str
    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ParsedOutput:
    """The validated data of an answer, and the repairs that reading it took.

    >>> ParsedOutput({"a": 1}).was_repaired
    False
    """

    data: Any
    repairs: tuple[Repair, ...] = ()

    @property
    def was_repaired(self) -> bool:
        """Whether the answer needed any repair."""
        return bool(self.repairs)

    @property
    def is_cut_off(self) -> bool:
        """Whether the end of the answer is missing. The data leaves out what was not complete."""
        return any(repair.kind == "cut_off" for repair in self.repairs)

    @classmethod
    def _of(cls, data: Any, repairs: Sequence[Mapping[str, Any]]) -> ParsedOutput:
        return cls(data, tuple(Repair(**repair) for repair in repairs))


def read_text(prompt: CompiledPrompt, text: str, *, strict: bool) -> ParsedOutput:
    """Read and validate the JSON in an answer to a prompt; see :meth:`PromptManager.parse_output`."""
    from prompt_manager._native import parse_json

    data, repairs, unclosed = parse_json(text, strict=strict, dict=prompt.wants_dict())
    made = prompt.validate_output(data)
    _take_back_defaults(made, data, unclosed)
    return ParsedOutput._of(made, repairs)


def _take_back_defaults(made: Any, data: Any, unclosed: int) -> None:
    """Remove the defaults that validation put into a dict that was cut off: the missing end may have held other values.

    Args:
        made: The validated answer.
        data: The answer before validation.
        unclosed: How many lists and dicts lack their end, from the outside in; each is the last item of the one before.

    Raises:
        SchemaValidationError: the answer became an instance of a model, from which no field can be removed.
    """
    path = ""
    for _ in range(unclosed):
        if isinstance(data, list):
            if not data:
                return
            path += f"[{len(data) - 1}]"
            made, data = made[-1], data[-1]
            continue
        if isinstance(made, dict):
            for name in made.keys() - data.keys():
                del made[name]
        elif unset := sorted(type(made).model_fields.keys() - made.model_fields_set):
            raise _unknown([f"{path}.{name}".removeprefix(".") for name in unset])
        if not data:
            return
        name = next(reversed(data))
        path += f".{name}"
        made, data = made.get(name) if isinstance(made, dict) else getattr(made, name, None), data[name]


def _unknown(paths: list[str]) -> Exception:
    from prompt_manager.exceptions import SchemaValidationError

    message = "the answer ends before this field, so its value is not known"
    errors = [{"path": path, "rule": "cut_off", "message": message} for path in paths]
    more = "" if len(paths) == 1 else f" (and {len(paths) - 1} more)"
    return SchemaValidationError(f"the answer is not complete: {paths[0]}: {message}{more}", errors=errors)


def read_answer(prompt: CompiledPrompt, answer: Any, *, strict: bool) -> Any:
    """Validate an answer to a prompt, given as text or as data."""
    return read_text(prompt, answer, strict=strict).data if isinstance(answer, str) else prompt.validate_output(answer)
