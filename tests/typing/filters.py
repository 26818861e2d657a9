"""Filters of lists, as type checkers see them: mypy and pyright both check this file, and nothing runs it."""

from __future__ import annotations

from prompt_manager import PromptManager, PromptRegistry
from prompt_manager.core.filters import PromptFilters
from prompt_manager.core.models import PromptStatus, PromptSummary


async def lists(registry: PromptRegistry, manager: PromptManager) -> None:
    filters: PromptFilters = {"status": PromptStatus.ACTIVE, "tags": ("a", "b"), "label": None}
    found: list[PromptSummary] = registry.list_sync(**filters)
    found = await registry.list(limit=3, offset=1, **filters)
    found = manager.list_prompts_sync(status="active", category="support", format="chat", text="refund")
    found = await manager.list_prompts(tags=["a"], limit=None)
    count: int = registry.count_sync()
    count = await registry.count(**filters)


def wrong(registry: PromptRegistry, manager: PromptManager) -> None:
    registry.list_sync(tag=["a"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    registry.count_sync(limit=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    registry.count_sync(category=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.list_prompts_sync(limit="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    manager.list_prompts_sync(lable="production")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    filters: PromptFilters = {"stauts": "active"}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
