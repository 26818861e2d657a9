"""A storage in files. It survives a killed process, a full disk and many writers at once."""

from __future__ import annotations

from prompt_manager._native import FileStore
from prompt_manager.storage._shared import Storage, as_move, as_prompt, as_prompts, checked, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus
    from prompt_manager.exceptions import StorageError

    #: What becomes of ids and versions: the new names by the old, or a function of both.
    Rename = Mapping[str, str] | Callable[[str, str], tuple[str, str]]

__all__ = ["FileSystemStorage"]


class FileSystemStorage(Storage):
    """A storage in a directory: ``{path}/{id}/{version}.json`` or ``.yaml``, labels in ``{path}/{id}/.labels.json``.

    A file is written completely or not at all. A draft is replaced when it is saved again. Any other version keeps its
    content and does not become a draft again; its status, metadata and labels may change. Saving the same prompt again
    changes nothing. A lock across processes protects these rules.

    Calls on one storage run in the order in which you make them, whether you await them or not; reads that follow one
    another may run side by side. If you cancel an await, the call never begins, or it ends before the next one begins.

    Args:
        path: The directory.
        format: How new versions are written. Both are read, and a version that is there keeps its own.
        create: Whether a directory that is missing is an empty storage, made by the first save; otherwise it is an
            error.
        lock_timeout: How many seconds to wait for another writer of the same prompt.

    >>> from tempfile import TemporaryDirectory
    >>> from prompt_manager import Prompt
    >>> with TemporaryDirectory() as directory:
    ...     storage = FileSystemStorage(directory, format="yaml")
    ...     storage.save_sync(Prompt(id="greeting", format="text", template="Hello {{name}}!", status="active"))
    ...     storage.load_sync("greeting").version
    '1.0.0'
    """

    __slots__ = ("_path",)

    _core: FileStore

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["json", "yaml"] = "json",
        create: bool = True,
        lock_timeout: float = 30.0,
    ) -> None:
        self._path = path
        self._core = FileStore(path, format=format, create=create, lock_timeout=lock_timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    async def save(self, prompt: Prompt) -> None:
        """Save a prompt in its version. A cancelled await leaves the complete file, new or old.

        Raises:
            PromptError: it has no template yet.
            VersionConflictError: the version exists, is no draft, and the prompt has other content or is a draft.
            StorageError: a file cannot be written, or the one that is there cannot be read.
        """
        await self._core.save(prompt._plain())

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """The prompt in this version, or in its latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
            StorageReadError: the file is damaged, or one that may be the latest is.
        """
        return as_prompt(await self._core.load(prompt_id, version))

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Remove this version, with the labels that point at it, or all, the history of its labels included.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
            StorageWriteError: a file cannot be removed.
        """
        await self._core.delete(prompt_id, version)

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Every version of every prompt that has all these tags and this status, by id and version.

        A file that cannot be used hides no other: it is warned of by name; see :meth:`check`.
        """
        return as_prompts(await self._core.list(*checked(tags, status)))

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Whether there is a file of the prompt, in this version if one is given. It may be damaged."""
        return await self._core.exists(prompt_id, version)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or with None take it off; gives the move.

        A label that stands in prompts' files counts until it is moved here for the first time.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version, or no such label to take off.
            StorageError: a file cannot be read or written.
        """
        return as_move(await self._core.set_label(prompt_id, label, version, author))

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """The moves of one label of a prompt, or of all; the oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            StorageReadError: the file of the labels is damaged.
        """
        return [as_move(plain) for plain in await self._core.label_history(prompt_id, label)]

    async def check(self) -> builtins.list[StorageError]:
        """What is wrong with the files: one exception for each, which names it. Nothing is raised for them."""
        return await self._core.check()

    def check_sync(self) -> builtins.list[StorageError]:
        """:meth:`check`, for code that does not await."""
        return self._core.check_sync()

    async def migrate(
        self, rename: Rename, *, source: str | os.PathLike[str] | None = None
    ) -> dict[tuple[str, str], tuple[str, str]]:
        """Bring over prompts that ``agentic-prompt-manager`` kept under ids or versions that are invalid here.

        Args:
            rename: The new names of ids and versions by the old ones, or a function that takes id and version and
                returns both. It is called only for what is invalid.
            source: Another directory, all of whose prompts are copied. Without one, the files of this directory are
                replaced.

        Returns:
            For each prompt that was brought over, old id and version to new. A file that is still invalid
            stays where it is.

        Raises:
            PromptValidationError: a new name is invalid too.
            VersionConflictError: the version exists, is no draft, and has other content.
            StorageError: a file cannot be read or written.

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as directory:
        ...     old = Path(directory, "my prompt", "1.0.0.json")
        ...     old.parent.mkdir()
        ...     _ = old.write_text('{"id": "my prompt", "version": "1.0.0", "format": "text", "template": "Hi"}')
        ...     FileSystemStorage(directory).migrate_sync({"my prompt": "my-prompt"})
        {('my prompt', '1.0.0'): ('my-prompt', '1.0.0')}
        """
        found, warnings = await self._core.unmanaged_files(source)
        warn(warnings)
        moved = _renamed(found, rename)
        for path, (_, (prompt_id, version)) in moved.items():
            await self._core.adopt(path, prompt_id, version, source is None)
        return dict(moved.values())

    def migrate_sync(
        self, rename: Rename, *, source: str | os.PathLike[str] | None = None
    ) -> dict[tuple[str, str], tuple[str, str]]:
        """:meth:`migrate`, for code that does not await."""
        found, warnings = self._core.unmanaged_files_sync(source)
        warn(warnings)
        moved = _renamed(found, rename)
        for path, (_, (prompt_id, version)) in moved.items():
            self._core.adopt_sync(path, prompt_id, version, source is None)
        return dict(moved.values())


def _renamed(
    found: Sequence[tuple[Path, str, str, bool]], rename: Rename
) -> dict[Path, tuple[tuple[str, str], tuple[str, str]]]:
    """For each file its old id and version and its new ones; without those that no new name is known for."""
    moved = {}
    for path, prompt_id, version, is_valid in found:
        old = new = (prompt_id, version)
        if not is_valid:
            new = rename(*old) if callable(rename) else (rename.get(prompt_id, prompt_id), rename.get(version, version))
        if is_valid or new != old:
            moved[path] = (old, new)
    return moved
