"""Converts between the storages and the stores of the core."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence
    from typing import Any

    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus

__all__ = ["as_move", "as_prompt", "as_prompts", "checked", "warn"]


def warn(warnings: Sequence[str]) -> None:
    """Issue the warnings about prompts that were read."""
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=4)


def as_prompt(loaded: tuple[dict[str, Any], builtins.list[str]]) -> Prompt:
    """Build the prompt that a store returned, and issue its warnings."""
    from prompt_manager.core.models import Prompt

    plain, warnings = loaded
    warn(warnings)
    return Prompt.model_validate(plain)


def as_prompts(listed: tuple[builtins.list[dict[str, Any]], builtins.list[str]]) -> builtins.list[Prompt]:
    """Build the prompts that a store returned, and issue their warnings."""
    from prompt_manager.core.models import Prompt

    plains, warnings = listed
    warn(warnings)
    return [Prompt.model_validate(plain) for plain in plains]


def as_move(plain: dict[str, Any]) -> LabelMove:
    """Build the label move that a store returned."""
    from prompt_manager.core.models import LabelMove

    return LabelMove.model_validate(plain)


def checked(
    tags: Sequence[str] | None, status: PromptStatus | str | None
) -> tuple[builtins.list[str], PromptStatus | None]:
    """Check the filters of a list, and convert them for the core."""
    from prompt_manager._keywords import read_word
    from prompt_manager.core.models import PromptStatus

    if isinstance(tags, str):
        raise TypeError("tags must be a list of tags, not a str")
    return list(tags or ()), None if status is None else read_word(PromptStatus, "status", status)
