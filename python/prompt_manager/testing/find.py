"""Finds test files, and the directory of prompts that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager import _native
from prompt_manager.exceptions import StorageReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_test_files", "prompts_root"]


def find_test_files(path: Path) -> list[Path]:
    """The test files below a directory, sorted by path; or the one file. Names that begin with a dot are skipped.

    Raises:
        StorageReadError: there is no such file or directory, or the file is no test file.
    """
    if path.is_dir():
        return _native.find_test_files(path)
    if not path.exists():
        raise StorageReadError(f"there is no file or directory {path}", path=str(path))
    if _native.file_kind(path) != "tests":
        raise StorageReadError(f"{path} is not a test file: its name does not end in .test.yaml", path=str(path))
    return [path]


def prompts_root(path: Path, directory: Path) -> Path | None:
    """The directory of prompts around a file or directory.

    It is ``directory``, if that contains the path; else the nearest directory with the name ``prompts``.
    """
    path, directory = path.resolve(), directory.resolve()
    if path.is_relative_to(directory):
        return directory
    return next((folder for folder in (path, *path.parents) if folder.name == "prompts" and folder.is_dir()), None)
