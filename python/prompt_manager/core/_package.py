"""Prompts that are shipped in a Python package: in a folder, or in a wheel or zip file that is imported from."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_manager._encodable import check_encodable
from prompt_manager.exceptions import PromptManagerError, StorageReadError, StorageWriteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable
    from typing import NoReturn

    from prompt_manager._native import Finding, Registry
    from prompt_manager.core.models import LabelMove

__all__ = ["PackageDirectory", "PackageLabels"]


class PackageDirectory:
    """A folder of a package with prompts, and one with schemas.

    Args:
        package: The name of the package.
        path: The folder of the prompts in the package, with slashes.
        schema_dir: The folder of the schemas in the package; ``schemas`` below ``path`` by default.
    """

    def __init__(self, package: str, path: str, schema_dir: str | None) -> None:
        self._package = package
        self._path = path
        self._schema_dir = schema_dir
        #: The paths of the two folders, also if they are in a zip file, since they were opened.
        self.name = ""
        self._schemas_name = ""
        self._copies: Path | None = None

    @contextmanager
    def opened(self) -> Iterator[tuple[Path, Path | None]]:
        """The directories of the prompts and schemas, as long as the block runs. What is in a zip file is copied.

        Errors name the files in the package, not the copies.

        Raises:
            StorageReadError: there is no such package, or it has no such folder.
            ValueError: a path does not stay in the package.
        """
        with ExitStack() as stack:
            root = _closed_by(stack, _files(self._package))
            prompts = _closed_by(stack, _folder(root, self._package, self._path))
            schemas = None
            if self._schema_dir is not None:
                schemas = _closed_by(stack, _folder(root, self._package, self._schema_dir))
            self.name = str(prompts).rstrip("/")
            self._schemas_name = str(schemas).rstrip("/")
            if not isinstance(prompts, Path) or not (schemas is None or isinstance(schemas, Path)):
                from tempfile import TemporaryDirectory

                self._copies = Path(stack.enter_context(TemporaryDirectory(prefix="prompt_manager_"))).resolve()
                prompts = _copied(prompts, self._copies / "prompts")
                schemas = None if schemas is None else _copied(schemas, self._copies / "schemas")
            try:
                yield prompts, schemas
            except PromptManagerError as error:
                self._rename_in(error)
                raise

    def named(self, findings: Sequence[Finding]) -> list[Finding]:
        """Findings that name the files in the package, and not the copies."""
        return [self._named(finding) for finding in findings]

    def _renamed(self, text: str) -> str:
        if self._copies is None:
            return text
        text = text.replace(str(self._copies / "prompts"), self.name)
        return text.replace(str(self._copies / "schemas"), self._schemas_name)

    def _named(self, finding: Finding) -> Finding:
        rule, message, place, file, prompt_id, hint = finding.__getnewargs__()
        if place is not None and place[0] is not None:
            place = (self._renamed(place[0]), *place[1:])
        file = None if file is None else self._renamed(file)
        return type(finding)(rule, self._renamed(message), place, file, prompt_id, hint)

    def _rename_in(self, error: PromptManagerError) -> None:
        error.message = self._renamed(error.message)
        error.args = (error.message,)
        error._report = None if error._report is None else self._renamed(error._report)
        for key, value in error.context.items():
            if isinstance(value, str):
                error.context[key] = self._renamed(value)
        for each in getattr(error, "errors", ()):
            if isinstance(each, PromptManagerError):
                self._rename_in(each)


class PackageLabels:
    """The labels of a package's prompts. They are part of the package, so they cannot be moved."""

    __slots__ = ("_core", "_package")

    def __init__(self, core: Registry, package: str) -> None:
        self._core = core
        self._package = package

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> NoReturn:
        """Refuse the move.

        Raises:
            StorageWriteError: always.
        """
        self.set_label_sync(prompt_id, label, version, author=author)

    def set_label_sync(self, prompt_id: str, label: str, version: str | None, *, author: str | None = None) -> NoReturn:
        """Refuse the move.

        Raises:
            StorageWriteError: always.
        """
        del version, author
        raise StorageWriteError(
            f"label '{label}' of prompt '{prompt_id}' cannot be moved: the prompts are part of the package "
            f"'{self._package}'\n  hint: change labels.yaml in the package, or keep prompts whose labels move in a "
            "directory or a storage",
            prompt_id=prompt_id,
            label=label,
        )

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first."""
        return self.get_label_history_sync(prompt_id, label)

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """Return the moves of one label of a prompt, by default of all labels, oldest first."""
        from prompt_manager.core.models import LabelMove

        return [LabelMove.model_validate(move) for move in self._core.moves(prompt_id, label)]


def _files(package: str) -> Traversable:
    """The folder of a package."""
    from importlib import resources
    from importlib.util import find_spec

    check_encodable(package, "the name of the package", ValueError)
    try:
        spec = find_spec(package)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is None:
        raise StorageReadError(
            f"there is no package {package!r}\n  hint: install it, or check its name", package=package
        )
    if spec.submodule_search_locations is None:
        raise StorageReadError(
            f"{package!r} is a module and no package, so it has no folders\n  hint: name the package around it",
            package=package,
        )
    return resources.files(package)


def _closed_by(stack: ExitStack, folder: Traversable) -> Traversable:
    """The folder. If it is in a zip file, the stack closes this file; else it is open until the folder is collected."""
    from zipfile import Path as ZipPath

    if isinstance(folder, ZipPath):
        stack.callback(folder.root.close)
    return folder


def _folder(root: Traversable, package: str, path: str) -> Traversable:
    check_encodable(path, "the folder in the package", ValueError)
    names = [name for name in path.split("/") if name not in {"", "."}]
    if path.startswith("/") or "\\" in path or ":" in path or ".." in names:
        raise ValueError(f"{path!r} must be a folder in the package, written with slashes, such as 'data/prompts'")
    folder = root
    for name in names:
        folder = folder / name
    if not folder.is_dir():
        found = "a file, not a folder" if folder.is_file() else "missing"
        raise StorageReadError(
            f"the folder {path!r} of the package {package!r} is {found}\n"
            "  hint: check the name; build backends may need a setting to put files that are not Python into a wheel",
            package=package,
            path=str(folder).rstrip("/"),
        )
    return folder


def _copied(folder: Traversable, target: Path) -> Path:
    target.mkdir()
    for entry in folder.iterdir():
        if entry.is_dir():
            _copied(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())
    return target
