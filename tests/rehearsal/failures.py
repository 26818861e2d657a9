"""Tries to install the package where that cannot work, and compares what pip prints with docs/installation.md."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from environments import NAME, PYPROJECT, Environment, requirement
from packages import ROOT, tool
from pythons import OLDEST

__all__ = ["check"]

DOCUMENT = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
#: Platforms without a wheel here: 32 bits, and a C library that no wheel of this machine fits.
WITHOUT_WHEEL = ("manylinux_2_28_i686", "win32", "musllinux_1_2_x86_64", "manylinux_2_17_x86_64")
#: The last pip that does not know the tags of today's Linux wheels.
OLD_PIP = "20.2.4"
NOBODY = 65534


def expected(title: str, number: int = 0) -> list[str]:
    """Return the lines of one of the outputs that the document shows under a title."""
    section = DOCUMENT.split(f"### {title}\n", 1)[1].split("\n### ", 1)[0]
    blocks = re.findall(r"^```text\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return blocks[number].splitlines()


def compare(title: str, shown: str, *, number: int = 0) -> None:
    """Check that pip printed the lines of the document. Versions may differ."""
    text = re.sub(r"\d+\.\d+\.\d+", "*", re.sub(r"\s+", " ", shown))
    for line in expected(title, number):
        if re.sub(r"\d+\.\d+\.\d+", "*", line.strip()) not in text:
            raise SystemExit(f"docs/installation.md shows {line!r} under {title!r}, but pip prints:\n{shown}")


def fail(command: list[str | Path], **environment: str) -> str:
    """Run a command that must fail, and return what it prints."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    if not done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} works, but it should not")
    return done.stdout + done.stderr


def make_index(dist: Path, folder: Path) -> str:
    """Write an index as PyPI has it, with the Python that each file requires, and return its address."""
    page = folder / "simple" / NAME
    shutil.copytree(dist, page)
    needs = PYPROJECT["requires-python"].replace(">", "&gt;")
    links = [f'<a href="{path.name}" data-requires-python="{needs}">{path.name}</a>' for path in sorted(dist.iterdir())]
    (page / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links), encoding="utf-8")
    return (folder / "simple").as_uri()


def try_old_python(python: Path, index: str, folder: Path) -> None:
    """Install with a Python that the package does not support."""
    subprocess.run([tool("uv"), "venv", "--quiet", "--seed", "--python", python, folder / "old"], check=True)
    pip = [folder / "old" / "bin" / "python", "-m", "pip", "install"]
    compare("Python is too old", fail([*pip, "--index-url", index, NAME]))


def try_platforms(python: Path, index: str, folder: Path) -> None:
    """Download for platforms that have no wheel."""
    for platform in WITHOUT_WHEEL:
        own = [python, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--platform", platform]
        shown = fail([*own, "--index-url", index, "--dest", folder, NAME])
        compare("There is no wheel for the platform", shown, number=1)


def try_without_rust(own: Environment, sdist: Path) -> None:
    """Compile the sdist without cargo on the path, and without fetching it."""
    pip = [own.python, "-m", "pip", "install", "--no-deps", sdist]
    shown = fail(pip, PATH="/usr/bin:/bin", MATURIN_NO_INSTALL_RUST="1")
    compare("There is no wheel for the platform", shown)


def try_old_pip(own: Environment, index: str) -> None:
    """Ask a pip for the wheel that does not know its tag."""
    own.install(f"pip=={OLD_PIP}")
    pip = [own.python, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--index-url", index, NAME]
    compare("`pip` is too old", fail(pip))


def try_read_only(dist: Path, folder: Path) -> None:
    """Use the package as a user who cannot write to its environment, and install it as that user."""
    system = Path("/usr/bin/python3")
    if os.geteuid() or not system.exists() or not shutil.which("setpriv"):
        print("read-only site-packages: not tried, it needs root and the system's Python", flush=True)
        return
    folder.chmod(0o755)
    own = Environment(system, folder)
    own.install(*requirement(dist, "cli"))
    shutil.copytree(ROOT / "examples", folder / "examples")
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "HOME=/nonexistent"]
    command = [*user, own.python.parent / "prompt-manager", "list", "--dir", folder / "examples" / "prompts"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
    files = [path for path in dist.iterdir() if path.suffix == ".whl"]
    shutil.copy(files[0], folder)
    pip = [own.python, "-m", "pip", "install", "--no-deps", "--force-reinstall", folder / files[0].name]
    compare("The environment cannot be written", fail([*user, *pip]))


def check(found: dict[tuple[int, int], Path], dist: Path, *, short: bool) -> None:
    """Try all that can fail here; in the short form, what takes seconds."""
    (sdist,) = dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        index = make_index(dist, folder)
        newest = list(found.values())[-1]
        try_platforms(newest, index, folder)
        if old := [python for version, python in found.items() if OLDEST > version >= (3, 8)]:
            try_old_python(old[-1], index, folder)
        if not short:
            (folder / "failing").mkdir()
            own = Environment(newest, folder / "failing")
            try_without_rust(own, sdist)
            if OLDEST in found:
                (folder / "pip").mkdir()
                try_old_pip(Environment(found[OLDEST], folder / "pip"), index)
            (folder / "read-only").mkdir()
            folder.chmod(0o755)
            try_read_only(dist, folder / "read-only")
    print("docs/installation.md shows what pip prints", flush=True)
