"""The plugins of a manager: registered by hand, taken from a module, or found among the installed packages."""

from __future__ import annotations

from _thread import RLock, allocate_lock
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._encodable import check_encodable
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
from prompt_manager.plugins.base import BasePlugin, as_dict

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping

    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.protocols import PluginProtocol

__all__ = ["PluginInfo", "PluginRegistry"]


class PluginInfo(NamedTuple):
    """An entry in the list of plugins."""

    #: Its name.
    name: str
    #: Its version.
    version: str
    #: The entry point or class that it came from.
    origin: str
    #: Whether everything that it needs is installed.
    is_available: bool
    #: What to install, if something is missing.
    reason: str | None
    #: Whether it is initialized. This happens at its first use.
    is_initialized: bool


class _Held:
    """A registered plugin, with its origin, its configuration and its state."""

    __slots__ = ("blocks", "config", "found", "name", "origin", "plugin", "ready", "version")

    def __init__(self, plugin: PluginProtocol, config: Mapping[str, Any], origin: str, *, found: bool) -> None:
        self.plugin = plugin
        # Read once: they are properties of a stranger's, and one that raises later must not take a list down.
        self.name = plugin.name
        self.version = plugin.version
        self.config = config
        self.origin = origin
        self.found = found
        self.ready = False
        #: Whether it renders without being awaited.
        self.blocks = _has_sync_version(plugin, "render_for_framework")

    @property
    def is_ready(self) -> bool:
        # A `BasePlugin` knows its own state, because its owner may have initialized it or shut it down.
        return self.plugin.is_initialized if isinstance(self.plugin, BasePlugin) else self.ready

    def unavailable(self) -> str | None:
        """The reason why it cannot be used here, or ``None``."""
        if isinstance(self.plugin, BasePlugin):
            try:
                self.plugin.check_available()
            except IntegrationNotAvailableError as error:
                return str(error)
            except Exception as error:  # noqa: BLE001 - a stranger's code
                return f"{type(error).__name__} in its check_available"
        return None


#: The plugins that the running task or thread is initializing.
_initializing: ContextVar[frozenset[_Held]] = ContextVar("_initializing", default=frozenset())


class PluginRegistry:
    """Plugins by name. Any thread may use it.

    >>> registry = PluginRegistry()
    >>> registry.discover_entry_points()
    ['anthropic', 'bedrock', 'gemini', 'langchain', 'litellm', 'openai']
    >>> registry.get("openai").version
    '1.0.0'
    """

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        #: The errors of plugins that could not be loaded, by name.
        self._failures: dict[str, PluginError] = {}
        self._lock = allocate_lock()
        # Reentrant, because plugins are imported under this lock, and an import may start a discovery.
        self._discovering = RLock()
        self._initializing = KeyedLock()
        #: Pairs of plugins: the initialization of the first waits for the second.
        self._waits: list[tuple[_Held, _Held]] = []

    def register(
        self, plugin: PluginProtocol, *, config: Mapping[str, Any] | None = None, replace: bool = False
    ) -> None:
        """Add a plugin. Adding the same plugin again changes nothing.

        Args:
            plugin: The plugin, initialized or not.
            config: The configuration for its first use. It overrides what the manager passes.
            replace: Replace another plugin of this name. That plugin is not shut down.

        Raises:
            PluginValidationError: it is not a plugin, or another plugin has its name.
        """
        _discovery.check(plugin)
        origin = f"{type(plugin).__module__}:{type(plugin).__qualname__}"
        self._add(_Held(plugin, as_dict(config), origin, found=False), replace=replace)

    def _add(self, held: _Held, *, replace: bool) -> None:
        name = held.name
        with self._lock:
            known = self._held.get(name)
            if known is not None and known.plugin is held.plugin:
                return
            if known is not None and not replace:
                raise PluginValidationError(
                    f"a plugin '{name}' is already registered ({known.origin}): unregister it, or use replace=True",
                    plugin=name,
                )
            self._held[name] = held
            self._failures.pop(name, None)

    def get(self, name: str) -> PluginProtocol:
        """The plugin of this name.

        Raises:
            PluginNotFoundError: no plugin is registered under this name. The message suggests a similar name.
            PluginLoadError: the plugin of an installed package could not be loaded.
            PluginValidationError: the object of an installed package is not a plugin.
        """
        return self._get(name).plugin

    def _get(self, name: str) -> _Held:
        _check_name(name)
        with self._lock:
            held = self._held.get(name)
            if held is not None:
                return held
            failure, known = self._failures.get(name), sorted(self._held)
        if failure is not None:
            raise type(failure)(failure.message, **failure.context) from failure.__cause__
        check_encodable(name, "the plugin's name", PluginNotFoundError)
        near = nearest(name, known)
        meant = f": did you mean '{near}'?" if near else f"; the registered plugins are: {', '.join(known) or 'none'}"
        raise PluginNotFoundError(f"no plugin is named '{name}'{meant}", plugin=name, nearest=near, known=known)

    def _get_or_discover(self, name: str) -> _Held:
        """As :meth:`_get`, but if no plugin has this name, first discover the plugins of installed packages."""
        _check_name(name)
        held = self._held.get(name)
        if held is not None:
            return held
        self.discover_entry_points()
        return self._get(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._held

    def has(self, name: str) -> bool:
        """Whether a plugin of this name is registered; the same as ``name in registry``."""
        return name in self

    def unregister(self, name: str) -> PluginProtocol:
        """Remove a plugin and return it. It is not shut down.

        Raises:
            PluginNotFoundError: no plugin is registered under this name.
            PluginLoadError: the plugin of an installed package could not be loaded.
            PluginValidationError: the object of an installed package is not a plugin.
        """
        held = self._get(name)
        with self._lock:
            self._held.pop(name, None)
        return held.plugin

    def list(self) -> builtins.list[PluginInfo]:
        """List all plugins, sorted by name, including those that lack a package."""
        with self._lock:
            all_held = sorted(self._held.items())
        infos = []
        for name, held in all_held:
            reason = held.unavailable()
            infos.append(
                PluginInfo(name, held.version, held.origin, reason is None, reason, is_initialized=held.is_ready)
            )
        return infos

    def load_from_module(self, module: str, *, config: Mapping[str, Any] | None = None) -> builtins.list[str]:
        """Register the plugins of a module, and return their names.

        Args:
            module: ``"package.module"`` for every class in it that derives from :class:`BasePlugin` and is defined
                there, or ``"package.module:Name"`` for one class, function or plugin.
            config: The configuration of each plugin for its first use.

        Raises:
            PluginLoadError: the module cannot be imported, has no such name, or a class cannot be called without
                arguments.
            PluginValidationError: the object is not a plugin, or another plugin has its name.
        """
        check_encodable(module, "the module's name", PluginLoadError)
        path, _, attribute = module.partition(":")
        try:
            found = import_module(path)
            made = [_discovery.make(each) for each in _plugins_in(found, attribute)]
        except (Exception, SystemExit) as error:  # code of another package may raise anything
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
        """Register the plugins of installed packages, and return the names of the new ones.

        A plugin that cannot be loaded is logged once in a process (logger ``prompt_manager``, level WARNING), with the
        reason and what to do. :meth:`get` raises the error again. The other plugins are registered. A plugin that is
        already registered keeps its name. Plugins are initialized at their first use.

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
        """Report an entry point whose name another entry point has. A plugin registered by hand is no conflict."""
        if held.found and held.origin != value:
            _discovery.report(
                f"Failed to load plugin '{name}' ({value}): {held.origin} already has this name; to use it, register "
                f"it: registry.load_from_module('{value}') after registry.unregister('{name}')"
            )

    async def _prepare(self, mode: CallMode, name: str, config: Mapping[str, Any]) -> PluginProtocol:
        """Return the plugin. If it is not initialized yet, do so with this configuration and its own."""
        held = self._get(name)
        if not held.is_ready:
            with self._waiting_for(held, name):
                async with self._initializing.take(name, mode):
                    if not held.is_ready:
                        outer = _initializing.set(_initializing.get() | {held})
                        try:
                            await self._initialize(mode, name, held, {**config, **held.config})
                        finally:
                            _initializing.reset(outer)
        return held.plugin

    @contextmanager
    def _waiting_for(self, held: _Held, name: str) -> Iterator[None]:
        """Record that the plugins being initialized here wait for this one, and refuse a wait that would never end."""
        within = _initializing.get()
        waits = [(each, held) for each in within]
        with self._lock:
            if within & self._awaited_by(held):
                raise PluginLoadError(
                    f"plugin '{name}' ({held.origin}) is asked to render before its `initialize` has ended, so the "
                    "render would wait for itself\n  hint: in `initialize`, render without this plugin, or wait for "
                    "its first render",
                    plugin=name,
                )
            self._waits.extend(waits)
        try:
            yield
        finally:
            with self._lock:
                for wait in waits:
                    self._waits.remove(wait)

    def _awaited_by(self, held: _Held) -> set[_Held]:
        """The plugin and all that its initialization waits for, directly or through others."""
        found, left = {held}, [held]
        while left:
            waiting = left.pop()
            more = {wanted for waiter, wanted in self._waits if waiter is waiting} - found
            found |= more
            left.extend(more)
        return found

    async def _initialize(self, mode: CallMode, name: str, held: _Held, config: Mapping[str, Any]) -> None:
        try:
            await mode(held.plugin, "initialize", config)
        except PluginLoadError as failure:
            _discovery.report(failure.message)
            raise
        except PromptManagerError:
            raise
        except Exception as error:
            # A stranger's code, which may raise anything.
            raised = _discovery.initialize_failure(name, held.origin, error)
            _discovery.report(raised.message)
            raise raised from error
        held.ready = True

    async def shutdown_all(self) -> None:
        """Shut down every initialized plugin. They stay registered, and are initialized again when you use them.

        An exception of a plugin is logged (logger ``prompt_manager``, level ERROR), and the others are shut down.
        """
        await self._shutdown_all(AWAITING)

    def shutdown_all_sync(self) -> None:
        """Shut down every initialized plugin. They stay registered, and are initialized again when you use them.

        An exception of a plugin is logged (logger ``prompt_manager``, level ERROR), and the others are shut down.
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
            except Exception as error:  # noqa: BLE001 - code of the plugin
                from logging import getLogger

                getLogger("prompt_manager").error(  # noqa: TRY400 - a traceback may show the configuration
                    "plugin '%s' (%s) raised %s when it was shut down; the other plugins are shut down too",
                    held.name,
                    held.origin,
                    type(error).__name__,
                )

    def get_stats(self) -> dict[str, Any]:
        """Count the plugins.

        The keys are ``total_plugins``, ``available_plugins``, ``initialized_plugins``, and ``failed_plugins``, which
        has the reason for each plugin of an installed package that cannot be loaded.

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


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the plugin's name must be a str, not {type(name).__name__}")
