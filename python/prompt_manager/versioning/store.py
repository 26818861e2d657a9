"""The history of prompts' versions: when each was made, by whom, from which, and what changed."""

from __future__ import annotations

from prompt_manager._native import History

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from prompt_manager.core.models import PromptDiff, PromptVersion

__all__ = ["VersionStore"]


class VersionStore:
    """Records of versions, in memory, or in the files of a directory that other processes may use too.

    Args:
        storage_path: The directory; it is made when something is saved. A record is ``ID/@VERSION.json``, replaced
            whole under a lock for each id, and read anew by each call.

    Each version has one record. The record of a draft is replaced. Any other version keeps its content; a record with
    the same content updates status and metadata. Damaged files cause a warning with their name and hide no others.
    Every coroutine has a synchronous version with the suffix ``_sync``. Calls on one store run in the order in which
    you make them; if you cancel an await, the call never begins, or it ends before the next one begins.

    >>> from prompt_manager.core.models import Prompt, PromptVersion
    >>> store = VersionStore()
    >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!")
    >>> store.save_version_sync(PromptVersion(prompt=prompt, changelog="First words", created_by="Ada"))
    >>> store.get_latest_sync("greeting").changelog
    'First words'
    """

    __slots__ = ("_core", "_in_memory")

    def __init__(self, storage_path: str | os.PathLike[str] | None = None) -> None:
        self._in_memory = storage_path is None
        self._core = History(storage_path)

    async def save_version(self, version: PromptVersion) -> None:
        """Keep a record. One of the same version and content keeps its time.

        Raises:
            VersionConflictError: the version exists, is no draft, and the new one has other content or is a draft.
            StorageWriteError: a file cannot be written.
        """
        if self._in_memory:
            self._core.save_sync(_plain(version))
        else:
            await self._core.save(_plain(version))

    def save_version_sync(self, version: PromptVersion) -> None:
        """:meth:`save_version`, for code that does not await."""
        self._core.save_sync(_plain(version))

    async def get_version(self, prompt_id: str, version: str) -> PromptVersion:
        """The record of a version.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
            VersionNotFoundError: this one is not.
            StorageReadError: its file is damaged.
        """
        if self._in_memory:
            return _record(self._core.get_sync(prompt_id, version))
        return _record(await self._core.get(prompt_id, version))

    def get_version_sync(self, prompt_id: str, version: str) -> PromptVersion:
        """:meth:`get_version`, for code that does not await."""
        return _record(self._core.get_sync(prompt_id, version))

    async def list_versions(self, prompt_id: str) -> list[PromptVersion]:
        """The records of a prompt, the highest version first.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
        """
        if self._in_memory:
            return _records(self._core.records_sync(prompt_id))
        return _records(await self._core.records(prompt_id))

    def list_versions_sync(self, prompt_id: str) -> list[PromptVersion]:
        """:meth:`list_versions`, for code that does not await."""
        return _records(self._core.records_sync(prompt_id))

    async def get_latest(self, prompt_id: str) -> PromptVersion:
        """The record of the highest version.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
        """
        return _highest(prompt_id, await self.list_versions(prompt_id))

    def get_latest_sync(self, prompt_id: str) -> PromptVersion:
        """:meth:`get_latest`, for code that does not await."""
        return _highest(prompt_id, self.list_versions_sync(prompt_id))

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """The records within limits of time, the highest version first.

        Args:
            prompt_id: The prompt.
            since: Made at this time or after it; a naive time is read as UTC.
            until: Made at this time or before it.
            limit: At most so many.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
        """
        return within(await self.list_versions(prompt_id), since=since, until=until, limit=limit)

    def get_history_sync(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """:meth:`get_history`, for code that does not await."""
        return within(self.list_versions_sync(prompt_id), since=since, until=until, limit=limit)

    async def get_changelog(
        self, prompt_id: str, from_version: str | None = None, to_version: str | None = None
    ) -> list[PromptVersion]:
        """The records with a changelog of the versions above one and up to another, the highest first.

        So it is what who goes from the one to the other has to read.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
            VersionNotFoundError: one of the two is not.
            PromptValidationError: ``from_version`` is after ``to_version``.
        """
        if self._in_memory:
            return [_record(each) for each in self._core.changelog_sync(prompt_id, from_version, to_version)]
        return [_record(each) for each in await self._core.changelog(prompt_id, from_version, to_version)]

    def get_changelog_sync(
        self, prompt_id: str, from_version: str | None = None, to_version: str | None = None
    ) -> list[PromptVersion]:
        """:meth:`get_changelog`, for code that does not await."""
        return [_record(each) for each in self._core.changelog_sync(prompt_id, from_version, to_version)]

    async def compare_versions(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """What differs between two versions.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
            VersionNotFoundError: one of the two is not.
        """
        from prompt_manager.versioning.compare import diff

        old, new = await self.get_version(prompt_id, version1), await self.get_version(prompt_id, version2)
        return diff(old.prompt, new.prompt)

    def compare_versions_sync(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """:meth:`compare_versions`, for code that does not await."""
        from prompt_manager.versioning.compare import diff

        old, new = self.get_version_sync(prompt_id, version1), self.get_version_sync(prompt_id, version2)
        return diff(old.prompt, new.prompt)

    async def delete_version(self, prompt_id: str, version: str | None = None) -> None:
        """Forget a version, or all.

        Raises:
            PromptNotFoundError: no version of this prompt is kept.
            VersionNotFoundError: this one is not.
            StorageWriteError: a file cannot be removed.
        """
        if self._in_memory:
            self._core.remove_sync(prompt_id, version)
        else:
            await self._core.remove(prompt_id, version)

    def delete_version_sync(self, prompt_id: str, version: str | None = None) -> None:
        """:meth:`delete_version`, for code that does not await."""
        self._core.remove_sync(prompt_id, version)

    async def load_from_storage(self) -> int:
        """Read every file, and give how many records there are. Nothing is kept of it: each call reads anew.

        Raises:
            StorageReadError: files are damaged; ``errors`` has one exception for each.
        """
        return self._core.check_sync() if self._in_memory else await self._core.check()

    def load_from_storage_sync(self) -> int:
        """:meth:`load_from_storage`, for code that does not await."""
        return self._core.check_sync()


def within(
    records: Iterable[PromptVersion], *, since: datetime | None, until: datetime | None, limit: int | None
) -> list[PromptVersion]:
    """The records made between two times, at most so many."""
    from prompt_manager.core.models import in_utc

    if limit is not None and limit < 0:
        raise ValueError("limit must not be negative")
    since, until = since and in_utc(since), until and in_utc(until)
    if since is not None and until is not None and since > until:
        raise ValueError("since is after until")
    found = [
        record
        for record in records
        if (since is None or record.created_at >= since) and (until is None or record.created_at <= until)
    ]
    return found[:limit]


def _plain(version: PromptVersion) -> dict[str, Any]:
    record = version.model_dump(mode="json", exclude={"prompt"})
    return {**record, "prompt": version.prompt._plain()}


def _record(plain: dict[str, Any]) -> PromptVersion:
    from prompt_manager.core.models import PromptVersion

    return PromptVersion.model_validate(plain)


def _records(found: tuple[list[dict[str, Any]], list[str]]) -> list[PromptVersion]:
    """The records, highest first, with a warning for each damaged file."""
    from warnings import warn

    records, damaged = found
    for report in damaged:
        warn(report, stacklevel=3)
    return [_record(plain) for plain in reversed(records)]


def _highest(prompt_id: str, records: list[PromptVersion]) -> PromptVersion:
    from prompt_manager.exceptions import PromptNotFoundError

    if not records:
        raise PromptNotFoundError(f"no version of prompt '{prompt_id}' can be read", prompt_id=prompt_id)
    return records[0]
