"""The name and the version of the distribution are each defined in one place."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

import prompt_manager
from helpers import DATA, ROOT
from prompt_manager import _native
from prompt_manager._distribution import DISTRIBUTION, install_command

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
SOURCES = sorted(
    path for folder in ("python", "src") for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".rs", ".pyi")
)


def test_the_distribution_name_comes_from_pyproject():
    assert PYPROJECT["project"]["name"] == _native.DISTRIBUTION == DISTRIBUTION


def test_the_version_comes_from_the_crate():
    assert str(Version(CARGO["package"]["version"])) == prompt_manager.__version__ == _native.__version__
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert "version" not in PYPROJECT["project"]


def test_the_installed_metadata_has_the_same_version():
    assert metadata.version(DISTRIBUTION) == prompt_manager.__version__


VERSIONS = json.loads((DATA / "python_versions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("cargo", "python"), [(cargo, python) for cargo, python in VERSIONS.items() if python])
def test_maturin_writes_the_version_that_the_package_reports(cargo, python, tmp_path):
    """``build.rs`` spells the version for ``__version__``; ``tests/rust/python_version.rs`` reads the same rows."""
    assert str(Version(cargo)) == python
    maturin = Path(sys.executable).parent / "maturin"
    if not maturin.exists():
        pytest.skip("maturin is not installed")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.rs").touch()
    (tmp_path / "Cargo.toml").write_text(
        f'[package]\nname = "probe"\nversion = "{cargo}"\nedition = "2024"\n[lib]\ncrate-type = ["cdylib"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n[project]\nname = "probe"\n'
        'dynamic = ["version"]\n[tool.maturin]\nbindings = "cffi"\n'
    )
    command = [maturin, "pep517", "write-dist-info", "--metadata-directory", "info", "--interpreter", sys.executable]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (found,) = (tmp_path / "info").glob("*.dist-info")
    assert found.name == f"probe-{python}.dist-info"


def test_the_install_command_names_distribution_and_extra():
    assert install_command("openai") == f"pip install {PYPROJECT['project']['name']}[openai]"


def test_every_extra_is_part_of_all():
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert {"openai", "anthropic", "langchain", "cli", "all"} <= set(extras)
    everything = set(extras["all"])
    for name, needs in extras.items():
        assert set(needs) <= everything, name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_hard_codes_the_install_command(path):
    """Only doctests may contain the command. All other code must use ``install_command``."""
    for line in path.read_text(encoding="utf-8").splitlines():
        spelt = re.search(rf"pip install \S*{DISTRIBUTION}", line)
        shown = line.strip().startswith(("'pip install", "LangChain integration not available"))
        assert not spelt or shown, line


def test_the_package_is_typed():
    assert (ROOT / "python" / "prompt_manager" / "py.typed").exists()


def test_the_license_is_included():
    assert PYPROJECT["project"]["license"] == "MIT"
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


INSTALLATION = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")


def test_the_installation_page_has_every_extra():
    rows = re.findall(r"^\| `(\w+)` \|", INSTALLATION, flags=re.MULTILINE)
    assert sorted(rows) == sorted(PYPROJECT["project"]["optional-dependencies"])


def test_the_installation_page_has_the_oldest_python_and_rust():
    oldest = PYPROJECT["project"]["requires-python"]
    assert f"not in '{oldest}'" in INSTALLATION
    classifiers = PYPROJECT["project"]["classifiers"]
    versions = re.findall(r"Python :: (3\.\d+)$", "\n".join(classifiers), flags=re.MULTILINE)
    assert versions[0] == oldest.removeprefix(">=")
    assert f"CPython {', '.join(versions[:-1])} and {versions[-1]} each have a wheel of their own" in INSTALLATION
    assert f"Rust {CARGO['package']['rust-version']} or later" in INSTALLATION


def test_a_wheel_is_built_for_each_version_of_python():
    wheels = (ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    classifiers = "\n".join(PYPROJECT["project"]["classifiers"])
    versions = re.findall(r"Python :: (3\.\d+)$", classifiers, flags=re.MULTILINE)
    assert f"--interpreter {' '.join(versions)} {versions[-1]}t\n" in wheels
    assert "--features abi3" in wheels


def test_a_wheel_is_built_for_each_processor_that_the_installation_page_names():
    wheels = (ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    built = re.findall(r"os: (ubuntu|macos|windows)\S*, target: (\w+)(?:, manylinux: \"?(2_28|musllinux))?", wheels)
    names = {"x86-64": "x86_64", "arm64": "aarch64"}
    systems = {
        "Linux with glibc": ("ubuntu", "2_28"),
        "Linux with musl (Alpine)": ("ubuntu", "musllinux"),
        "macOS": ("macos", ""),
        "Windows": ("windows", ""),
    }
    rows = re.findall(r"^\| ([\w ()]+) \| (x86-64, arm64) \|", INSTALLATION, flags=re.MULTILINE)
    named = {
        (systems[system][0], names[processor], systems[system][1])
        for system, processors in rows
        for processor in processors.split(", ")
    }
    assert named == set(built)


def requirements(lines):
    """Return the lower bound of each requirement by its name."""
    found = [re.match(r"([\w-]+)(?:\[\w+\])?[>=]=([\d.]+)", line) for line in lines]
    return {requirement[1]: requirement[2].rstrip(".") for requirement in found if requirement}


OLDEST = {
    name: (ROOT / "tests" / "integrations" / name).read_text(encoding="utf-8").splitlines()
    for name in ("oldest.in", "oldest.txt")
}
SDKS = [
    *PYPROJECT["project"]["dependencies"],
    *(
        need
        for name, needs in PYPROJECT["project"]["optional-dependencies"].items()
        if name not in ("all", "cli")
        for need in needs
    ),
]


@pytest.mark.parametrize(("name", "oldest"), requirements(SDKS).items())
def test_the_oldest_version_of_each_dependency_is_tested(name, oldest):
    """``make test-oldest`` installs ``oldest.txt``, which is made from ``oldest.in``."""
    assert requirements(OLDEST["oldest.in"])[name] == oldest
    pinned = requirements(OLDEST["oldest.txt"])[name]
    assert pinned == oldest or pinned.startswith(f"{oldest}.")


def test_observers_find_their_packages_in_any_installation():
    """Only the observers that use these packages import them; ``test_imports.py`` checks that."""
    assert {"opentelemetry-api", "pydantic", "structlog"} == set(requirements(PYPROJECT["project"]["dependencies"]))
