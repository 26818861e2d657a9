"""The time from which figures are wanted."""

from __future__ import annotations

__all__ = ["check_since"]


def check_since(since: object) -> None:
    """Raise a ``TypeError`` unless ``since`` is a ``datetime`` or ``None``."""
    from datetime import datetime

    if since is not None and not isinstance(since, datetime):
        raise TypeError(f"since must be a datetime, such as datetime.now(UTC), not {type(since).__name__}")
