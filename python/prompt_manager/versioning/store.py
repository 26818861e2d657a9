"""The history of versions: who created each one, when, from which version, and why."""

from __future__ import annotations

from prompt_manager._native import History

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Any

    from prompt_manager.core.models import PromptDiff, PromptVersion

__all__ = ["VersionStore"]


class VersionStore:
    """Stores records of versions, in memory or in a directory that several processes can share.

    Args:
        storage_path: The directory, which the first save creates. A record is the file ``ID/@VERSION.json``. It is
            replaced atomically, under a lock for each id, and read again by each call. By default, records are in
            memory only.

    Each version has one record. You can save the record of a draft again with other content. Any other version keeps
    its content: a record with the same content updates its status and metadata. Damaged files are left out, with a
    warning that names them.
    Every coroutine has a synchronous version with the suffix ``_sync``. Calls on one store run in the order in which
    you make them; if you cancel an await, the call never begins, or it ends before the next one begins.

    >>> from prompt_manager.core.models import Prompt, PromptVersion
    >>> store = VersionStore()
    >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!")
    >>> store.save_version_sync(PromptVersion(prompt=prompt, changelog="First words", created_by="Ada"))
    >>> store.get_latest_sync("greeting").changelog
    'First words'
    """

    __slots__ = ("_core", "_ids", "_in_memory", "_path")

    def __init__(self, storage_path: str | os.PathLike[str] | None = None) -> None:
        self._in_memory = storage_path is None
        self._path = storage_path
        #: The ids of records in memory, for a copy of the store.
        self._ids: dict[str, None] = {}
        self._core = History(storage_path)

    def __reduce__(self) -> tuple[Callable[..., VersionStore], tuple[object, ...]]:
        """What pickle and deepcopy take: the directory, or the records in memory."""
        if self._path is not None:
            from os.path import abspath

            return _restore, (type(self), abspath(self._path), [])  # noqa: PTH100 - as `core.manager` has it
        from prompt_manager.exceptions import PromptNotFoundError

        records: list[dict[str, Any]] = []
        for prompt_id in self._ids:
            try:
                records += self._core.records_sync(prompt_id)[0]
            except PromptNotFoundError:
                continue
        return _restore, (type(self), None, records)

    async def save_version(self, version: PromptVersion) -> None:
        """Save a record. If the version exists with the same content, its creation time stays.

        Raises:
            VersionConflictError: the version exists and is not a draft, and the new record has other content or is a
                draft.
            StorageWriteError: a file cannot be written.
        """
        if self._in_memory:
            self.save_version_sync(version)
        else:
            await self._core.save(_plain(version))

    def save_version_sync(self, version: PromptVersion) -> None:
        """Save a record. If the version exists with the same content, its creation time stays.

        Raises:
            VersionConflictError: the version exists and is not a draft, and the new record has other content or is a
                draft.
            StorageWriteError: a file cannot be written.
        """
        self._core.save_sync(_plain(version))
        if self._in_memory:
            self._ids[version.prompt.id] = None

    async def get_version(self, prompt_id: str, version: str) -> PromptVersion:
        """Return the record of a version.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: the version has no record.
            StorageReadError: the file of the record is damaged.
        """
        if self._in_memory:
            return _record(self._core.get_sync(prompt_id, version))
        return _record(await self._core.get(prompt_id, version))

    def get_version_sync(self, prompt_id: str, version: str) -> PromptVersion:
        """Return the record of a version.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: the version has no record.
            StorageReadError: the file of the record is damaged.
        """
        return _record(self._core.get_sync(prompt_id, version))

    async def list_versions(self, prompt_id: str) -> list[PromptVersion]:
        """Return the records of a prompt, highest version first.

        Raises:
            PromptNotFoundError: the prompt has no records.
        """
        if self._in_memory:
            return _records(self._core.records_sync(prompt_id))
        return _records(await self._core.records(prompt_id))

    def list_versions_sync(self, prompt_id: str) -> list[PromptVersion]:
        """Return the records of a prompt, highest version first.

        Raises:
            PromptNotFoundError: the prompt has no records.
        """
        return _records(self._core.records_sync(prompt_id))

    async def get_latest(self, prompt_id: str) -> PromptVersion:
        """Return the record of the highest version.

        Raises:
            PromptNotFoundError: the prompt has no records, or none of them can be read.
        """
        return _highest(prompt_id, await self.list_versions(prompt_id))

    def get_latest_sync(self, prompt_id: str) -> PromptVersion:
        """Return the record of the highest version.

        Raises:
            PromptNotFoundError: the prompt has no records, or none of them can be read.
        """
        return _highest(prompt_id, self.list_versions_sync(prompt_id))

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """Return the records created in a range of time, highest version first.

        Args:
            prompt_id: The id of the prompt.
            since: Return records created at this time or later. A naive time is read as UTC.
            until: Return records created at this time or earlier.
            limit: The maximum number of records.

        Raises:
            PromptNotFoundError: the prompt has no records.
            ValueError: ``limit`` is negative, or ``since`` is after ``until``.
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
        """Return the records created in a range of time, highest version first.

        Args:
            prompt_id: The id of the prompt.
            since: Return records created at this time or later. A naive time is read as UTC.
            until: Return records created at this time or earlier.
            limit: The maximum number of records.

        Raises:
            PromptNotFoundError: the prompt has no records.
            ValueError: ``limit`` is negative, or ``since`` is after ``until``.
        """
        return within(self.list_versions_sync(prompt_id), since=since, until=until, limit=limit)

    async def get_changelog(
        self, prompt_id: str, from_version: str | None = None, to_version: str | None = None
    ) -> list[PromptVersion]:
        """Return the records that explain an upgrade from one version to another, highest version first.

        These are the records with a changelog, of all versions above ``from_version`` up to ``to_version``.

        Args:
            prompt_id: The id of the prompt.
            from_version: The version to upgrade from, which is left out. By default, start at the first version.
            to_version: The version to upgrade to. By default the highest one.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: one of the versions has no record.
            PromptValidationError: ``from_version`` is after ``to_version``.
        """
        if self._in_memory:
            return [_record(each) for each in self._core.changelog_sync(prompt_id, from_version, to_version)]
        return [_record(each) for each in await self._core.changelog(prompt_id, from_version, to_version)]

    def get_changelog_sync(
        self, prompt_id: str, from_version: str | None = None, to_version: str | None = None
    ) -> list[PromptVersion]:
        """Return the records that explain an upgrade from one version to another, highest version first.

        These are the records with a changelog, of all versions above ``from_version`` up to ``to_version``.

        Args:
            prompt_id: The id of the prompt.
            from_version: The version to upgrade from, which is left out. By default, start at the first version.
            to_version: The version to upgrade to. By default the highest one.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: one of the versions has no record.
            PromptValidationError: ``from_version`` is after ``to_version``.
        """
        return [_record(each) for each in self._core.changelog_sync(prompt_id, from_version, to_version)]

    async def compare_versions(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """Compare two versions of a prompt.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: one of the versions has no record.
        """
        from prompt_manager.versioning.compare import diff

        old, new = await self.get_version(prompt_id, version1), await self.get_version(prompt_id, version2)
        return diff(old.prompt, new.prompt)

    def compare_versions_sync(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """Compare two versions of a prompt.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: one of the versions has no record.
        """
        from prompt_manager.versioning.compare import diff

        old, new = self.get_version_sync(prompt_id, version1), self.get_version_sync(prompt_id, version2)
        return diff(old.prompt, new.prompt)

    async def delete_version(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the record of a version, by default all records of the prompt.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: the version has no record.
            StorageWriteError: a file cannot be deleted.
        """
        if self._in_memory:
            self._core.remove_sync(prompt_id, version)
        else:
            await self._core.remove(prompt_id, version)

    def delete_version_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the record of a version, by default all records of the prompt.

        Raises:
            PromptNotFoundError: the prompt has no records.
            VersionNotFoundError: the version has no record.
            StorageWriteError: a file cannot be deleted.
        """
        self._core.remove_sync(prompt_id, version)

    async def load_from_storage(self) -> int:
        """Check every file, and return the number of records. Nothing is cached: other calls read the files again.

        Raises:
            StorageReadError: files are damaged. ``errors`` has one exception for each.
        """
        return self._core.check_sync() if self._in_memory else await self._core.check()

    def load_from_storage_sync(self) -> int:
        """Check every file, and return the number of records. Nothing is cached: other calls read the files again.

        Raises:
            StorageReadError: files are damaged. ``errors`` has one exception for each.
        """
        return self._core.check_sync()


def within(
    records: Iterable[PromptVersion], *, since: datetime | None, until: datetime | None, limit: int | None
) -> list[PromptVersion]:
    """Return the records created between two times, up to a limit."""
    from datetime import datetime

    from prompt_manager.core.models import in_utc

    if limit is not None and limit < 0:
        raise ValueError("limit must not be negative")
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and not isinstance(moment, datetime):
            raise TypeError(f"{name} must be a datetime, not {type(moment).__name__}")
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


def _restore(kind: type[VersionStore], path: str | None, records: list[dict[str, Any]]) -> VersionStore:
    """Restore a pickled store."""
    store = kind(path)
    for record in reversed(records):
        store._core.save_sync(record)
        store._ids[record["prompt"]["id"]] = None
    return store
