"""What a framework cannot express, and where it is."""

from __future__ import annotations

from typing import Any
from warnings import warn

from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations.base import PromptConversionWarning

__all__ = ["MessagePosition", "PlacedMessage", "Problems"]

#: The position of a message, and its role.
MessagePosition = tuple[int, str]
#: A message with its position.
PlacedMessage = tuple[MessagePosition, dict[str, Any]]


class Problems:
    """What a framework cannot express: an error in strict mode, and a warning otherwise."""

    def __init__(self, framework: str, prompt_id: str, *, strict: bool) -> None:
        self._framework = framework
        self._prompt_id = prompt_id
        self._strict = strict

    def handle(self, at: MessagePosition, problem: str, hint: str, done: str) -> None:
        """Report a problem of a message, and what is done about it if that is allowed.

        Raises:
            ConversionError: strict mode does not allow it.
        """
        if self._strict:
            raise self.error_at(at, problem, hint)
        warn(f"{_placed(at, problem)}; {done}", PromptConversionWarning, stacklevel=2)

    def refuse(self, problem: str, hint: str, done: str) -> None:
        """Report a problem that is in no message.

        Raises:
            ConversionError: strict mode does not allow it.
        """
        if self._strict:
            raise self.error(problem, hint)
        warn(f"{problem}; {done}", PromptConversionWarning, stacklevel=2)

    def drop_empty(self, at: MessagePosition) -> None:
        """Report a message that is dropped because nothing of it can be sent.

        Raises:
            ConversionError: strict mode does not allow it.
        """
        hint = "add content, or write `optional: true` to leave out the message when it is blank"
        self.handle(at, "the content is empty", hint, "dropped")

    def note(self, text: str) -> None:
        """Warn about something that no message has."""
        warn(text, PromptConversionWarning, stacklevel=2)

    def note_at(self, at: MessagePosition, text: str) -> None:
        """Warn about something of a message that costs only money."""
        self.note(_placed(at, text))

    def error_at(self, at: MessagePosition, problem: str, hint: str) -> ConversionError:
        """The error for a problem of a message."""
        return self.error(_placed(at, problem), hint)

    def error(self, problem: str, hint: str) -> ConversionError:
        """The error for a problem."""
        return ConversionError(
            f"Failed to convert prompt '{self._prompt_id}' to {self._framework} format: {problem}",
            prompt_id=self._prompt_id,
            framework=self._framework.lower(),
            hint=hint,
        )


def _placed(at: MessagePosition, problem: str) -> str:
    return f"message {at[0]} ({at[1]}): {problem}"
