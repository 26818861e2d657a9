"""Renders a prompt with a plugin. Imported at the first such render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.core._observed import around
from prompt_manager.core._sync import run_asking
from prompt_manager.core.events import RenderEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_manager._native import Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.plugins.registry import PluginRegistry

__all__ = ["PluginRenders"]


class PluginRenders:
    """Renders the prompts of a registry with plugins.

    Args:
        core: The registry.
        plugins: The plugins. Those of installed packages are discovered at the first name that is not registered.
        observers: The observers of renders.
        config: Makes the configuration of a plugin that is not initialized yet.
    """

    __slots__ = ("_config", "_core", "_observers", "_plugins")

    def __init__(
        self,
        core: Registry,
        plugins: PluginRegistry,
        observers: Observers,
        config: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._core = core
        self._plugins = plugins
        self._observers = observers
        self._config = config

    def render_sync(self, name: str, prompt_id: str, variables: Mapping[str, Any] | None, **which: str | None) -> Any:
        """Render a prompt with the plugin of this name."""
        held = self._plugins._get_or_discover(name)
        if held.blocks and held.is_ready and not self._observers.hear_renders:
            # The usual case needs no coroutine.
            prompt = self._core.prompt(prompt_id, **which)
            return held.plugin.render_for_framework_sync(*self._resolved(name, prompt, variables))  # type: ignore[attr-defined]
        return run_asking(
            lambda mode: self.render(mode, name, prompt_id, variables, **which),
            "render_for_plugin",
            (held.plugin, "initialize"),
            (held.plugin, "render_for_framework"),
            observers_wait=self._observers.renders_wait,
        )

    async def render(
        self, mode: CallMode, name: str, prompt_id: str, variables: Mapping[str, Any] | None, **which: str | None
    ) -> Any:
        """Render a prompt with the plugin of this name."""
        self._plugins._get_or_discover(name)
        plugin = await self._plugins._prepare(mode, name, self._config())
        prompt = self._core.prompt(prompt_id, **which)

        async def render() -> Any:
            return await mode(plugin, "render_for_framework", *self._resolved(name, prompt, variables))

        if not self._observers.hear_renders:
            return await render()
        event = RenderEvent(prompt._core, "render_for_plugin", label=which.get("label"), target=name)
        return await around(self._observers, mode, event, {} if variables is None else variables, render)

    @staticmethod
    def _resolved(name: str, prompt: Prompt, variables: Mapping[str, Any] | None) -> tuple[Prompt, dict[str, Any]]:
        """The prompt and the variables for the plugin.

        The variables are validated and have the defaults. The handle of this prompt knows this very dict, so that a
        conversion of the two does not validate it again: an input schema may refuse what it converted itself.
        """
        resolved, core = prompt._core.resolve({} if variables is None else variables, name)
        return prompt._with_core(core), resolved
