"""The changes that an update of a prompt takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from prompt_manager.core.models import (
        ChatPromptTemplate,
        GivenVariables,
        Message,
        PromptFormat,
        PromptMetadata,
        PromptTemplate,
        Settings,
        Tool,
    )

__all__ = ["PromptChanges"]


class PromptChanges(TypedDict, total=False):
    """The keywords of :meth:`PromptManager.update_prompt` that change the prompt, besides ``status``.

    They are those of :class:`Prompt`, without ``id`` and ``version``.
    """

    format: PromptFormat | str
    template: PromptTemplate | Mapping[str, Any] | str | None
    messages: Sequence[Message | Mapping[str, Any]] | None
    variables: GivenVariables
    partials: Mapping[str, str]
    chat_template: ChatPromptTemplate | Mapping[str, Any] | None
    tools: Sequence[Tool | Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any] | None
    settings: Settings | Mapping[str, Any]
    input_schema: str | Mapping[str, Any] | None
    output_schema: str | Mapping[str, Any] | None
    metadata: PromptMetadata | Mapping[str, Any]
    labels: Sequence[str]
    uid: UUID | str
    created_at: datetime | str
    updated_at: datetime | str
