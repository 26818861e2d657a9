"""Measures a render by the id of the prompt, compared with an f-string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measure import interleaved
from report import Row, check_equal
from templates import TWO, TWO_VALUES, two

from prompt_manager import Prompt, PromptManager

if TYPE_CHECKING:
    from measure import Effort
    from templates import Values

__all__ = ["measure"]

TARGET = 4.0


def measure(effort: Effort) -> list[Row]:
    """Measure a render by id, in a manager with a hundred prompts and without observers."""
    manager = PromptManager()
    for i in range(99):
        manager.registry.register_sync(
            Prompt(id=f"other/{i}", format="text", status="active", template="Nothing of {{interest}}.")
        )
    manager.registry.register_sync(Prompt(id="greeting", format="text", status="active", template=TWO.handlebars[0]))
    render = manager.render_sync

    def ours(values: Values) -> str:
        return render("greeting", values)

    check_equal("manager", ours(TWO_VALUES), two(TWO_VALUES))
    timings = interleaved({"ours": ours, "by hand": two}, TWO_VALUES, effort)
    return [Row.of("by id", "render_sync by id, two variables", timings, TARGET)]
