"""Checks the sdist and the wheel that ``make build`` wrote to ``dist/``.

The crate must build from the sdist alone. The wheel must hold the files of the package, the extension, the license and
its metadata, and nothing else. It is installed in a new environment of each Python from 3.11 on, and must run the demo.
The interpreters are those of pyenv, or those on the path. The demo runs in an empty directory, so that it imports the
installed package.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
OLDEST = (3, 11)

PROBE = "import sys; print(*sys.version_info[:2], sys.implementation.name)"


def candidates() -> list[Path]:
    """Return the interpreters that are installed."""
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = Path(subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip())
        return sorted(root.glob("versions/*/bin/python"))
    names = [f"python3.{minor}" for minor in range(OLDEST[1], 20)]
    return [Path(found) for name in names if (found := shutil.which(name))] or [Path(sys.executable)]


def interpreters() -> dict[str, Path]:
    """Return one interpreter for each version that the package supports."""
    found: dict[str, Path] = {}
    for path in candidates():
        probe = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
        if probe.returncode:
            continue
        major, minor, implementation = probe.stdout.split()
        if implementation == "cpython" and (int(major), int(minor)) >= OLDEST:
            found[f"{major}.{minor}"] = path
    return found


def check_contents(wheel: Path) -> None:
    """Check that the wheel has all it needs and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = ROOT / "python"
    package = {
        path.relative_to(source).as_posix()
        for path in (source / "prompt_manager").rglob("*")
        if path.suffix in {".py", ".pyi"} or path.name == "py.typed"
    }
    extensions = {name for name in names if re.fullmatch(r"prompt_manager/_native\.[\w.-]*(so|pyd)", name)}
    own = re.compile(
        r"prompt_manager-[^/]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE|sboms/[^/]+)"
    )
    metadata = {name for name in names if own.fullmatch(name)}
    licenses = {name for name in metadata if name.endswith("licenses/LICENSE")}
    if missing := package - names:
        raise SystemExit(f"the wheel lacks {sorted(missing)}")
    if surplus := names - package - extensions - metadata:
        raise SystemExit(f"the wheel has files that do not belong there: {sorted(surplus)}")
    if (len(extensions), len(licenses)) != (1, 1):
        raise SystemExit(f"the wheel has {len(extensions)} extensions and {len(licenses)} licenses, not one of each")
    print(f"{wheel.name}: {len(names)} files", flush=True)


def check(python: Path, wheel: Path, folder: Path) -> None:
    """Install the wheel in a new environment in a folder, and run the demo."""
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    own = folder / "venv" / "bin" / "python"
    install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[cli]"]
    subprocess.run(install, check=True)
    demo = subprocess.run(
        [own, "-I", ROOT / "examples" / "demo.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    where = [own, "-I", "-c", "import prompt_manager; print(prompt_manager.__file__)"]
    home = subprocess.run(where, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(home).is_relative_to(folder.resolve()):
        raise SystemExit(f"the demo used {home}, not the wheel")
    command = folder / "venv" / "bin" / "prompt-manager"
    listed = subprocess.run(
        [command, "list", "--dir", ROOT / "examples" / "prompts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    plugins = [own, "-I", "-c", "from prompt_manager import PromptManager; print(*PromptManager().discover_plugins())"]
    found = subprocess.run(plugins, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    if found != ["anthropic", "langchain", "litellm", "openai"]:
        raise SystemExit(f"the wheel has the plugins {found}")
    print(
        f"{len(demo.stdout.splitlines())} lines of demo, {len(listed.stdout.splitlines())} lines of list",
        flush=True,
    )


def check_sdist(folder: Path) -> None:
    """Check that the crate builds from the sdist alone."""
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (crate,) = folder.iterdir()
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "sdist")}
    subprocess.run(["cargo", "check", "--quiet", "--locked"], cwd=crate, env=environment, check=True)
    print(f"sdist: the crate of {sdist.name} builds", flush=True)


def main() -> int:
    """Check the sdist, and the wheel with every interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        check_sdist(Path(folder))
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        print(f"dist/ must contain one wheel, but it contains {len(wheels)}: run `make build`", file=sys.stderr)
        return 1
    check_contents(wheels[0])
    found = interpreters()
    for version, python in found.items():
        print(f"Python {version}: ", end="", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            check(python, wheels[0], Path(folder))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
