"""What a model answered, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["Mend", "ParsedOutput", "read_answer", "read_text"]


@dataclass(frozen=True, slots=True)
class Mend:
    """Something that was mended in an answer, and where; line and column count from 1.

    ``fault`` is one of ``code_fence``, ``prose``, ``trailing_comma``, ``single_quotes``, ``curly_quotes``,
    ``needless_escape``, ``comment``, ``unquoted_key``, ``python_word``, ``not_finite``, ``control_character`` and
    ``cut_off``.
    """

    fault: str
    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ParsedOutput:
    """An answer: its data, validated, and what had to be mended to read it.

    >>> ParsedOutput({"a": 1}).is_mended
    False
    """

    data: Any
    mended: tuple[Mend, ...] = ()

    @property
    def is_mended(self) -> bool:
        """Whether anything was mended."""
        return bool(self.mended)

    @property
    def is_cut_off(self) -> bool:
        """Whether the end of the answer is missing; what was not complete is left out of the data."""
        return any(mend.fault == "cut_off" for mend in self.mended)

    @classmethod
    def _of(cls, data: Any, mended: Sequence[Mapping[str, Any]]) -> ParsedOutput:
        return cls(data, tuple(Mend(**mend) for mend in mended))


def read_text(prompt: CompiledPrompt, text: str, *, strict: bool) -> ParsedOutput:
    """The JSON in an answer to a prompt, validated; see :meth:`PromptManager.parse_output`."""
    from prompt_manager._native import parse_json

    data, mended, unclosed = parse_json(text, strict=strict, dict=prompt.wants_dict())
    made = prompt.validate_output(data)
    _take_back_defaults(made, data, unclosed)
    return ParsedOutput._of(made, mended)


def _take_back_defaults(made: Any, data: Any, unclosed: int) -> None:
    """Take out of what was made what only defaults say of a list or dict that was cut off: its end may say otherwise.

    Args:
        made: What validation made of the answer.
        data: The answer.
        unclosed: How many lists and dicts lack their end, from the outside in, each the last thing in the one before.

    Raises:
        SchemaValidationError: it is a model's instance, of which nothing can be taken.
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

    message = "the answer ends before it says this, and only a default would"
    errors = [{"path": path, "rule": "cut_off", "message": message} for path in paths]
    more = "" if len(paths) == 1 else f" (and {len(paths) - 1} more)"
    return SchemaValidationError(f"the answer is not complete: {paths[0]}: {message}{more}", errors=errors)


def read_answer(prompt: CompiledPrompt, answer: Any, *, strict: bool) -> Any:
    """The data of an answer to a prompt, validated; it may be text or data already."""
    return read_text(prompt, answer, strict=strict).data if isinstance(answer, str) else prompt.validate_output(answer)
