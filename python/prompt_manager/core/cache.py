"""`MemoryCache`: rendered texts in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict
from fnmatch import fnmatchcase
from sys import getsizeof
from threading import Lock
from time import monotonic

__all__ = ["MemoryCache"]


class MemoryCache:
    """Keeps texts in the memory of this process. When it is full, it drops the least recently used text.

    Pass it to a manager as ``cache=``. Any thread can use it. Most renders are as fast as a cache lookup, so
    measure both: a cache pays off for long loops and large values.

    Args:
        max_entries: The maximum number of texts.
        max_bytes: The maximum memory of the texts and their keys, in bytes. A text that is larger is not kept.
        ttl: How many seconds a text is kept; ``None`` for no limit.

    Raises:
        TypeError: a limit is not a number.
        ValueError: a limit is not positive.

    >>> cache = MemoryCache(max_entries=2)
    >>> for key in ("a", "b", "c"):
    ...     cache.set(key, key.upper())
    >>> cache.get("a"), cache.get("c"), len(cache)
    (None, 'C', 2)
    """

    def __init__(self, max_entries: int = 10_000, max_bytes: int = 64 * 1024 * 1024, ttl: float | None = None) -> None:
        for name, limit in (("max_entries", max_entries), ("max_bytes", max_bytes), ("ttl", ttl)):
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
                raise TypeError(f"{name} must be a number, not {type(limit).__name__}")
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} must be greater than 0, not {limit!r}")
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._lock = Lock()
        #: The text, its size with its key, and when it expires, by key; the least recently used is first.
        self._entries: OrderedDict[str, tuple[str, int, float | None]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> str | None:
        """The text under this key, or ``None``."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            text, _, end = entry
            if end is not None and monotonic() >= end:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return text

    def set(self, key: str, value: str, *, ttl: float | None = None) -> None:
        """Keep a text under this key, for ``ttl`` seconds; by default for those of the cache."""
        seconds = self._ttl if ttl is None else ttl
        size = getsizeof(key) + getsizeof(value)
        with self._lock:
            if key in self._entries:
                self._drop(key)
            if size > self._max_bytes or (seconds is not None and seconds <= 0):
                return
            self._entries[key] = (value, size, None if seconds is None else monotonic() + seconds)
            self._bytes += size
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def invalidate(self, pattern: str) -> int:
        """Drop every text whose key matches a pattern such as ``"prompt:greeting:*"``. Returns how many there were.

        ``*`` matches any characters, ``?`` matches one, and ``[…]`` matches one of those within.
        """
        with self._lock:
            found = [key for key in self._entries if fnmatchcase(key, pattern)]
            for key in found:
                self._drop(key)
            return len(found)

    def clear(self) -> None:
        """Drop every text."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        self._bytes -= self._entries.pop(key)[1]

    def __repr__(self) -> str:
        return f"<MemoryCache {len(self._entries)} of {self._max_entries} texts, {self._bytes} bytes>"

    def __getstate__(self) -> dict[str, object]:
        """A copy and an unpickled cache have the same limits, and are empty."""
        return {"max_entries": self._max_entries, "max_bytes": self._max_bytes, "ttl": self._ttl}

    def __setstate__(self, limits: dict[str, object]) -> None:
        self.__init__(**limits)  # type: ignore[misc]
