"""The filters of a list of prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from prompt_manager._keywords import check_keywords, read_word
from prompt_manager.core.models import PromptFormat, PromptStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from prompt_manager._native import Query

__all__ = ["PromptFilters"]


class PromptFilters(TypedDict, total=False):
    """Which prompts to list or count: those that match every filter. A filter that is ``None`` is not applied.

    Filters look at the latest version of each prompt; with ``label``, at the version that the label points to.

    >>> from prompt_manager import PromptManager
    >>> filters: PromptFilters = {"status": "active", "tags": ["support"]}
    >>> PromptManager().list_prompts_sync(**filters)
    []
    """

    status: PromptStatus | str | None
    """The status, such as ``"active"``."""

    tags: Sequence[str] | None
    """Tags. A prompt must have all of them. Case, and white space around a tag, make no difference."""

    category: str | None
    """The category in the metadata."""

    format: PromptFormat | str | None
    """The format, such as ``"chat"``."""

    label: str | None
    """A label, such as ``"production"``."""

    text: str | None
    """Words separated by blanks. Each must occur in the id, the description, a tag or a template, in any case."""


def read_filters(filters: Mapping[str, Any], *others: str) -> Query:
    """Convert the filters of a call for the core. ``others`` are the call's other keyword arguments.

    Raises:
        TypeError: There is no such filter, or ``tags`` is a string.
        ValueError: There is no such status or format.
    """
    check_keywords(filters, [*PromptFilters.__annotations__, *others])
    status, prompt_format, tags = (filters.get(name) for name in ("status", "format", "tags"))
    if isinstance(tags, str):
        raise TypeError("tags must be a list of tags, not one text")
    return {
        "status": None if status is None else read_word(PromptStatus, "status", status).value,
        "format": None if prompt_format is None else read_word(PromptFormat, "format", prompt_format).value,
        "category": filters.get("category"),
        "tags": list(tags or ()),
        "label": filters.get("label"),
        "text": filters.get("text"),
    }
