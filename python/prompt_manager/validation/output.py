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

    ``fault`` is one of ``code_fence``, ``prose``, ``trailing_comma``, ``single_quotes``, ``comment``,
    ``unquoted_key``, ``python_word``, ``not_finite``, ``control_character`` and ``cut_off``.
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

    data, mended = parse_json(text, strict=strict, dict=prompt.wants_dict())
    return ParsedOutput._of(prompt.validate_output(data), mended)


def read_answer(prompt: CompiledPrompt, answer: Any, *, strict: bool) -> Any:
    """The data of an answer to a prompt, validated; it may be text or data already."""
    return read_text(prompt, answer, strict=strict).data if isinstance(answer, str) else prompt.validate_output(answer)
