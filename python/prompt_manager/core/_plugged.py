"""A render by a plugin. Where no plugin is used, nothing of this is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._observed import EVENTS, ObservedRenders
from prompt_manager.core.models import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.manager import PromptManager

__all__ = ["PluggedRender"]


class PluggedRender:
    """One render of a prompt by the plugin of a name, which is discovered where it is not registered."""

    def __init__(
        self,
        manager: PromptManager,
        plugin_name: str,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        *,
        version: str | None,
        label: str | None,
    ) -> None:
        self._manager = manager
        self._name = plugin_name
        self._prompt_id = prompt_id
        self._variables = {} if variables is None else variables
        self._which = {"version": version, "label": label}
        if plugin_name not in manager.plugins:
            manager.discover_plugins()
        self._plugin = manager.plugins.get(plugin_name)

    def asked(self) -> list[tuple[object, str]]:
        """Those that may have to be awaited."""
        return [
            (self._plugin, "initialize"),
            (self._plugin, "render_for_framework"),
            *self._manager._observers.asked(*EVENTS),
        ]

    async def run(self, ask: CallMode) -> Any:
        """What the plugin makes of the prompt."""
        manager = self._manager
        config = {"template_engine": manager.template_engine, "schemas": manager.schemas}
        plugin = await manager.plugins._prepare(ask, self._name, config)

        compiled = manager._core.get(self._prompt_id, **self._which)

        async def render() -> Any:
            variables = compiled.complete(self._variables, self._name)
            return await ask(plugin, "render_for_framework", Prompt._of(compiled), variables)

        if not manager._observers:
            return await render()
        renders = ObservedRenders(manager._core, manager._observers)
        return await renders.around(ask, render, self._prompt_id, compiled, self._variables)
