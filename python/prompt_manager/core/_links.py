"""Links from a registry of the core to observers, for calls that do not go through a manager.

An integration that converts a prompt of a manager notifies that manager's observers, and a watched directory those of
its registry. The core holds the links, so they are weak: an observer may refer to the manager.
"""

from __future__ import annotations

from weakref import ref

from prompt_manager.core.events import ReloadEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager._native import Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.exceptions import PromptManagerError

__all__ = ["ObserverLinks", "tell_of_reload"]


class ObserverLinks:
    """The observers of a registry: those of its changes, and those of the renders of each manager over it."""

    __slots__ = ("_changes", "_renders")

    def __init__(self, changes: Observers) -> None:
        self._changes = ref(changes)
        self._renders: tuple[ref[Observers], ...] = ()

    def add(self, observers: Observers) -> None:
        """Add the observers of a manager."""
        if all(known() is not observers for known in self._renders):
            self._renders = (*(known for known in self._renders if known() is not None), ref(observers))

    @property
    def of_changes(self) -> Observers | None:
        """The observers of the registry's changes, if the registry still exists."""
        return self._changes()

    @property
    def of_renders(self) -> list[Observers]:
        """The observers of renders: one object for each manager that still exists and has such observers."""
        alive = (known() for known in self._renders)
        return [observers for observers in alive if observers is not None and observers.hear_renders]

    def hand_to(self, core: Registry) -> None:
        """Tell the core whom to notify."""
        core.set_observers(self, bool(self.of_renders))


def tell_of_reload(links: ObserverLinks, source: str, prompts: int, errors: Sequence[PromptManagerError]) -> None:
    """Notify the observers of a registry of a reload. A watched directory calls this on its thread."""
    observers = links.of_changes
    if observers is not None:
        observers.tell_now("on_reload", ReloadEvent(source, prompts, errors))
