"""Variables that were completed for a prompt."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prompt_manager._native import CompiledPrompt

__all__ = ["CompletedVariables"]


class CompletedVariables(dict[str, "Any"]):
    """What a plugin is handed: every variable, validated and with the defaults.

    A render or conversion of this very prompt does not check them again: an input schema may forbid the defaults that
    were laid over, and a value that it has converted. A copy is a plain dict, and is checked as any other.
    """

    __slots__ = ("given", "prompt")

    def __init__(self, variables: dict[str, Any], prompt: CompiledPrompt, given: Any) -> None:
        super().__init__(variables)
        self.prompt = prompt
        #: What the variables were made of.
        self.given = given

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)
