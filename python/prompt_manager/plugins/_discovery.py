"""Loads plugins from the entry points of installed packages, and reports those that cannot be loaded."""

from __future__ import annotations

from importlib import metadata
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.core.protocols import PluginProtocol
from prompt_manager.exceptions import PluginError, PluginLoadError, PluginValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GROUP", "check", "failure", "found", "initialize_failure", "load", "make", "report"]

#: The group of the entry points of plugins.
GROUP = "prompt_manager.plugins"

COROUTINES = ("initialize", "render_for_framework", "validate_compatibility", "shutdown")

#: The messages that were logged, so that each is logged only once in a process, even with several managers.
_reported: set[str] = set()


def found(group: str) -> Iterator[metadata.EntryPoint]:
    """The entry points of a group in a fixed order: first those of this package, then by name and distribution."""

    def order(entry: metadata.EntryPoint) -> tuple[bool, str, str, str]:
        return _distribution(entry) != DISTRIBUTION, entry.name, _distribution(entry), entry.value

    yield from sorted(metadata.entry_points(group=group), key=order)


def _distribution(entry: metadata.EntryPoint) -> str:
    # A damaged installation may have no name.
    return "" if entry.dist is None else entry.dist.name or ""


def load(entry: metadata.EntryPoint) -> PluginProtocol:
    """Load the plugin of an entry point.

    Raises:
        PluginLoadError: it cannot be imported, or its class cannot be called without arguments.
        PluginValidationError: it is not a plugin, or its name differs from that of the entry point.
    """
    whence = f"{entry.value} of {_distribution(entry) or 'an unnamed distribution'}"
    try:
        made: PluginProtocol = make(entry.load())
        check(made, f"Failed to load plugin '{entry.name}' ({whence}): ")
        name = made.name
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # code of another package may raise anything
        remedy = f"fix or uninstall {_distribution(entry) or 'the package'}"
        if isinstance(error, ModuleNotFoundError):
            remedy = f"install what it needs, or uninstall {_distribution(entry) or 'the package'}"
        raise failure(entry.name, whence, error, remedy) from error
    if name != entry.name:
        raise PluginValidationError(
            f"Failed to load plugin '{entry.name}' ({whence}): the name of the plugin is '{name}': give entry point "
            "and plugin the same name",
            plugin=entry.name,
        )
    return made


def make(found: Any) -> Any:
    """Return the plugin that was imported, or call the class or function that makes it."""
    return found() if isinstance(found, type) or (callable(found) and not isinstance(found, PluginProtocol)) else found


def failure(name: str, whence: str, error: BaseException, remedy: str) -> PluginLoadError:
    """The exception for a plugin that could not be loaded."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - a stranger's exception may fail in its own text
        said = ""
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return PluginLoadError(
        f"Failed to load plugin '{name}' ({whence}): {reason}; {remedy}", plugin=name, reason=reason, remedy=remedy
    )


def initialize_failure(name: str, origin: str, error: BaseException) -> PluginLoadError:
    """The exception for a plugin whose ``initialize`` raised; what it said may hold the configuration."""
    reason = f"{type(error).__name__} in its initialize"
    remedy = "see what raised it (the cause of this error), and what config the plugin was registered with"
    return PluginLoadError(
        f"Failed to initialize plugin '{name}' ({origin}): {reason}; {remedy}",
        plugin=name,
        reason=reason,
        remedy=remedy,
    )


def check(plugin: Any, failed: str = "") -> None:
    """Check that an object is a plugin.

    Args:
        plugin: The object.
        failed: The start of the error message.

    Raises:
        PluginValidationError: it lacks an attribute or coroutine of a plugin.
    """
    lacks = [name for name in ("name", "version") if not _is_text(plugin, name)]
    lacks = [f"`{name}` as a non-empty string" for name in lacks]
    lacks += [f"`async def {name}`" for name in COROUTINES if not iscoroutinefunction(getattr(plugin, name, None))]
    if lacks:
        raise PluginValidationError(
            f"{failed}{type(plugin).__name__} is not a plugin: it lacks {', '.join(lacks)}; derive it from "
            "prompt_manager.plugins.BasePlugin, and call its __init__",
            missing=lacks,
        )


def _is_text(plugin: Any, name: str) -> bool:
    value = getattr(plugin, name, None)
    return isinstance(value, str) and value.strip() != ""


def report(message: str) -> None:
    """Log a warning, but only once in a process."""
    if message in _reported:
        return
    _reported.add(message)
    from logging import getLogger

    getLogger("prompt_manager").warning("%s; other plugins are not affected", message)
