"""Counts the tokens of what a batch makes: a column of numbers, and an error for a row that has too many."""

from __future__ import annotations

import json
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._json_bytes import bytes_as_base64
from prompt_manager.bulk._checks import check_count
from prompt_manager.exceptions import TemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TOKENS", "TokenRule", "token_rule"]

#: The name of the column with the counts.
TOKENS = "tokens"

_TIKTOKEN = "tiktoken:"


class TokenRule(NamedTuple):
    """How tokens are counted, and how many a row may have."""

    count: Callable[[str], int]
    max_tokens: int | None = None

    def counted(self, made: Any) -> tuple[int | None, TemplateRenderError | None]:
        """The tokens of what a row gave, and the error of a row that has too many or whose tokens cannot be counted.

        Args:
            made: A text, which may be the JSON of a request, or a list of messages. Messages are counted text by text,
                without their roles. ``None`` has no tokens.
        """
        try:
            tokens = self._of(made)
        except TemplateRenderError as error:
            return None, error
        if tokens is None or self.max_tokens is None or tokens <= self.max_tokens:
            return tokens, None
        return tokens, TemplateRenderError(f"the result has {tokens:,} tokens, and `max_tokens` is {self.max_tokens:,}")

    def _of(self, made: Any) -> int | None:
        if made is None:
            return None
        if isinstance(made, str):
            return self._of_text(made)
        return sum(self._of_message(message) for message in made)

    def _of_message(self, message: dict[str, Any]) -> int:
        values = (value for name, value in message.items() if name != "role" and value is not None)
        return sum(self._of_text(value if isinstance(value, str) else _json(value)) for value in values)

    def _of_text(self, text: str) -> int:
        try:
            tokens = self.count(text)
        except Exception as error:  # the caller's function
            raise TemplateRenderError(_failure(error)) from error
        try:
            count = -1 if isinstance(tokens, bool) else index(tokens)
        except TypeError:
            count = -1
        if not 0 <= count <= _MOST:
            found = repr(tokens) if tokens is None or isinstance(tokens, (bool, int, float)) else type(tokens).__name__
            raise TemplateRenderError(f"the function that counts tokens must return their number, and not {found}")
        return count


#: The largest number that a column of 64-bit integers holds.
_MOST = 2**63 - 1


def _failure(error: Exception) -> str:
    """The message for an error of the function that counts. It may hold half a surrogate pair."""
    text = f"the tokens cannot be counted: {type(error).__name__}: {error}"
    return text.encode(errors="backslashreplace").decode()


def _json(value: Any) -> str:
    return json.dumps(bytes_as_base64(value), ensure_ascii=False, separators=(",", ":"))


def token_rule(tokens: Callable[[str], int] | str | None, max_tokens: int | None) -> TokenRule | None:
    """The rule that the arguments of ``manager.batch`` name.

    Raises:
        ValueError: ``tokens`` names no way to count, or ``max_tokens`` has no effect or is not positive.
        TypeError: ``tokens`` is neither a text nor a function, or ``max_tokens`` is no integer.
    """
    if max_tokens is not None:
        check_count(max_tokens, "`max_tokens`")
    if tokens is None:
        if max_tokens is not None:
            raise ValueError('`max_tokens` needs `tokens=`, such as tokens="tiktoken:o200k_base"')
        return None
    if callable(tokens):
        return TokenRule(tokens, max_tokens)
    if not isinstance(tokens, str):
        raise TypeError(f"`tokens` must be a function from a text to a number, or a name, not {type(tokens).__name__}")
    name = tokens.removeprefix(_TIKTOKEN)
    if name == tokens or not name:
        raise ValueError(
            f"`tokens` must be a function, or a name such as '{_TIKTOKEN}o200k_base', not {tokens!a}\n"
            "  hint: pass a function that takes a text and returns a number for other tokenizers"
        )
    counter = TiktokenCounter(name)
    # An unknown encoding and a missing package are errors now, and not in the first row.
    counter("")
    return TokenRule(counter, max_tokens)


class TiktokenCounter:
    """Counts with an encoding of tiktoken. It is loaded once in each process, and only its name is pickled."""

    __slots__ = ("_encode", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._encode: Callable[[str], list[int]] | None = None

    def __call__(self, text: str) -> int:
        if self._encode is None:
            try:
                import tiktoken
            except ModuleNotFoundError as error:
                if error.name != "tiktoken":
                    raise
                message = f"tokens='{_TIKTOKEN}{self._name}' needs tiktoken\n  hint: pip install tiktoken"
                raise ModuleNotFoundError(message, name="tiktoken") from error
            # Texts such as "<|endoftext|>" of a user are text, and no control tokens.
            self._encode = tiktoken.get_encoding(self._name).encode_ordinary
        return len(self._encode(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return TiktokenCounter, (self._name,)

    def __repr__(self) -> str:
        return f"TiktokenCounter({self._name!r})"
