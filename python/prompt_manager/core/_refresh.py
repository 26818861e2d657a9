"""Keeps a registry up to date with its storage or directory: takes over what other processes write."""

from __future__ import annotations

from weakref import ref

from prompt_manager.core._sync import AWAITING, run_asking
from prompt_manager.exceptions import PromptManagerError, VersionConflictError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from prompt_manager._native import Engine, Look, Registry
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import StorageBackendProtocol

    #: The versions of a prompt, and the moves of its labels as plain data.
    Stored = tuple[dict[str, Prompt], list[dict[str, Any]]]

    R = TypeVar("R")

__all__ = ["SourceRefresh", "StorageRefresh"]


class SourceRefresh:
    """Reports what the looks of a core's registry at the source of its prompts find.

    Args:
        core: The registry of the core.
        observers: The observers of the registry.
        source: The directory or storage, for messages.
    """

    def __init__(self, core: Registry, observers: Observers, source: str) -> None:
        self._core = core
        self._observers = observers
        self._source = source
        #: The problems that the last look found.
        self.problems: tuple[PromptManagerError, ...] = ()
        self._logged: str | None = None
        #: The number of versions in the source at the last look.
        self._versions = 0

    @property
    def report_weakly(self) -> Callable[[Look], None]:
        """Takes the looks of the core, which must not keep the registry alive that keeps the core alive."""
        this = ref(self)
        return lambda look: _alive(this)._report_now(look)

    async def before(self, prompt_id: str, version: str | None) -> None:
        """Do :meth:`when_due` before a lookup of a label, the latest version, or a version that is not known yet."""
        if version is None or not self._core.contains(prompt_id, version):
            await self.when_due()

    async def now(self, mode: CallMode) -> None:
        """Take over what changed in a source that the core reads, whether it is time or not."""
        awaitable = None if mode.blocks else self._core.look()
        look = self._core.look_sync() if awaitable is None else await awaitable
        if look is not None:
            await self._report(mode, look)

    async def when_due(self) -> None:
        """Take over what changed, if it is time, without blocking the event loop."""
        awaitable = self._core.due_look()
        if awaitable is not None:
            from prompt_manager.core._run_to_end import run_to_end

            await run_to_end(self._finish(awaitable))

    async def _finish(self, awaitable: Awaitable[Look | None]) -> None:
        look = await awaitable
        if look is not None:
            await self._report(AWAITING, look)

    def _report_now(self, look: Look) -> None:
        waits = self._observers.wait("on_label_moved", "on_reload")
        run_asking(lambda mode: self._report(mode, look), "render", observers_wait=waits)

    async def _report(self, mode: CallMode, look: Look) -> None:
        """Log the problems of a look, and notify the observers."""
        self._note(look)
        is_news = self._log(look)
        if not self._observers:
            return
        from prompt_manager.core.events import ReloadEvent
        from prompt_manager.core.models import LabelMove

        for prompt_id, move in look.moves:
            await self._observers.tell(mode, "on_label_moved", prompt_id, LabelMove.model_validate(move))
        if is_news:
            event = ReloadEvent(self._source, self._versions, self.problems)
            await self._observers.tell(mode, "on_reload", event)

    def _note(self, look: Look) -> tuple[PromptManagerError, ...]:
        """Keep what a look found, and return its problems."""
        error = look.error
        self.problems = () if error is None else tuple(getattr(error, "errors", ())) or (error,)
        if error is None or self.problems != (error,):
            self._versions = look.prompts
        return self.problems

    def _log(self, look: Look) -> bool:
        """Log what changed, each problem once, and that it is gone. Return whether there was something of this."""
        from logging import getLogger

        logger = getLogger("prompt_manager")
        problem = None if look.error is None else str(look.error)
        if problem is not None and problem != self._logged:
            logger.error("%s\n\nThe last good prompts stay in use.", problem)
        elif problem is None and self._logged is not None:
            logger.info("%s can be read again", self._source)
        is_news = problem != self._logged or bool(look.changed)
        self._logged = problem
        if look.changed:
            logger.info("took over changes from %s: %s", self._source, ", ".join(look.changed))
        return is_news


class StorageRefresh(SourceRefresh):
    """Looks for changes of the storage of a registry, and takes them over.

    The core reads the files of a :class:`~prompt_manager.storage.FileSystemStorage` itself. Any other storage is asked
    with ``generation()``, if it has that, and lists its prompts if the answer differs from the last one.
    """

    def __init__(
        self, core: Registry, storage: StorageBackendProtocol, compiler: Engine, observers: Observers, seconds: float
    ) -> None:
        from prompt_manager.storage.file import FileSystemStorage

        super().__init__(core, observers, repr(storage))
        self._storage: Any = storage
        self._compiler = compiler
        self._generation: object = None
        #: The moment at which the last look began.
        self._looked = 0
        self._held: dict[str, Stored] = {}
        #: Whether the core looks. A subclass may read differently.
        self._reads_files = type(storage) is FileSystemStorage
        this = ref(self)
        if type(storage) is FileSystemStorage:
            core.refresh_from_store(storage._core, seconds, self.report_weakly)
        else:
            core.refresh_from_calls(
                lambda: _alive(this)._look_now(), lambda release: _alive(this)._look_and_release(release), seconds
            )

    async def load(self, mode: CallMode) -> int:
        """Take over what changed now, and return the number of versions in the storage.

        Raises:
            StorageError: the storage cannot be read.
            VersionConflictError: a version that this process registered has other content than in the storage.
        """
        if self._reads_files:
            awaitable = None if mode.blocks else self._core.look()
            look = self._core.look_sync() if awaitable is None else await awaitable
        else:
            look = await self._look(mode)
        if look is None:
            return self._versions
        problems = self._note(look)
        conflicts = [each for each in problems if isinstance(each, VersionConflictError)]
        if conflicts or (look.error is not None and problems == (look.error,)):
            raise conflicts[0] if conflicts else problems[0]
        from prompt_manager.storage._shared import warn

        warn([*look.warnings, *map(str, problems)])
        return self._versions

    def _look_now(self) -> None:
        try:
            look = run_asking(self._look, "render", (self._storage, "list"))
        except Exception as error:  # noqa: BLE001 - a storage of the application
            self._fail(error)
        else:
            if look is not None:
                self._report_now(look)

    async def _look_and_release(self, release: Callable[[], None]) -> Look | None:
        try:
            return await self._look(AWAITING)
        except Exception as error:  # noqa: BLE001 - a storage of the application
            self._fail(error)
            return None
        finally:
            release()

    def _fail(self, error: Exception) -> None:
        """Log an exception of the storage once. The prompts stay in use, and the next look tries again."""
        from prompt_manager.exceptions import StorageReadError

        if not isinstance(error, PromptManagerError):
            failed = StorageReadError(f"{type(self._storage).__name__} raised {type(error).__name__}")
            failed.__cause__ = error
            error = failed
        self.problems = (error,)
        if str(error) != self._logged:
            from logging import getLogger

            getLogger("prompt_manager").error("%s\n\nThe last good prompts stay in use.", error)
            self._logged = str(error)

    async def _look(self, mode: CallMode) -> Look | None:
        """Ask a storage that the core cannot read. ``None`` if nothing changed."""
        storage = self._storage
        generation = await mode(storage, "generation") if hasattr(storage, "generation") else None
        # Another process may have replaced what this one wrote to the registry after the last look.
        written = {*self._core.written_since(self._looked)}
        if not written and generation is not None and generation == self._generation:
            return None
        self._looked = start = self._core.writes()
        prompts: list[Prompt] = await mode(storage, "list")
        found: dict[str, Stored] = {}
        for prompt in prompts:
            found.setdefault(prompt.id, ({}, []))[0][prompt.version] = prompt
        if hasattr(storage, "set_label") and hasattr(storage, "get_label_history"):
            for prompt_id, (_, moves) in found.items():
                history = await mode(storage, "get_label_history", prompt_id)
                moves += [move.model_dump(mode="json") for move in history]
        held = self._held
        changed = {each for each in {*found, *held} if each in written or found.get(each) != held.get(each)}
        old = [(each, version) for each in changed if each in held for version in held[each][0]]
        new = {each: stored for each, stored in found.items() if each in changed}
        cores = [prompt._compiled(self._compiler) for versions, _ in new.values() for prompt in versions.values()]
        moved = {each: moves for each, (_, moves) in new.items()}
        look, newer = self._core.exchange(old, cores, moved, start, len(prompts))
        # What this process wrote meanwhile is taken over by the next look.
        kept = {each: held[each] for each in newer if each in held}
        self._held = {each: stored for each, stored in found.items() if each not in newer} | kept
        self._generation = None if newer else generation
        return look


def _alive(this: ref[R]) -> R:
    refresh = this()
    if refresh is None:
        raise RuntimeError("the registry no longer exists")
    return refresh
