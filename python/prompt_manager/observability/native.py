"""Sends the events of the Rust core to Python's ``logging``."""

from __future__ import annotations

from prompt_manager._native import set_native_logging

__all__ = ["enable_native_logging"]

_LEVELS = ("ERROR", "WARNING", "INFO", "DEBUG", "TRACE")


def enable_native_logging(level: str | None = "INFO", *, slow_render_ms: float = 100.0) -> None:
    """Log what the Rust core does, to the logger ``prompt_manager.native``.

    At level INFO these are loads of directories, saves and deletions in a storage, and moved labels; at level WARNING,
    slow renders. Events are logged by a thread of their own, shortly after they happen. The logger's level and handlers
    apply as to any logger.

    Args:
        level: The lowest level that the core reports: ``"ERROR"``, ``"WARNING"``, ``"INFO"``, ``"DEBUG"`` or
            ``"TRACE"``. ``None``, the initial state, turns it off; a render then makes one comparison.
        slow_render_ms: A render that takes at least this many milliseconds is slow.

    Raises:
        ValueError: there is no such level, or ``slow_render_ms`` is negative.

    >>> enable_native_logging("WARNING", slow_render_ms=50)
    >>> enable_native_logging(None)
    """
    name = None if level is None else str(level).upper()
    if name is not None and name not in _LEVELS:
        raise ValueError(f"level must be one of {', '.join(_LEVELS)} or None, not {level!r}")
    set_native_logging(0 if name is None else _LEVELS.index(name) + 1, slow_render_ms)
