"""Finds test files, and the directory of prompts that they belong to."""

from __future__ import annotations

from pathlib import Path

from prompt_manager.exceptions import StorageReadError

__all__ = ["find_test_files", "is_test_file", "prompts_root", "shown_path"]


def is_test_file(path: Path) -> bool:
    """Whether the name is that of a test file: it ends in ``.test.yaml`` or ``.test.yml``.

    >>> is_test_file(Path("greeting.test.yaml")), is_test_file(Path("greeting.yaml"))
    (True, False)
    """
    return path.name.lower().endswith((".test.yaml", ".test.yml"))


def find_test_files(path: Path) -> list[Path]:
    """The test files below a directory, sorted by path; or the one file. Names that begin with a dot are skipped.

    Raises:
        StorageReadError: there is no such file or directory, or the file is no test file.
    """
    if path.is_dir():
        found = (file for file in path.rglob("*") if is_test_file(file) and file.is_file())
        return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))
    if not path.exists():
        raise StorageReadError(f"there is no file or directory {path}", path=str(path))
    if not is_test_file(path):
        raise StorageReadError(f"{path} is no test file: its name does not end in .test.yaml", path=str(path))
    return [path]


def prompts_root(path: Path, directory: Path) -> Path | None:
    """The directory of prompts around a file or directory.

    It is ``directory``, if that contains the path; else the nearest directory with the name ``prompts``.
    """
    path, directory = path.resolve(), directory.resolve()
    if path.is_relative_to(directory):
        return directory
    return next((folder for folder in (path, *path.parents) if folder.name == "prompts" and folder.is_dir()), None)


def shown_path(path: Path) -> str:
    """The path as messages show it: relative to the working directory, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
