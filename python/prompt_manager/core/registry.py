"""`PromptRegistry`: compiled prompts by id and version, with the labels that point at versions."""

from __future__ import annotations

from prompt_manager._native import Registry
from prompt_manager.core._keyed_lock import ALL_KEYS, KeyedLock
from prompt_manager.core._observers import Observers, each_observer
from prompt_manager.core._parts import require_object
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.core._run_to_end import run_to_end
from prompt_manager.core._sync import AWAITING, run_asking
from prompt_manager.core.template import TemplateEngine, compiling_engine
from prompt_manager.exceptions import PromptNotFoundError, VersionNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Coroutine, Hashable, Iterable
    from typing import Any, TypeVar, Unpack

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core._directory_labels import DirectoryLabels
    from prompt_manager.core._keyed_lock import Turn
    from prompt_manager.core._links import ObserverLinks
    from prompt_manager.core._package import PackageLabels
    from prompt_manager.core._refresh import SourceRefresh
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.filters import PromptFilters
    from prompt_manager.core.models import LabelMove, Prompt, PromptSummary
    from prompt_manager.core.protocols import StorageBackendProtocol
    from prompt_manager.exceptions import PromptManagerError

    T = TypeVar("T")

__all__ = ["PromptRegistry"]


class PromptRegistry:
    """Holds prompts by id and version. A registered prompt is compiled and cannot be changed from outside.

    Args:
        storage: Saves the prompts; by default they are in memory only. A change is written to the storage first: if the
            storage refuses it, the registry does not change either.
        template_engine: Compiles the prompts. If it is a subclass that overrides ``render``, or a mock of the class, a
            manager calls its ``render`` for each text; a mock compiles as a new engine does.
        observers: Objects whose methods ``on_prompt_registered(prompt)``, ``on_prompt_updated(prompt)``,
            ``on_prompt_deleted(prompt)`` and ``on_label_moved(prompt_id, move)`` are called, if they have them.
        refresh: Take over what other processes write to the storage: a call that asks for a label or the latest version
            looks for changes, at most once in this many seconds. By default only :meth:`load_from_storage` does.

    Writes of one id run one after the other, in the order in which you make them, across threads and event loops. A
    load from the storage runs alone. If you cancel a write that waits for its turn, it never begins. A write that has
    begun runs to its end: in the storage, in the registry and for observers.

    Raises:
        TypeError: ``template_engine`` is not this package's :class:`TemplateEngine`, or ``storage`` is no storage.
        ValueError: ``refresh`` is negative, or it is given without a storage.
    """

    def __init__(
        self,
        storage: StorageBackendProtocol | None = None,
        *,
        template_engine: TemplateEngine | None = None,
        observers: Iterable[object] = (),
        refresh: float | None = None,
    ) -> None:
        if storage is not None and not hasattr(storage, "load"):
            raise TypeError(
                f'storage must be a storage, such as FileSystemStorage("prompts"), not {type(storage).__name__}'
            )
        require_object(storage, "a storage")
        self._storage = storage
        self._engine = TemplateEngine() if template_engine is None else template_engine
        #: Parses the templates, where the engine may be a mock.
        self._compiler = compiling_engine(self._engine)
        self._core = Registry(self._compiler)
        self._lock = KeyedLock()
        self._observers = Observers()
        #: For conversions and reloads, from the first observer on.
        self._links: ObserverLinks | None = None
        for observer in each_observer(observers):
            self.add_observer(observer)
        #: Takes over changes of the storage.
        self._refresh: SourceRefresh | None = None
        self._interval = refresh
        #: The labels of the directory or package that the prompts were loaded from.
        self._directory_labels: DirectoryLabels | PackageLabels | None = None
        if refresh is not None:
            self._begin_refresh(refresh)

    def _begin_refresh(self, seconds: float) -> None:
        if self._storage is None:
            raise ValueError("refresh= looks for changes of a storage, and the registry has none")
        from prompt_manager.core._refresh import StorageRefresh

        self._interval = seconds
        self._refresh = StorageRefresh(self._core, self._storage, self._compiler, self._observers, seconds)

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle and deepcopy take: the storage, or without one the prompts.

        Observers stay behind.

        Raises:
            PromptPicklingError: the template engine or the storage cannot be pickled.
        """
        from prompt_manager.core._pickling import check_picklable, content_of, core_state

        if self._storage is None:
            return _restore, (type(self), self._engine, None, None, core_state(self._core))
        name = type(self._storage).__name__
        check_picklable(f"the storage {name}", self._storage, "give its class a __reduce__ that connects again")
        return _restore, (type(self), self._engine, self._storage, self._interval, content_of(self._core))

    @property
    def _reload_errors(self) -> tuple[PromptManagerError, ...]:
        """What the last look at the storage found wrong."""
        return () if self._refresh is None else self._refresh.problems

    @property
    def template_engine(self) -> TemplateEngine:
        """The engine that compiles the prompts."""
        return self._engine

    @property
    def storage(self) -> StorageBackendProtocol | None:
        """The storage that saves the prompts, or ``None``."""
        return self._storage

    def add_observer(self, observer: object) -> None:
        """Call this object's methods for events too. An exception that it raises is logged and never fails a call."""
        self._observers.add(observer)
        self._link()

    def remove_observer(self, observer: object) -> None:
        """Stop calling this observer."""
        self._observers.remove(observer)

    def _link(self, renders: Observers | None = None) -> None:
        """Let conversions and reloads, which the core begins, notify observers; ``renders`` are those of a manager."""
        if self._links is None:
            from prompt_manager.core._links import ObserverLinks

            self._links = ObserverLinks(self._observers)
        if renders is not None:
            self._links.add(renders)
        self._links.hand_to(self._core)

    async def register(self, prompt: Prompt, *, persist: bool = True) -> None:
        """Add a prompt. It is saved to the storage first.

        A draft of the same version is replaced. Any other version that exists with the same content is left unchanged,
        with its status and metadata; :meth:`update` changes those.

        Args:
            prompt: The prompt.
            persist: Also save it to the storage. With ``False`` it is registered until the process ends.

        Raises:
            TemplateSyntaxError: a template cannot be parsed.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
            PromptError: the prompt is a draft without a template.
        """
        await self._register(AWAITING, prompt, persist=persist)

    def register_sync(self, prompt: Prompt, *, persist: bool = True) -> None:
        """Add a prompt. It is saved to the storage first.

        A draft of the same version is replaced. Any other version that exists with the same content is left unchanged,
        with its status and metadata; :meth:`update` changes those.

        Args:
            prompt: The prompt.
            persist: Also save it to the storage. With ``False`` it is registered until the process ends.

        Raises:
            TemplateSyntaxError: a template cannot be parsed.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
            PromptError: the prompt is a draft without a template.
        """
        run_asking(
            lambda mode: self._register(mode, prompt, persist=persist),
            "register",
            (self._storage if persist else None, "save"),
            observers_wait=self._observers.wait("on_prompt_registered"),
        )

    async def _register(self, mode: CallMode, prompt: Prompt, *, persist: bool) -> None:
        require_prompt(prompt)
        core = prompt._compiled(self._compiler)

        async def write(turn: Turn | None) -> None:
            added = await self._add(mode, prompt, core, persist=persist)
            _end(turn)
            if added:
                await self._observers.tell(mode, "on_prompt_registered", prompt)

        await self._write(prompt.id, mode, write)

    async def _write(self, key: Hashable, mode: CallMode, work: Callable[[Turn | None], Coroutine[Any, Any, T]]) -> T:
        """Run a write to its end. With a storage, hold the lock of the key, to keep storage and core consistent."""
        if self._storage is not None:
            return await self._lock.run(key, mode, work)
        if mode.blocks or not self._observers:
            return await work(None)
        return await run_to_end(work(None))

    async def _add(self, mode: CallMode, prompt: Prompt, core: CompiledPrompt, *, persist: bool = True) -> bool:
        """Add a prompt, and return whether it is new. Called during a write; see :meth:`_write`."""
        added = self._core.can_insert(core)
        if added:
            if persist and self._storage is not None:
                await mode(self._storage, "save", prompt)
            self._core.insert(core)
        return added

    async def update(self, prompt: Prompt, *, persist: bool = True) -> None:
        """Replace a version that exists. Of a draft everything may change, of any other version status and metadata.

        Args:
            prompt: The prompt.
            persist: Also save it to the storage.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
            VersionConflictError: the version is not a draft, and the prompt has other content or is a draft.
            TemplateSyntaxError: a template cannot be parsed.
        """
        await self._update(AWAITING, prompt, persist=persist)

    def update_sync(self, prompt: Prompt, *, persist: bool = True) -> None:
        """Replace a version that exists. Of a draft everything may change, of any other version status and metadata.

        Args:
            prompt: The prompt.
            persist: Also save it to the storage.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
            VersionConflictError: the version is not a draft, and the prompt has other content or is a draft.
            TemplateSyntaxError: a template cannot be parsed.
        """
        run_asking(
            lambda mode: self._update(mode, prompt, persist=persist),
            "update",
            (self._storage if persist else None, "save"),
            observers_wait=self._observers.wait("on_prompt_updated"),
        )

    async def _update(self, mode: CallMode, prompt: Prompt, *, persist: bool) -> None:
        require_prompt(prompt)
        core = prompt._compiled(self._compiler)

        async def write(turn: Turn | None) -> None:
            await self._replace(mode, prompt, core, persist=persist)
            _end(turn)
            await self._observers.tell(mode, "on_prompt_updated", prompt)

        await self._write(prompt.id, mode, write)

    async def _replace(self, mode: CallMode, prompt: Prompt, core: CompiledPrompt, *, persist: bool = True) -> None:
        """Update a prompt. Called during a write; see :meth:`_write`."""
        self._core.can_update(core)
        if persist and self._storage is not None:
            await mode(self._storage, "save", prompt)
        self._core.update(core)

    async def get(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """Look up a prompt: its latest version, the version given, or the one that a label points at.

        Raises:
            PromptNotFoundError: no prompt has this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version or label.
        """
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        return self.get_sync(prompt_id, version, label=label)

    def get_sync(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """Look up a prompt: its latest version, the version given, or the one that a label points at.

        Raises:
            PromptNotFoundError: no prompt has this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version or label.
        """
        if version is None and label is None:
            # The usual call; keywords take time too.
            return self._core.prompt(prompt_id)
        return self._core.prompt(prompt_id, version=version, label=label)

    async def delete(self, prompt_id: str, version: str | None = None, *, persist: bool = True) -> None:
        """Delete a version of a prompt, or all of them, from the storage too. Labels that point at it are removed.

        Args:
            prompt_id: The id of the prompt.
            version: The version; by default all of them.
            persist: Also delete it from the storage. With ``False`` only the registry forgets it.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
        """
        await self._delete(AWAITING, prompt_id, version, persist=persist)

    def delete_sync(self, prompt_id: str, version: str | None = None, *, persist: bool = True) -> None:
        """Delete a version of a prompt, or all of them, from the storage too. Labels that point at it are removed.

        Args:
            prompt_id: The id of the prompt.
            version: The version; by default all of them.
            persist: Also delete it from the storage. With ``False`` only the registry forgets it.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
        """
        storage = self._storage if persist else None
        labels = [(storage, "set_label")] if self._stores_labels else []
        run_asking(
            lambda mode: self._delete(mode, prompt_id, version, persist=persist),
            "delete",
            (storage, "delete"),
            *labels,
            observers_wait=self._observers.wait("on_prompt_deleted", "on_label_moved"),
        )

    async def _delete(self, mode: CallMode, prompt_id: str, version: str | None, *, persist: bool) -> None:
        async def write(turn: Turn | None) -> None:
            gone, off = await self._remove(mode, prompt_id, version, persist=persist)
            _end(turn)
            await self._tell_of_removed(mode, prompt_id, gone, off)

        await self._write(prompt_id, mode, write)

    async def _remove(
        self, mode: CallMode, prompt_id: str, version: str | None, *, persist: bool = True
    ) -> tuple[builtins.list[Prompt], builtins.list[dict[str, Any]]]:
        """Delete a prompt. Called during a write; see :meth:`_write`.

        Returns:
            The deleted versions, and the moves that removed labels, for the observers.
        """
        gone = self._versions_of(prompt_id, version) if self._observers else []
        if persist and self._storage is not None:
            await self._delete_stored(mode, prompt_id, version)
        off = self._forgotten(prompt_id, version, is_stored=persist and self._storage is not None)
        if persist and self._stores_labels:
            for move in off:
                await self._take_stored_label_off(mode, prompt_id, move["label"])
        return gone, off

    def _forgotten(self, prompt_id: str, version: str | None, *, is_stored: bool) -> builtins.list[dict[str, Any]]:
        """Remove a prompt from the core. A look at the storage may have done so since it was deleted there."""
        try:
            return self._core.remove(prompt_id, version)
        except (PromptNotFoundError, VersionNotFoundError):
            if is_stored and self._refresh is not None:
                return []
            raise

    async def _tell_of_removed(
        self, mode: CallMode, prompt_id: str, gone: builtins.list[Prompt], off: builtins.list[dict[str, Any]]
    ) -> None:
        for prompt in gone:
            await self._observers.tell(mode, "on_prompt_deleted", prompt)
        if off and self._observers:
            from prompt_manager.core.models import LabelMove

            for move in off:
                await self._observers.tell(mode, "on_label_moved", prompt_id, LabelMove.model_validate(move))

    async def _delete_stored(self, mode: CallMode, prompt_id: str, version: str | None) -> None:
        if version is None:
            self._core.versions(prompt_id)
        else:
            version = self._core.get(prompt_id, version=version).version
        try:
            await mode(self._storage, "delete", prompt_id, version)
        except (PromptNotFoundError, VersionNotFoundError):
            # Another process has deleted it, so the registry drops it too.
            if await mode(self._storage, "exists", prompt_id, version):
                raise

    async def _take_stored_label_off(self, mode: CallMode, prompt_id: str, label: str) -> None:
        from contextlib import suppress

        # The storage may have removed the label itself when it deleted the version.
        with suppress(PromptNotFoundError, VersionNotFoundError):
            await mode(self._storage, "set_label", prompt_id, label, None)

    def _versions_of(self, prompt_id: str, version: str | None) -> builtins.list[Prompt]:
        wanted = self._core.versions(prompt_id) if version is None else [version]
        return [self.get_sync(prompt_id, each) for each in wanted]

    async def list(
        self, *, limit: int | None = None, offset: int = 0, **filters: Unpack[PromptFilters]
    ) -> builtins.list[PromptSummary]:
        """Summaries of the prompts that match every filter, sorted by id: the latest version of each.

        Args:
            limit: How many to give at most.
            offset: How many to skip first.
            filters: ``status``, ``tags``, ``category``, ``format``, ``label`` and ``text``; see
                :class:`~prompt_manager.core.filters.PromptFilters`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format, or ``limit`` or ``offset`` is negative.
        """
        if self._refresh is not None:
            await self._refresh.when_due()
        return self.list_sync(limit=limit, offset=offset, **filters)

    def list_sync(
        self, *, limit: int | None = None, offset: int = 0, **filters: Unpack[PromptFilters]
    ) -> builtins.list[PromptSummary]:
        """Summaries of the prompts that match every filter, sorted by id: the latest version of each.

        Args:
            limit: How many to give at most.
            offset: How many to skip first.
            filters: ``status``, ``tags``, ``category``, ``format``, ``label`` and ``text``; see
                :class:`~prompt_manager.core.filters.PromptFilters`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format, or ``limit`` or ``offset`` is negative.
        """
        from prompt_manager.core.filters import read_filters
        from prompt_manager.core.models import PromptSummary

        query = read_filters(filters, "limit", "offset")
        if offset < 0 or (limit is not None and limit < 0):
            raise ValueError("limit and offset must not be negative")
        found = self._core.search(query, offset=offset, limit=limit)
        return [PromptSummary.model_validate(core, from_attributes=True) for core in found]

    async def get_versions(self, prompt_id: str) -> builtins.list[str]:
        """List the versions of a prompt, the lowest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        if self._refresh is not None:
            await self._refresh.when_due()
        return self._core.versions(prompt_id)

    def get_versions_sync(self, prompt_id: str) -> builtins.list[str]:
        """List the versions of a prompt, the lowest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        self._core.look_if_due()
        return self._core.versions(prompt_id)

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is registered; with ``version``, whether that version is."""
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        return self._core.contains(prompt_id, version)

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether the prompt is registered; with ``version``, whether that version is."""
        if version is None or not self._core.contains(prompt_id, version):
            self._core.look_if_due()
        return self._core.contains(prompt_id, version)

    async def count(self, **filters: Unpack[PromptFilters]) -> int:
        """How many prompts match every filter; without filters, how many are registered. Versions are not counted.

        Args:
            filters: As for :meth:`list`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format.
        """
        if self._refresh is not None:
            await self._refresh.when_due()
        return self.count_sync(**filters)

    def count_sync(self, **filters: Unpack[PromptFilters]) -> int:
        """How many prompts match every filter; without filters, how many are registered. Versions are not counted.

        Args:
            filters: As for :meth:`list`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format.
        """
        if not filters:
            self._core.look_if_due()
            return len(self._core)
        from prompt_manager.core.filters import read_filters

        return self._core.count(read_filters(filters))

    def get_stats(self) -> dict[str, Any]:
        """Count what is registered.

        The keys are ``total_prompts``, ``total_versions``, ``status_distribution`` (the number of prompts by the status
        of their latest version), ``has_storage`` and ``observer_count``.

        >>> PromptRegistry().get_stats()["total_prompts"]
        0
        """
        prompts, versions, statuses = self._core.stats()
        return {
            "total_prompts": prompts,
            "total_versions": versions,
            "status_distribution": statuses,
            "has_storage": self._storage is not None,
            "observer_count": len(self._observers),
        }

    async def clear(self, *, persist: bool = True) -> None:
        """Remove every prompt, one after the other, from the storage too.

        If the storage refuses to delete a prompt, that prompt and the ones after it stay, in the registry too.

        Args:
            persist: Also delete the prompts from the storage. With ``False`` only the registry is emptied, and
                :meth:`load_from_storage` fills it again.
        """
        await self._clear(AWAITING, persist=persist)

    def clear_sync(self, *, persist: bool = True) -> None:
        """Remove every prompt, one after the other, from the storage too.

        If the storage refuses to delete a prompt, that prompt and the ones after it stay, in the registry too.

        Args:
            persist: Also delete the prompts from the storage. With ``False`` only the registry is emptied, and
                :meth:`load_from_storage` fills it again.
        """
        run_asking(lambda mode: self._clear(mode, persist=persist), "clear", (self._storage, "delete"))

    async def _clear(self, mode: CallMode, *, persist: bool) -> None:
        async def write(_turn: Turn | None) -> None:
            for prompt_id in self._core.ids():
                if persist and self._storage is not None:
                    await self._delete_stored(mode, prompt_id, None)
                self._core.remove(prompt_id)

        await self._write(ALL_KEYS, mode, write)

    async def load_from_storage(self) -> int:
        """Register every prompt of the storage, with its labels. Returns the number of versions read.

        A version that is registered with the same content takes the status, metadata and labels of the storage. On an
        error nothing is registered; with ``refresh``, everything but the prompts in conflict.

        Raises:
            VersionConflictError: a registered version is not a draft, and the storage has other content or a draft.
        """
        return await self._load(AWAITING)

    def load_from_storage_sync(self) -> int:
        """Register every prompt of the storage, with its labels. Returns the number of versions read.

        A version that is registered with the same content takes the status, metadata and labels of the storage. On an
        error nothing is registered; with ``refresh``, everything but the prompts in conflict.

        Raises:
            VersionConflictError: a registered version is not a draft, and the storage has other content or a draft.
        """
        labels = [(self._storage, "get_label_history")] if self._stores_labels else []
        return run_asking(self._load, "load_from_storage", (self._storage, "list"), *labels)

    async def _load(self, mode: CallMode) -> int:
        if self._storage is None:
            return 0
        async with self._lock.take(ALL_KEYS, mode):
            from prompt_manager.core._refresh import StorageRefresh

            if isinstance(self._refresh, StorageRefresh):
                return await self._refresh.load(mode)
            prompts: list[Prompt] = await mode(self._storage, "list")
            cores = [prompt._compiled(self._compiler) for prompt in prompts]
            moves = {}
            if self._stores_labels:
                for prompt_id in dict.fromkeys(prompt.id for prompt in prompts):
                    history = await mode(self._storage, "get_label_history", prompt_id)
                    moves[prompt_id] = [move.model_dump(mode="json") for move in history]
            self._core.upsert_all(cores, moves)
        return len(prompts)

    @property
    def _stores_labels(self) -> bool:
        """Whether the storage saves labels."""
        return hasattr(self._storage, "set_label") and hasattr(self._storage, "get_label_history")

    @property
    def _label_store(self) -> object:
        """What saves labels: a directory's file or the storage. ``None`` if they are only in memory."""
        return self._directory_labels or (self._storage if self._stores_labels else None)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, in one step, or remove the label with ``version=None``.

        The move is saved if the storage has ``set_label`` and ``get_label_history``; otherwise it is in memory only. If
        the label already points at the version, the result is a move from the version to itself, which is not added
        to the history.

        Args:
            prompt_id: The id of the prompt.
            label: 1 to 255 letters, digits, ``_``, ``-`` and ``.``, such as ``production``.
            version: The version, or ``None``.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: no prompt has this id.
            PromptValidationError: the label's name is not allowed.
            VersionNotFoundError: the prompt has no such version, or there is no such label to remove.
        """
        return await self._set_label(AWAITING, prompt_id, label, version, author)

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, in one step, or remove the label with ``version=None``.

        The move is saved if the storage has ``set_label`` and ``get_label_history``; otherwise it is in memory only. If
        the label already points at the version, the result is a move from the version to itself, which is not added
        to the history.

        Args:
            prompt_id: The id of the prompt.
            label: 1 to 255 letters, digits, ``_``, ``-`` and ``.``, such as ``production``.
            version: The version, or ``None``.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: no prompt has this id.
            PromptValidationError: the label's name is not allowed.
            VersionNotFoundError: the prompt has no such version, or there is no such label to remove.
        """
        return run_asking(
            lambda mode: self._set_label(mode, prompt_id, label, version, author),
            "set_label",
            *self._asked_for_labels(),
            observers_wait=self._observers.wait("on_label_moved"),
        )

    def _asked_for_labels(self) -> builtins.list[tuple[object, str]]:
        asked = ["set_label", "get_label_history"]
        if self._label_store is self._storage and hasattr(self._storage, "exists"):
            asked += ["exists", "load"]
        return [(self._label_store, each) for each in asked]

    async def _set_label(
        self, mode: CallMode, prompt_id: str, label: str, version: str | None, author: str | None
    ) -> LabelMove:
        async def write(turn: Turn | None) -> LabelMove:
            move = await self._move_label(mode, prompt_id, label, version, author)
            _end(turn)
            await self._tell_of_move(mode, prompt_id, move)
            return move

        await self._look_at_directory(mode)
        return await self._write(prompt_id, mode, write)

    async def _look_at_directory(self, mode: CallMode) -> None:
        """Take over the versions of a directory that came with a move of another process."""
        if self._directory_labels is not None and self._refresh is not None:
            await self._refresh.now(mode)

    async def _tell_of_move(self, mode: CallMode, prompt_id: str, move: LabelMove) -> None:
        if move.version != move.previous:
            await self._observers.tell(mode, "on_label_moved", prompt_id, move)

    async def _move_label(
        self, mode: CallMode, prompt_id: str, label: str, version: str | None, author: str | None
    ) -> LabelMove:
        from prompt_manager.core.models import LabelMove

        store = self._label_store
        if store is None:
            return LabelMove.model_validate(self._core.set_label(prompt_id, label, version, author))
        if store is self._storage:
            return await self._move_stored_label(mode, prompt_id, label, version, author)
        self._core.can_set_label(prompt_id, label, version)
        move: LabelMove = await mode(store, "set_label", prompt_id, label, version, author=author)
        return move

    async def _move_stored_label(
        self, mode: CallMode, prompt_id: str, label: str, version: str | None, author: str | None
    ) -> LabelMove:
        """Move a label in the storage, and then in the core. Another process may have saved the version."""
        is_here = self._core.contains(prompt_id, version) or not hasattr(self._storage, "exists")
        if not is_here and await mode(self._storage, "exists", prompt_id, version):
            prompt: Prompt = await mode(self._storage, "load", prompt_id, version)
            self._core.upsert_all([prompt._compiled(self._compiler)], {})
        try:
            self._core.can_set_label(prompt_id, label, version)
        except VersionNotFoundError:
            if version is not None:
                raise
        move: LabelMove = await mode(self._storage, "set_label", prompt_id, label, version, author=author)
        self._core.record_label_move(prompt_id, move.model_dump(mode="json"))
        return move

    async def rollback(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """Point a label at the version that it pointed at before.

        Each rollback goes one step further back, like an undo. Deleted versions are skipped.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the label was never moved, or it had no version before.
        """
        return await self._rollback(AWAITING, prompt_id, label, author)

    def rollback_sync(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """Point a label at the version that it pointed at before.

        Each rollback goes one step further back, like an undo. Deleted versions are skipped.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the label was never moved, or it had no version before.
        """
        return run_asking(
            lambda mode: self._rollback(mode, prompt_id, label, author),
            "rollback",
            *self._asked_for_labels(),
            observers_wait=self._observers.wait("on_label_moved"),
        )

    async def _rollback(self, mode: CallMode, prompt_id: str, label: str, author: str | None) -> LabelMove:
        async def write(turn: Turn | None) -> LabelMove:
            moves = await self._label_moves(mode, prompt_id)
            stored = None
            if self._label_store is self._storage and hasattr(self._storage, "exists"):
                stored = await self._stored_versions(mode, prompt_id, label, moves)
            target = self._core.rollback_target(prompt_id, label, moves, stored)
            move = await self._move_label(mode, prompt_id, label, target, author)
            _end(turn)
            await self._tell_of_move(mode, prompt_id, move)
            return move

        await self._look_at_directory(mode)
        # No other write may run between reading the history and the move, even without a storage.
        return await self._lock.run(prompt_id, mode, write)

    async def _stored_versions(
        self, mode: CallMode, prompt_id: str, label: str, moves: builtins.list[dict[str, Any]]
    ) -> builtins.list[str]:
        """The versions at which a label pointed and which the storage still has, whether they are registered or not."""
        targets = {move[each] for move in moves if move["label"] == label for each in ("previous", "version")}
        return [each for each in targets - {None} if await mode(self._storage, "exists", prompt_id, each)]

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """List the moves of a prompt's labels, or of one label, the oldest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        return await self._label_history(AWAITING, prompt_id, label)

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """List the moves of a prompt's labels, or of one label, the oldest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        return run_asking(
            lambda mode: self._label_history(mode, prompt_id, label),
            "get_label_history",
            (self._label_store, "get_label_history"),
        )

    async def _label_history(self, mode: CallMode, prompt_id: str, label: str | None) -> builtins.list[LabelMove]:
        from prompt_manager.core.models import LabelMove

        moves = map(LabelMove.model_validate, await self._label_moves(mode, prompt_id))
        return [move for move in moves if label in (None, move.label)]

    async def _label_moves(self, mode: CallMode, prompt_id: str) -> builtins.list[dict[str, Any]]:
        store = self._label_store
        if store is None:
            return self._core.moves(prompt_id)
        try:
            history: list[LabelMove] = await mode(store, "get_label_history", prompt_id)
        except PromptNotFoundError:
            # If the prompt is not here either, the error of the registry names those that are.
            self._core.versions(prompt_id)
            raise
        return [move.model_dump(mode="json") for move in history]


def _end(turn: Turn | None) -> None:
    """Let the next write begin before observers are notified, so that they can write too."""
    if turn is not None:
        turn.end()


def _restore(
    kind: type[PromptRegistry],
    engine: TemplateEngine,
    storage: StorageBackendProtocol | None,
    refresh: float | None,
    state: Any,
) -> PromptRegistry:
    """Restore a pickled registry. With a storage, ``state`` only tells fingerprints of it apart."""
    registry = kind(storage, template_engine=engine, refresh=refresh)
    if storage is None:
        from prompt_manager.core._pickling import restore_core

        restore_core(registry._core, registry._compiler, state)
    elif state:
        registry.load_from_storage_sync()
    return registry
