"""Writes prompts for a manager: to the registry, and a record of each version to the version store.

The registry is written first. If the version store then refuses the record, the prompt is registered without a record,
and repeating the call adds it. Observers are notified after the turn has ended, so that they can write too.
"""

from __future__ import annotations

from prompt_manager._native import diff, raise_version
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.exceptions import PromptNotFoundError, VersionConflictError, VersionNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any, Literal

    from prompt_manager.core._keyed_lock import Turn
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt, PromptVersion
    from prompt_manager.core.protocols import VersionStoreProtocol
    from prompt_manager.core.registry import PromptRegistry

    Bump = Literal["auto", "major", "minor", "patch"]
    #: A changelog and an author, each or ``None``.
    Note = tuple[str | None, str | None]

__all__ = ["PromptWriter"]


class PromptWriter:
    """Creates, updates and deletes prompts with their history. Each write holds the registry's lock for the id."""

    __slots__ = ("_observers", "_registry", "_store")

    def __init__(
        self, registry: PromptRegistry, store: Callable[[], VersionStoreProtocol], observers: Observers
    ) -> None:
        self._registry = registry
        self._store = store
        self._observers = observers

    def asked(self) -> list[tuple[object, str]]:
        """The objects and methods that a write calls, for :func:`run_asking`."""
        return [(self._registry.storage, "save"), (self._store(), "save_version")]

    def observers_wait(self) -> bool:
        """Whether an observer of a write is a coroutine function."""
        changes = ("on_prompt_registered", "on_prompt_updated", "on_prompt_deleted", "on_label_moved")
        return self._registry._observers.wait(*changes) or self._observers.wait("on_version_created")

    async def create(self, mode: CallMode, prompt: Prompt, note: Note) -> Prompt:
        """:meth:`PromptManager.create_prompt`."""
        require_prompt(prompt)
        core = prompt._compiled(self._registry._compiler)

        async def write(turn: Turn) -> Prompt:
            added = await self._registry._add(mode, prompt, core)
            held = self._registry.get_sync(prompt.id, prompt.version)
            record = await self._record(mode, held, note)
            turn.end()
            await self._tell_of_new(mode, record, added=added)
            return held

        return await self._registry._lock.run(prompt.id, mode, write)

    async def _tell_of_new(self, mode: CallMode, record: PromptVersion, *, added: bool) -> None:
        if added:
            await self._registry._observers.tell(mode, "on_prompt_registered", record.prompt)
            await self._observers.tell(mode, "on_version_created", record)

    async def _record(self, mode: CallMode, prompt: Prompt, note: Note, parent: str | None = None) -> PromptVersion:
        """Save the record of a registered version. It replaces the record of a deleted version with the same number."""
        from prompt_manager.core.models import PromptVersion

        changelog, author = note
        record = PromptVersion(
            prompt=prompt,
            created_by=author or prompt.metadata.author,
            changelog=changelog,
            parent_version=parent,
        )
        try:
            await mode(self._store(), "save_version", record)
        except VersionConflictError:
            await self._forget(mode, prompt.id, prompt.version)
            await mode(self._store(), "save_version", record)
        return record

    async def _forget(self, mode: CallMode, prompt_id: str, version: str | None) -> None:
        from contextlib import suppress

        if hasattr(self._store(), "delete_version"):
            with suppress(PromptNotFoundError, VersionNotFoundError):
                await mode(self._store(), "delete_version", prompt_id, version)

    async def update(
        self,
        mode: CallMode,
        prompt: Prompt,
        bump: Bump | None,
        note: Note,
        changes: dict[str, Any],
    ) -> Prompt:
        """:meth:`PromptManager.update_prompt`; without ``bump`` the version is kept."""
        require_prompt(prompt)

        async def write(turn: Turn) -> Prompt:
            changed, version = self._raised(prompt.replace(**changes), bump)
            if version != prompt.version:
                return await self._add_raised(
                    turn, mode, _as_new(changed, version, keep_labels="labels" in changes), note, prompt.version
                )
            await self._registry._replace(mode, changed, changed._compiled(self._registry._compiler))
            held = self._registry.get_sync(prompt.id, version)
            await self._record(mode, held, note)
            turn.end()
            await self._registry._observers.tell(mode, "on_prompt_updated", held)
            return held

        return await self._registry._lock.run(prompt.id, mode, write)

    async def _add_raised(self, turn: Turn, mode: CallMode, changed: Prompt, note: Note, parent: str) -> Prompt:
        """Add a changed prompt as a new version."""
        core = changed._compiled(self._registry._compiler)
        self._registry._core.check_raised(core)
        added = await self._registry._add(mode, changed, core)
        held = self._registry.get_sync(changed.id, changed.version)
        record = await self._record(mode, held, note, parent)
        turn.end()
        await self._tell_of_new(mode, record, added=added)
        return held

    def _raised(self, changed: Prompt, bump: Bump | None) -> tuple[Prompt, str]:
        """Return the changed prompt and its new version, which may be the old one."""
        before = self._registry._core.get(changed.id, version=changed.version)
        if bump is None:
            return changed, changed.version
        if bump != "auto":
            return changed, raise_version(changed.version, bump, found=False)
        found = diff(before, changed._compiled(self._registry._compiler))["bump"]
        return changed, raise_version(changed.version, found, found=True)

    async def delete(self, mode: CallMode, prompt_id: str, version: str | None) -> None:
        """:meth:`PromptManager.delete_prompt`."""

        async def write(turn: Turn) -> None:
            gone, off = await self._registry._remove(mode, prompt_id, version)
            await self._forget(mode, prompt_id, version)
            turn.end()
            await self._registry._tell_of_removed(mode, prompt_id, gone, off)

        await self._registry._lock.run(prompt_id, mode, write)

    async def history(
        self, mode: CallMode, prompt_id: str, since: datetime | None, until: datetime | None, limit: int | None
    ) -> list[PromptVersion]:
        """:meth:`PromptManager.get_history`."""
        from prompt_manager.core.models import PromptVersion
        from prompt_manager.versioning.store import within

        versions = self._registry._core.versions(prompt_id)
        try:
            kept = {record.version: record for record in await mode(self._store(), "list_versions", prompt_id)}
        except PromptNotFoundError:
            kept = {}
        found = []
        for version in reversed(versions):
            prompt = self._registry.get_sync(prompt_id, version)
            record = kept.get(version)
            if record is None or record.checksum != prompt.content_hash:
                made = {"created_at": prompt.created_at, "created_by": prompt.metadata.author}
            else:
                made = {name: getattr(record, name) for name in _KNOWN}
            found.append(PromptVersion(prompt=prompt, **made))
        return within(found, since=since, until=until, limit=limit)


#: The fields of a record besides the prompt.
_KNOWN = ("created_at", "created_by", "changelog", "parent_version")


def _as_new(prompt: Prompt, version: str, *, keep_labels: bool) -> Prompt:
    """The prompt as a new version, with its own uid and time of creation."""
    from datetime import UTC, datetime
    from uuid import uuid4

    labels = prompt.labels if keep_labels else ()
    return prompt.replace(version=version, labels=labels, uid=uuid4(), created_at=datetime.now(UTC))
