"""Work by the id of a prompt: renders with and without observers, prompts and plugins. Each against f-strings."""

from __future__ import annotations

from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from conversion import ROLES
from conversion import by_hand as three
from measure import interleaved
from report import Row, check_equal
from templates import CHAT, CHAT_VALUES, TWO, TWO_VALUES, two

from prompt_manager import Prompt, PromptManager
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import MetricsCollector, Observer, OpenTelemetryObserver
from prompt_manager.storage import FileSystemStorage

if TYPE_CHECKING:
    from measure import Effort
    from templates import Values

    from prompt_manager.core.models import PromptExecution

__all__ = ["measure"]

TARGET = 2.2

#: The ratio of a render that a MetricsCollector counts.
COUNTED_TARGET = 6.0


def measure(effort: Effort) -> list[Row]:
    """The rows of renders, and those of a prompt that is handed out and converted."""
    return [*measure_renders(effort), *measure_refresh(effort), *measure_conversions(effort)]


def measure_renders(effort: Effort) -> list[Row]:
    """The render by id among a hundred prompts, without and with observers."""
    manager = PromptManager()
    for i in range(99):
        manager.registry.register_sync(
            Prompt(id=f"other/{i}", format="text", status="active", template="Nothing of {{interest}}.")
        )
    manager.registry.register_sync(Prompt(id="greeting", format="text", status="active", template=TWO.handlebars[0]))
    # A function in Python around the call would be measured with it.
    ours = partial(manager.render_sync, "greeting")
    check_equal("manager", ours(TWO_VALUES), two(TWO_VALUES))
    rows = []
    for name, (title, observer, target) in OBSERVERS.items():
        if observer is not None:
            manager.add_observer(observer)
        timings = interleaved({"ours": ours, "by hand": two}, TWO_VALUES, effort)
        rows.append(Row.of(name, title, timings, target))
        if observer is not None:
            manager.remove_observer(observer)
    return rows


def measure_refresh(effort: Effort) -> list[Row]:
    """The render by id of a manager that takes over changes of its storage: it reads the clock, and nothing changes."""
    with TemporaryDirectory() as directory:
        storage = FileSystemStorage(directory)
        storage.save_sync(Prompt(id="greeting", format="text", status="active", template=TWO.handlebars[0]))
        ours = partial(PromptManager.from_storage_sync(storage, refresh=1.0).render_sync, "greeting")
        check_equal("refresh", ours(TWO_VALUES), two(TWO_VALUES))
        timings = interleaved({"ours": ours, "by hand": two}, TWO_VALUES, effort)
        return [Row.of("refresh", "the same, from_storage(refresh=1.0)", timings)]


class Completed:
    """An observer of finished renders that does nothing."""

    def on_render_complete(self, prompt_id: str, version: str, execution: object) -> None:
        """Take the record."""


class Reading:
    """An observer of finished renders that reads what a record makes only then."""

    def on_render_complete(self, prompt_id: str, version: str, execution: PromptExecution) -> None:
        """Read the id and the time."""
        del prompt_id, version
        _ = execution.execution_id, execution.timestamp


#: What each row renders with: its title, the observer, and the ratio to reach.
OBSERVERS: dict[str, tuple[str, object | None, float | None]] = {
    "by id": ("render_sync by id, two variables", None, TARGET),
    "observed by none": ("the same, an observer without methods", Observer(), None),
    "counted": ("the same, a MetricsCollector", MetricsCollector(), COUNTED_TARGET),
    "observed": ("the same, an observer of on_render_complete", Completed(), None),
    "read": ("the same, one that reads the id and time of the render", Reading(), None),
    "traced": ("the same, an OpenTelemetryObserver without an SDK", OpenTelemetryObserver(), None),
}


def measure_conversions(effort: Effort) -> list[Row]:
    """A prompt of three messages that is asked for and converted, and the same by the plugin."""
    manager = PromptManager()
    messages = [{"role": role, "content": content} for role, content in zip(ROLES, CHAT.handlebars, strict=True)]
    manager.registry.register_sync(
        Prompt(id="chat", format="chat", status="active", chat_template={"messages": messages})
    )
    get, convert = manager.get_prompt_sync, OpenAIIntegration(manager.template_engine).convert_sync
    render_for_plugin = manager.render_for_plugin_sync

    def converted(values: Values) -> object:
        return convert(get("chat"), values)

    def by_plugin(values: Values) -> object:
        return render_for_plugin("chat", values, "openai")

    rows = []
    for name, title, ours in (
        ("get, convert", "get_prompt_sync and convert_sync, three messages", converted),
        ("plugin", "render_for_plugin_sync, three messages", by_plugin),
    ):
        check_equal(name, ours(CHAT_VALUES), three(CHAT_VALUES))
        rows.append(Row.of(name, title, interleaved({"ours": ours, "by hand": three}, CHAT_VALUES, effort)))
    return rows
