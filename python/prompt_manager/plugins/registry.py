"""The plugins of a manager: registered by hand, taken from a module, or found among the installed packages."""

from __future__ import annotations

from _thread import RLock, allocate_lock
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import nearest
from prompt_manager.core._keyed_lock import KeyedLock
from prompt_manager.core._sync import AWAITING, _has_sync_version, run_asking
from prompt_manager.exceptions import (
    IntegrationNotAvailableError,
    PluginError,
    PluginLoadError,
    PluginNotFoundError,
    PluginValidationError,
    PromptManagerError,
)
from prompt_manager.plugins import _discovery
from prompt_manager.plugins._discovery import GROUP
from prompt_manager.plugins.base import BasePlugin

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.protocols import PluginProtocol

__all__ = ["PluginInfo", "PluginRegistry"]


class PluginInfo(NamedTuple):
    """What a list tells of a plugin."""

    #: The name that it is asked for by.
    name: str
    #: Its version.
    version: str
    #: The entry point or class that it came from.
    origin: str
    #: Whether all that it needs is installed.
    is_available: bool
    #: What to install, where something is missing.
    reason: str | None
    #: Whether it is ready; it becomes so at its first use.
    is_initialized: bool


class _Held:
    """A registered plugin, with its origin, its configuration and its state."""

    __slots__ = ("blocks", "config", "found", "origin", "plugin", "ready")

    def __init__(self, plugin: PluginProtocol, config: Mapping[str, Any], origin: str, *, found: bool) -> None:
        self.plugin = plugin
        self.config = config
        self.origin = origin
        self.found = found
        self.ready = False
        #: Whether it renders without being awaited.
        self.blocks = _has_sync_version(plugin, "render_for_framework")

    @property
    def is_ready(self) -> bool:
        # A plugin of ours knows itself, for its owner may have initialized it, or shut it down.
        return self.plugin.is_initialized if isinstance(self.plugin, BasePlugin) else self.ready

    def unavailable(self) -> str | None:
        """Why it cannot be used here."""
        if isinstance(self.plugin, BasePlugin):
            try:
                self.plugin.check_available()
            except IntegrationNotAvailableError as error:
                return str(error)
        return None


class PluginRegistry:
    """Plugins by name. Any thread may use it.

    >>> registry = PluginRegistry()
    >>> registry.discover_entry_points()
    ['anthropic', 'langchain', 'litellm', 'openai']
    >>> registry.get("openai").version
    '1.0.0'
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        #: What kept plugins from being loaded, by their names.
        self._failures: dict[str, PluginError] = {}
        self._lock = allocate_lock()
        # Plugins are imported while it is held, and one may discover while it is imported.
        self._discovering = RLock()
        self._initializing = KeyedLock()

    def register(
        self, plugin: PluginProtocol, *, config: Mapping[str, Any] | None = None, replace: bool = False
    ) -> None:
        """Add a plugin; one that is there already stays as it is.

        Args:
            plugin: The plugin, initialized or not.
            config: What it is initialized with at its first use, besides what the manager gives. It overrides that.
            replace: Put it in the place of another of this name, which is not shut down by this.

        Raises:
            PluginValidationError: it is no plugin, or another has its name.
        """
        _discovery.check(plugin)
        origin = f"{type(plugin).__module__}:{type(plugin).__qualname__}"
        self._add(_Held(plugin, dict(config or {}), origin, found=False), replace=replace)

    def _add(self, held: _Held, *, replace: bool) -> None:
        name = held.plugin.name
        with self._lock:
            known = self._held.get(name)
            if known is not None and known.plugin is held.plugin:
                return
            if known is not None and not replace:
                raise PluginValidationError(
                    f"a plugin '{name}' is registered already ({known.origin}): unregister it, or use replace=True",
                    plugin=name,
                )
            self._held[name] = held
            self._failures.pop(name, None)

    def get(self, name: str) -> PluginProtocol:
        """The plugin of this name.

        Raises:
            PluginNotFoundError: none is registered under this name; the message has the one that is probably meant.
            PluginLoadError: an installed package offers it, and it could not be loaded.
            PluginValidationError: an installed package offers it, and it is no plugin.
        """
        return self._get(name).plugin

    def _get(self, name: str) -> _Held:
        with self._lock:
            held = self._held.get(name)
            if held is not None:
                return held
            failure, known = self._failures.get(name), sorted(self._held)
        if failure is not None:
            raise type(failure)(failure.message, **failure.context) from failure.__cause__
        near = nearest(name, known)
        meant = f": did you mean '{near}'?" if near else f"; there are: {', '.join(known) or 'none'}"
        raise PluginNotFoundError(f"no plugin is named '{name}'{meant}", plugin=name, nearest=near, known=known)

    def _found(self, name: str) -> _Held:
        """As :meth:`_get`; the plugins of installed packages are discovered if none of this name is registered."""
        held = self._held.get(name)
        if held is not None:
            return held
        self.discover_entry_points()
        return self._get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def unregister(self, name: str) -> PluginProtocol:
        """Remove a plugin, and give it: it is not shut down by this.

        Raises:
            PluginNotFoundError: none is registered under this name.
            PluginLoadError: an installed package offers it, and it could not be loaded.
            PluginValidationError: an installed package offers it, and it is no plugin.
        """
        held = self._get(name)
        with self._lock:
            self._held.pop(name, None)
        return held.plugin

    def list(self) -> builtins.list[PluginInfo]:
        """Every plugin, by name; those too that something is missing for."""
        with self._lock:
            all_held = sorted(self._held.items())
        infos = []
        for name, held in all_held:
            reason = held.unavailable()
            infos.append(
                PluginInfo(name, held.plugin.version, held.origin, reason is None, reason, is_initialized=held.is_ready)
            )
        return infos

    def load_from_module(self, module: str, *, config: Mapping[str, Any] | None = None) -> builtins.list[str]:
        """Register the plugins of a module; gives their names.

        Args:
            module: ``"package.module"`` for every class in it that derives from :class:`BasePlugin` and is defined
                there, or ``"package.module:Name"`` for one class, function or plugin.
            config: What each is initialized with at its first use.

        Raises:
            PluginLoadError: the module cannot be imported, has no such name, or a class cannot be called without
                arguments.
            PluginValidationError: what is there is no plugin, or another has its name.
        """
        path, _, attribute = module.partition(":")
        try:
            found = import_module(path)
            made = [_discovery.make(each) for each in _plugins_in(found, attribute)]
        except (Exception, SystemExit) as error:  # a stranger's code: all that it raises is the reason
            raise _discovery.failure(module, "loaded from a module", error, "fix the module or its path") from error
        if not made:
            raise PluginValidationError(
                f"module '{path}' defines no class that derives from prompt_manager.plugins.BasePlugin: name one with "
                f"'{path}:Name'",
                module=path,
            )
        for plugin in made:
            self.register(plugin, config=config)
        return [plugin.name for plugin in made]

    def discover_entry_points(self, group: str = GROUP) -> builtins.list[str]:
        """Register the plugins that installed packages offer; gives the names of those that were not there before.

        One that cannot be loaded is logged (``prompt_manager``, level warning) once in a process, with the reason and
        what to do, and :meth:`get` raises it; the others are registered. A name that is registered already stays whose
        it is. A plugin is initialized at its first use, not by this.

        Args:
            group: The group of entry points.
        """
        new = []
        with self._discovering:
            for entry in _discovery.found(group):
                held = self._held.get(entry.name)
                if held is not None:
                    self._note_rival(entry.name, entry.value, held)
                    continue
                try:
                    plugin = _discovery.load(entry)
                    self._add(_Held(plugin, {}, entry.value, found=True), replace=False)
                except (PluginLoadError, PluginValidationError) as failure:
                    self._failures[entry.name] = failure
                    _discovery.report(failure.message)
                else:
                    new.append(entry.name)
        return new

    @staticmethod
    def _note_rival(name: str, value: str, held: _Held) -> None:
        """Say that an entry point has a name that another had first; who registers by hand knows."""
        if held.found and held.origin != value:
            _discovery.report(
                f"Failed to load plugin '{name}' ({value}): {held.origin} has this name already; to use it, register "
                f"it: registry.load_from_module('{value}') after registry.unregister('{name}')"
            )

    async def _prepare(self, mode: CallMode, name: str, config: Mapping[str, Any]) -> PluginProtocol:
        """The plugin, initialized with this configuration and its own if it is not initialized yet."""
        held = self._get(name)
        if not held.is_ready:
            async with self._initializing.take(name, mode):
                if not held.is_ready:
                    await self._initialize(mode, name, held, {**config, **held.config})
        return held.plugin

    async def _initialize(self, mode: CallMode, name: str, held: _Held, config: Mapping[str, Any]) -> None:
        try:
            await mode(held.plugin, "initialize", config)
        except PromptManagerError:
            raise
        except Exception as error:
            # What it says may hold what it was given, such as a key.
            reason = f"{type(error).__name__} in its initialize"
            remedy = "see what raised it (the cause of this error), and what config the plugin was registered with"
            failure = PluginLoadError(
                f"Failed to initialize plugin '{name}' ({held.origin}): {reason}; {remedy}",
                plugin=name,
                reason=reason,
                remedy=remedy,
            )
            _discovery.report(failure.message)
            raise failure from error
        held.ready = True

    async def shutdown_all(self) -> None:
        """Shut every initialized plugin down. They stay registered, and are initialized anew when they are used.

        One that raises is logged (``prompt_manager``, level error), and the others are shut down.
        """
        await self._shutdown_all(AWAITING)

    def shutdown_all_sync(self) -> None:
        """Shut every initialized plugin down. They stay registered, and are initialized anew when they are used.

        One that raises is logged (``prompt_manager``, level error), and the others are shut down.
        """
        asked = [(held.plugin, "shutdown") for held in self._ready()]
        run_asking(self._shutdown_all, "shutdown_all", *asked)

    def _ready(self) -> builtins.list[_Held]:
        with self._lock:
            return [held for held in self._held.values() if held.is_ready]

    async def _shutdown_all(self, mode: CallMode) -> None:
        for held in self._ready():
            held.ready = False
            try:
                await mode(held.plugin, "shutdown")
            except Exception as error:  # noqa: BLE001 - a stranger's code; it may say what it was given
                from logging import getLogger

                getLogger("prompt_manager").error(  # noqa: TRY400 - the traceback may show it too
                    "plugin '%s' (%s) raised %s when it was shut down; others are shut down all the same",
                    held.plugin.name,
                    held.origin,
                    type(error).__name__,
                )

    def get_stats(self) -> dict[str, Any]:
        """How many plugins there are.

        ``total_plugins``, ``available_plugins``, ``initialized_plugins``, and ``failed_plugins``: what installed
        packages offer and cannot be loaded, each name with the reason.

        >>> PluginRegistry().get_stats()["total_plugins"]
        0
        """
        infos = self.list()
        return {
            "total_plugins": len(infos),
            "available_plugins": sum(info.is_available for info in infos),
            "initialized_plugins": sum(info.is_initialized for info in infos),
            "failed_plugins": {name: failure.message for name, failure in sorted(self._failures.items())},
        }


def _plugins_in(module: Any, attribute: str) -> builtins.list[Any]:
    if attribute:
        return [getattr(module, attribute)]
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, BasePlugin)
        and each.__module__ == module.__name__
        and not getattr(each, "__abstractmethods__", None)
    ]
