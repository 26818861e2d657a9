"""Reads files as they were at a commit, with the command ``git``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from prompt_manager.cli.git import commit_of, run_git

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEAD", "earlier_files"]

#: The last commit.
HEAD = "HEAD"


def earlier_files(directory: Path, revision: str | None) -> list[tuple[Path, bytes]]:
    """Read the files below a directory that changed since a commit, as they were at that commit.

    Without a revision it is the last commit. Outside a repository, in one without a commit, and without git, there are
    no files then.

    Raises:
        click.UsageError: a revision is given, and git does not find it.
    """
    from prompt_manager._native import file_kind

    commit = _commit(directory, revision)
    if commit is None:
        return []
    listed = run_git(
        directory,
        "diff",
        "--name-only",
        "--no-renames",
        "--no-ext-diff",
        "--relative",
        "--diff-filter=MD",
        "-z",
        commit,
    )
    names = [os.fsdecode(name) for name in (listed or b"").split(b"\0") if name and b"\n" not in name]
    names = [name for name in names if file_kind(name) == "prompts"]
    if not names:
        return []
    asked = "".join(f"{commit}:./{name}\n" for name in names)
    contents = run_git(directory, "cat-file", "--batch", given=os.fsencode(asked)) or b""
    return [(directory / name, content) for name, content in zip(names, _objects(contents), strict=False)]


def _commit(directory: Path, revision: str | None) -> str | None:
    """The id of a commit."""
    found = commit_of(directory, revision or HEAD)
    if found is None and revision is not None:
        raise click.UsageError(
            f"git does not know the commit {revision!a}\n"
            "  hint: name a branch, a tag or a commit of this repository; in CI, fetch it first"
        )
    return found


def _objects(batch: bytes) -> list[bytes]:
    """The contents in the output of ``git cat-file --batch``."""
    contents = []
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        header = batch[at:end].split(b" ")
        size = int(header[-1]) if header[-1].isdigit() else 0
        contents.append(batch[end + 1 : end + 1 + size])
        at = end + 1 + (size + 1 if header[-1].isdigit() else 0)
    return contents
