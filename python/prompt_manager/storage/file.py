"""A storage in files. They stay intact if a process is killed, the disk is full, or many processes write at once."""

from __future__ import annotations

from prompt_manager._native import FileStore
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.storage._shared import as_move, as_prompt, as_prompts, checked, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Literal

    from prompt_manager.core.models import LabelMove, Prompt, PromptStatus
    from prompt_manager.exceptions import StorageError

    #: How to rename ids and versions: a mapping of old names to new ones, or a function of both.
    Rename = Mapping[str, str] | Callable[[str, str], tuple[str, str]]

__all__ = ["FileSystemStorage"]


class FileSystemStorage:
    """Stores prompts in a directory, as ``{path}/{id}/{version}.json`` or ``.yaml``.

    Labels are in ``{path}/{id}/.labels.json``. Files are replaced atomically, under a lock that works across processes.

    You can replace a draft with other content. Any other version keeps its content and does not become a draft again;
    only its status, metadata and labels can change. Saving the same prompt again changes nothing.

    Calls on one storage run in the order in which you make them, whether you await them or not. Reads that follow one
    another may run side by side. If you cancel an await, the call never begins, or it ends before the next one begins.

    Args:
        path: The directory.
        format: The file format of new versions. Both formats are read, and an existing version keeps its own.
        create: Treat a missing directory as an empty storage, and create it on the first save. If false, a missing
            directory is an error.
        lock_timeout: How many seconds to wait for another writer of the same prompt.
        base_path: Another name of ``path``.

    Raises:
        TypeError: both ``path`` and ``base_path`` are given, or none of them.

    >>> from tempfile import TemporaryDirectory
    >>> from prompt_manager import Prompt
    >>> with TemporaryDirectory() as directory:
    ...     storage = FileSystemStorage(directory, format="yaml")
    ...     storage.save_sync(Prompt(id="greeting", format="text", template="Hello {{name}}!", status="active"))
    ...     storage.load_sync("greeting").version
    '1.0.0'
    """

    __slots__ = ("_core", "_options", "_path")

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        format: Literal["json", "yaml"] = "json",
        create: bool = True,
        lock_timeout: float = 30.0,
        base_path: str | os.PathLike[str] | None = None,
    ) -> None:
        given = base_path if path is None else path
        if given is None or (path is not None and base_path is not None):
            raise TypeError("FileSystemStorage needs its directory as `path`, or by its other name `base_path`")
        self._path = given
        self._options = {"format": format, "create": create, "lock_timeout": lock_timeout}
        self._core = FileStore(given, format=format, create=create, lock_timeout=lock_timeout)

    def __reduce__(self) -> tuple[Callable[..., FileSystemStorage], tuple[object, ...]]:
        """What pickle and deepcopy take: the directory and the options."""
        from os.path import abspath

        return _reopen, (type(self), abspath(self._path), self._options)  # noqa: PTH100 - as `core.manager` has it

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    async def save(self, prompt: Prompt) -> None:
        """Save a prompt under its id and version.

        Raises:
            PromptError: the prompt has no template yet.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
            StorageError: the file cannot be written, or the existing file cannot be read.
        """
        require_prompt(prompt)
        await self._core.save(prompt._plain())

    def save_sync(self, prompt: Prompt) -> None:
        """Save a prompt under its id and version.

        Raises:
            PromptError: the prompt has no template yet.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a draft.
            StorageError: the file cannot be written, or the existing file cannot be read.
        """
        require_prompt(prompt)
        self._core.save_sync(prompt._plain())

    async def load(self, prompt_id: str, version: str | None = None) -> Prompt:
        """Load the given version of a prompt, by default the latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
            StorageReadError: the file is damaged. For the latest: a file that may contain it is damaged.
        """
        return as_prompt(await self._core.load(prompt_id, version))

    def load_sync(self, prompt_id: str, version: str | None = None) -> Prompt:
        """Load the given version of a prompt, by default the latest.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version.
            StorageReadError: the file is damaged. For the latest: a file that may contain it is damaged.
        """
        return as_prompt(self._core.load_sync(prompt_id, version))

    async def delete(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the given version of a prompt, by default all versions.

        Labels that point at the version are removed. Deleting all versions deletes the history of the labels too.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
            StorageWriteError: a file cannot be deleted.
        """
        await self._core.delete(prompt_id, version)

    def delete_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Delete the given version of a prompt, by default all versions.

        Labels that point at the version are removed. Deleting all versions deletes the history of the labels too.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version.
            StorageWriteError: a file cannot be deleted.
        """
        self._core.delete_sync(prompt_id, version)

    async def list(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Return all versions of all prompts, sorted by id and version.

        A damaged file is left out with a warning that names it. :meth:`check` lists all of them.

        Args:
            tags: Return only prompts that have all these tags.
            status: Return only prompts with this status.
        """
        return as_prompts(await self._core.list(*checked(tags, status)))

    def list_sync(
        self,
        *,
        tags: Sequence[str] | None = None,
        status: PromptStatus | str | None = None,
    ) -> builtins.list[Prompt]:
        """Return all versions of all prompts, sorted by id and version.

        A damaged file is left out with a warning that names it. :meth:`check` lists all of them.

        Args:
            tags: Return only prompts that have all these tags.
            status: Return only prompts with this status.
        """
        return as_prompts(self._core.list_sync(*checked(tags, status)))

    async def exists(self, prompt_id: str, version: str | None = None) -> bool:
        """Return whether the prompt, or the given version of it, has a file. The file may be damaged."""
        return await self._core.exists(prompt_id, version)

    def exists_sync(self, prompt_id: str, version: str | None = None) -> bool:
        """Return whether the prompt, or the given version of it, has a file. The file may be damaged."""
        return self._core.exists_sync(prompt_id, version)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, and return the move that was recorded.

        A label in a prompt's own ``labels`` counts until you move it for the first time.

        Args:
            prompt_id: The id of the prompt.
            label: The label, such as ``"production"``.
            version: The version, or None to remove the label.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version, or no such label to remove.
            StorageError: a file cannot be read or written.
        """
        return as_move(await self._core.set_label(prompt_id, label, version, author))

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, and return the move that was recorded.

        A label in a prompt's own ``labels`` counts until you move it for the first time.

        Args:
            prompt_id: The id of the prompt.
            label: The label, such as ``"production"``.
            version: The version, or None to remove the label.
            author: Who moves the label, for the history.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the prompt has no such version, or no such label to remove.
            StorageError: a file cannot be read or written.
        """
        return as_move(self._core.set_label_sync(prompt_id, label, version, author))

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            StorageReadError: the label file is damaged.
        """
        return [as_move(plain) for plain in await self._core.label_history(prompt_id, label)]

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> builtins.list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            StorageReadError: the label file is damaged.
        """
        return [as_move(plain) for plain in self._core.label_history_sync(prompt_id, label)]

    async def generation(self) -> str | None:
        """Return a text that differs after each change, or None if the files do not show whether they changed.

        A process that holds the prompts in memory compares it with the last one, and reads again if it differs.
        """
        return await self._core.generation()

    def generation_sync(self) -> str | None:
        """Return a text that differs after each change, or None if the files do not show whether they changed.

        A process that holds the prompts in memory compares it with the last one, and reads again if it differs.
        """
        return self._core.generation_sync()

    async def check(self) -> builtins.list[StorageError]:
        """Check all files, and return one exception for each damaged file. The exceptions are not raised."""
        return await self._core.check()

    def check_sync(self) -> builtins.list[StorageError]:
        """Check all files, and return one exception for each damaged file. The exceptions are not raised."""
        return self._core.check_sync()

    async def migrate(
        self, rename: Rename, *, source: str | os.PathLike[str] | None = None
    ) -> dict[tuple[str, str], tuple[str, str]]:
        """Import prompts that ``agentic-prompt-manager`` saved, and rename ids and versions that are invalid here.

        Args:
            rename: A mapping of old ids and versions to new ones, or a function that takes an id and a version and
                returns both. It is used for invalid names only.
            source: Another directory, whose prompts are all copied to this storage. By default the invalid files of
                this storage are replaced.

        Returns:
            The new id and version of each imported prompt, by its old id and version. Prompts whose names are still
            invalid stay where they are.

        Raises:
            PromptValidationError: a new name is invalid too.
            VersionConflictError: the new version already exists with different content.
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
        """Import prompts that ``agentic-prompt-manager`` saved, and rename ids and versions that are invalid here.

        Args:
            rename: A mapping of old ids and versions to new ones, or a function that takes an id and a version and
                returns both. It is used for invalid names only.
            source: Another directory, whose prompts are all copied to this storage. By default the invalid files of
                this storage are replaced.

        Returns:
            The new id and version of each imported prompt, by its old id and version. Prompts whose names are still
            invalid stay where they are.

        Raises:
            PromptValidationError: a new name is invalid too.
            VersionConflictError: the new version already exists with different content.
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
        found, warnings = self._core.unmanaged_files_sync(source)
        warn(warnings)
        moved = _renamed(found, rename)
        for path, (_, (prompt_id, version)) in moved.items():
            self._core.adopt_sync(path, prompt_id, version, source is None)
        return dict(moved.values())


def _renamed(
    found: Sequence[tuple[Path, str, str, bool]], rename: Rename
) -> dict[Path, tuple[tuple[str, str], tuple[str, str]]]:
    """Return the old and the new id and version of each file. Files with invalid names and no new name are left out."""
    moved = {}
    for path, prompt_id, version, is_valid in found:
        old = new = (prompt_id, version)
        if not is_valid:
            new = rename(*old) if callable(rename) else (rename.get(prompt_id, prompt_id), rename.get(version, version))
        if is_valid or new != old:
            moved[path] = (old, new)
    return moved


def _reopen(kind: type[FileSystemStorage], path: str, options: dict[str, Any]) -> FileSystemStorage:
    """Open the directory of a pickled storage."""
    return kind(path, **options)
