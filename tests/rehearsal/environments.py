"""Installs the package in new environments, away from the sources, and uses it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from packages import ROOT, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Environment", "check_core", "check_extras", "environment", "run_tests"]

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = PYPROJECT["name"]
EXTRAS = PYPROJECT["optional-dependencies"]
PLUGINS = sorted(PYPROJECT["entry-points"]["prompt_manager.plugins"])

#: What the tests read besides the package. `python` is left out, so that nothing is imported from there.
COPIED = (
    "tests",
    "examples",
    "docs",
    "src",
    ".github",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "action.yml",
    "Cargo.toml",
    "Makefile",
    "mkdocs.yml",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "RELEASING.md",
    "LICENSE",
)
#: Folders and files of tests that read the sources, and programs.
READ_SOURCES = (
    "tests/benchmarks",
    "tests/fuzz",
    "tests/integrations/benchmark",
    "tests/oracle",
    "tests/providers",
    "tests/rehearsal",
    "tests/rust",
    "tests/typing",
    "tests/test_distribution.py",
    "tests/test_publishing.py",
    "tests/test_structure.py",
)
#: The short form runs these tests: imports, the programs of the README, the examples, and what depends on how strings
#: are read, which differs between the wheel of the stable ABI and that of a version.
SHORT = (
    "tests/test_imports.py",
    "tests/test_readme.py",
    "tests/test_surrogates.py",
    "tests/examples",
    "tests/core/test_fence.py",
    "tests/core/test_nothing_vanishes.py",
    "tests/core/test_strings.py",
    "tests/core/test_surrogates.py",
    "tests/core/test_template.py",
    "tests/integrations/unit",
)

#: One process for each processor. The tests of a file stay together.
PROCESSES = ("-n", str(os.cpu_count() or 1), "--dist", "loadfile")

#: Imports every module of the package and of an extra's requirements, named in the arguments.
IMPORT_ALL = """
import importlib, importlib.metadata, pkgutil, re, sys
import prompt_manager
owners = importlib.metadata.packages_distributions()
for requirement in sys.argv[1:]:
    wanted = re.sub("[-_.]+", "-", re.match(r"[\\w.-]+", requirement)[0]).lower()
    tops = [top for top, names in owners.items() if wanted in {re.sub("[-_.]+", "-", name).lower() for name in names}]
    assert tops, f"{wanted} is not installed"
    for top in tops:
        importlib.import_module(top)
for module in pkgutil.walk_packages(prompt_manager.__path__, "prompt_manager."):
    if not module.name.endswith("__main__") and (sys.argv[1:] or not module.name.startswith("prompt_manager.cli")):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name.startswith("prompt_manager"):
                raise
print(prompt_manager.__file__)
"""


class Environment:
    """A virtual environment in a folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        subprocess.run([tool("uv"), "venv", "--quiet", "--seed", "--python", python, folder / "venv"], check=True)

    def install(self, *requirements: str | Path, pip: bool = False) -> None:
        """Install with uv, which is fast, or as most people do with the environment's own pip."""
        command = (
            [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            if pip
            # uv caches wheels by name and version, also those that were built before.
            else [tool("uv"), "pip", "install", "--quiet", "--refresh-package", NAME, "--python", self.python]
        )
        subprocess.run([*command, *requirements], cwd=self.folder, check=True)

    def install_for_tests(self, dist: Path) -> None:
        """Install the package with its command line, and what the tests need."""
        self.install("--group", f"{ROOT / 'pyproject.toml'}:test", *requirement(dist, "cli"))

    def run(self, *arguments: str | Path, program: str | Path | None = None, isolated: bool = True) -> str:
        """Run Python, or another program of the environment, in the folder, and return what it prints."""
        command = [program or self.python, *(["-I"] if isolated and not program else []), *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def environment(python: Path) -> Iterator[Environment]:
    """Make an environment for a block, and remove it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Environment(python, Path(folder).resolve())


def requirement(dist: Path, extra: str = "") -> list[str]:
    """Return the arguments that install the package from a folder, and its dependencies from the index."""
    version = next(dist.glob("*.tar.gz")).name.removesuffix(".tar.gz").rpartition("-")[2]
    name = f"{NAME}[{extra}]" if extra else NAME
    return ["--find-links", str(dist), "--only-binary", NAME, f"{name}=={version}"]


def check_core(python: Path, dist: Path) -> None:
    """Install the package without extras by pip, run the demo, and list the plugins."""
    with environment(python) as own:
        own.install(*requirement(dist), pip=True)
        home = own.run("-c", "import prompt_manager; print(prompt_manager.__file__)").strip()
        if not Path(home).is_relative_to(own.folder):
            raise SystemExit(f"the package comes from {home}, not from the wheel")
        demo = own.run(ROOT / "examples" / "demo.py").splitlines()
        plugins = own.run("-c", "from prompt_manager import PromptManager as M; print(*M().discover_plugins())").split()
        if plugins != PLUGINS:
            raise SystemExit(f"the installed package has the plugins {plugins}, not {PLUGINS}")
        hint = own.run(
            "-c", "import sys, prompt_manager.cli as cli; sys.stderr = sys.stdout; sys.exit(cli.main() != 1)"
        )
        if f"pip install {NAME}[cli]" not in hint:
            raise SystemExit(f"without its extra, the command does not print how to install it:\n{hint}")
        print(f"core: {len(demo)} lines of demo, plugins {', '.join(plugins)}", flush=True)


def check_extras(python: Path, dist: Path, *, short: bool) -> None:
    """Install each extra in an environment of its own, and import the extra and all modules of the package.

    The short form takes `cli` and `all`, which has the packages of every extra.
    """
    chosen = ("cli", "all") if short else tuple(EXTRAS)
    for extra in chosen:
        requirements = EXTRAS[extra]
        with environment(python) as own:
            own.install(*requirement(dist, extra))
            own.run("-c", IMPORT_ALL, *requirements)
            if extra == "cli":
                command = own.python.parent / "prompt-manager"
                own.run("list", "--dir", ROOT / "examples" / "prompts", program=command)
    print(f"extras: {', '.join(chosen)}", flush=True)


def run_tests(python: Path, dist: Path, *, short: bool) -> None:
    """Run the tests against the installed package."""
    with environment(python) as own:
        own.install_for_tests(dist)
        work = own.folder / "work"
        work.mkdir()
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, work / name)
        own.folder = work
        everything = ["tests", *(f"--ignore={name}" for name in READ_SOURCES)]
        pytest = ["-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        if short:
            # A test that reads a file which is not copied is noticed here, and not only before a release.
            own.run(*pytest, "--collect-only", *everything, isolated=False)
            shown = own.run(*pytest, *SHORT, isolated=False)
        else:
            shown = own.run(*pytest, *PROCESSES, *everything, isolated=False)
        print(f"tests: {shown.splitlines()[-1].strip('= ')}", flush=True)
