"""Reads the files of earlier revisions from git."""

from __future__ import annotations

import io
import os
import shutil
import subprocess  # nosec B404 - only git is run, with fixed options
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["commit_of", "content_at", "files_at", "run_git"]


#: How long git may take, in seconds.
_TIMEOUT = 60


def run_git(directory: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    """What git writes; ``None`` if it fails or is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    # A repository can name programs in its configuration. None is run for reading.
    command = [git, "-c", "core.fsmonitor=false", "-C", str(directory), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 - the arguments are ours
            command, input=given, capture_output=True, check=False, timeout=_TIMEOUT, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def commit_of(directory: Path, revision: str) -> str | None:
    """The id of the commit that a revision names; ``None`` if git knows none."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = run_git(directory, *asked) if directory.is_dir() else None
    return None if found is None else found.decode("ascii").strip()


def _found_commit(directory: Path, revision: str) -> str:
    """The id of the commit that a revision names.

    Raises:
        click.ClickException: git knows none.
    """
    commit = commit_of(directory, revision)
    if commit is not None:
        return commit
    if shutil.which("git") is None:
        raise click.ClickException("git is not installed, and earlier revisions are read with it")
    inside = directory.is_dir() and run_git(directory, "rev-parse", "--git-dir") is not None
    why = "the directory is not in a git repository"
    if inside:
        if revision == "HEAD":
            hint = "commit your prompts once, with git add and git commit"
        else:
            hint = "name a commit, a branch or a tag, such as origin/main"
        why = f"there is no revision {revision!r}\n  hint: {hint}"
    raise click.ClickException(f"cannot read {directory} at {revision}: {why}")


@contextmanager
def files_at(revision: str, directory: Path) -> Iterator[Path]:
    """Write the files that a directory had at a revision to a temporary directory, which is removed at the end.

    Raises:
        click.ClickException: the directory is in no repository, or it was not there at the revision.
    """
    archived = run_git(directory, "archive", "--format=tar", _found_commit(directory, revision))
    if archived is None:
        raise click.ClickException(f"cannot read {directory} at {revision}: git had no files there")
    with tempfile.TemporaryDirectory(prefix="prompt-manager-") as temporary:
        with tarfile.open(fileobj=io.BytesIO(archived)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    file = Path(temporary, member.name)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content.read())
        yield Path(temporary)


def content_at(revision: str, file: Path) -> bytes:
    """The content that a file had at a revision.

    Raises:
        click.ClickException: it was not there.
    """
    commit = _found_commit(file.parent, revision)
    content = run_git(file.parent, "cat-file", "blob", f"{commit}:./{file.name}")
    if content is None:
        raise click.ClickException(f"cannot read {file} at {revision}: git had no such file there")
    return content
