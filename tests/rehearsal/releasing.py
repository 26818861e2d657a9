"""Runs the commands of RELEASING.md, word for word, in a clone and against a local index.

The document sets three variables: the repository's address, the version, and the address of TestPyPI. They are set here
instead, to the addresses of servers on this machine. So are the addresses to which twine uploads.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from environments import environment
from packages import ROOT, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOT_REHEARSED", "check", "commands", "variables"]

#: Lines of the document that are not run, and why.
NOT_REHEARSED = {
    "make clean": "it would remove the environment that runs the rehearsal",
    "make ci": "the rehearsal is one of its steps",
    "make rehearse": "it is this program",
}
#: The command before which the document asks for edits.
FIRST_OF_A_RELEASE = "cargo update --workspace"
#: Tests of the documents, which the commands have changed.
READ_DOCUMENTS = ("tests/test_publishing.py", "tests/test_readme.py", "tests/test_site.py")
REPOSITORY = "https://example.invalid/owner/name"


def blocks(text: str) -> list[list[str]]:
    """Return the lines of each shell block."""
    found = re.findall(r"^( *)```bash\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL)
    return [[line.strip() for line in block.splitlines() if line.strip()] for _, block in found]


def commands(text: str) -> list[str]:
    """Return all commands of a document but those that set a variable, in their order."""
    return [line for block in blocks(text) for line in block if not line.startswith("export ")]


def variables(text: str) -> dict[str, str]:
    """Return the variables that a document sets."""
    lines = [line for block in blocks(text) for line in block]
    return dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))


@contextmanager
def index() -> Iterator[str]:
    """Serve an empty package index on this machine, and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        # Port 0 is not reported, so a free one is taken from the system.
        port = free_port()
        command = [tool("pypi-server"), "run", "--host", "127.0.0.1", "--port", str(port), "--disable-fallback"]
        access = ["--passwords", ".", "--authenticate", "."]
        with subprocess.Popen([*command, *access, folder], stderr=subprocess.DEVNULL) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                wait_for(address)
                yield address
            finally:
                server.terminate()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    """Wait until a server answers."""
    for _ in range(200):
        try:
            with urlopen(address):  # noqa: S310 - our own server
                return
        except URLError:
            time.sleep(0.1)
    raise SystemExit(f"no server answers at {address}")


def edit(clone: Path, version: str) -> None:
    """Make the edits that the document describes: the changelog's new section."""
    path = clone / "CHANGELOG.md"
    text = path.read_text(encoding="utf-8")
    heading = f"## [{version}] - {datetime.now(tz=UTC).date()}"
    path.write_text(text.replace("## [Unreleased]\n", f"## [Unreleased]\n\n{heading}\n", 1), encoding="utf-8")


def clone_into(folder: Path) -> Path:
    """Clone the repository, with an empty one as its origin, and lend it the environment that runs this program."""
    origin, clone = folder / "origin.git", folder / "clone"
    subprocess.run(["git", "init", "--quiet", "--bare", origin], check=True)
    # The checkout of a workflow has no history.
    subprocess.run(["git", "config", "receive.shallowUpdate", "true"], cwd=origin, check=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    for command in (
        ["switch", "--quiet", "-C", "main"],
        ["remote", "set-url", "origin", origin],
        ["config", "user.name", "Rehearsal"],
        ["config", "user.email", "rehearsal@example.invalid"],
    ):
        subprocess.run(["git", *command], cwd=clone, check=True)
    # The files of the work tree, so that a change can be tried before it is committed.
    changed = subprocess.run(
        ["git", "ls-files", "--modified", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, changed.stdout.split("\0")):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, clone / name)
        else:
            (clone / name).unlink()
    subprocess.run(["git", "add", "--all"], cwd=clone, check=True)
    subprocess.run(["git", "commit", "--quiet", "--allow-empty", "--message", "Work tree"], cwd=clone, check=True)
    (clone / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return clone


def check(python: Path, dist: Path) -> None:
    """Run the commands, with a Python and the files that were built."""
    document = (ROOT / "RELEASING.md").read_text(encoding="utf-8")
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    with index() as testpypi, index() as pypi, tempfile.TemporaryDirectory() as folder:
        given = {"REPOSITORY": REPOSITORY, "VERSION": version, "TEST_INDEX": testpypi}
        if set(variables(document)) != set(given):
            raise SystemExit(f"RELEASING.md sets {sorted(variables(document))}, the rehearsal {sorted(given)}")
        clone = clone_into(Path(folder).resolve())
        shutil.copytree(dist, clone / "dist")
        exported = {
            **os.environ,
            **given,
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "TWINE_NON_INTERACTIVE": "1",
            "TWINE_USERNAME": "__token__",
            "TWINE_PASSWORD": "none",
        }
        run = 0
        for line in commands(document):
            if line in NOT_REHEARSED:
                continue
            if line == FIRST_OF_A_RELEASE:
                edit(clone, version)
            address = testpypi if "testpypi" in line else pypi
            done = subprocess.run(
                ["bash", "-euc", line],
                cwd=clone,
                env={**exported, "TWINE_REPOSITORY_URL": f"{address}/"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"RELEASING.md: {line} failed:\n{done.stdout}")
            run += 1
        with environment(python) as own:
            own.install_for_tests(dist)
            own.folder = clone
            own.run("-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *READ_DOCUMENTS, isolated=False)
        print(f"RELEASING.md: {run} commands run, {len(NOT_REHEARSED)} left out", flush=True)
