"""The examples of integrations: each can be imported, and prints its expected output without a key or a network."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from helpers import EXAMPLES
from prompt_manager._distribution import DISTRIBUTION

# The examples need the newest clients. Old ones warn when they are imported.
pytestmark = [pytest.mark.integration, pytest.mark.newest]

FOLDER = EXAMPLES / "integrations"
NAMES = sorted(path.name for path in FOLDER.glob("*_example.py"))
HEADING = "# Expected output:\n#\n"


def expected_output(text):
    """Return the expected output at the end of an example."""
    _, _, lines = text.partition(HEADING)
    return "".join(line.removeprefix("#").removeprefix(" ") for line in lines.splitlines(keepends=True))


@pytest.mark.parametrize("name", NAMES)
def test_importing_an_example_does_nothing(name, capsys):
    spec = importlib.util.spec_from_file_location("example", FOLDER / name)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_its_expected_output(name, tmp_path):
    expected = expected_output((FOLDER / name).read_text(encoding="utf-8"))
    assert "POST /" in expected
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "AWS_ACCESS_KEY_ID")
    done = subprocess.run(
        [sys.executable, FOLDER / name],
        # In another directory, because an example must find its prompts from any directory.
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in keys},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_an_example_explains_setup_and_common_problems(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert f"python examples/integrations/{name}" in text
    assert re.search(rf'^Setup::\n\n    pip install "?{DISTRIBUTION}', text, flags=re.MULTILINE)
    pitfalls = text.partition("Pitfalls:\n\n")[2].partition('"""')[0]
    assert pitfalls.count("\n- ") + pitfalls.startswith("- ") >= 3
    assert expected_output(text).strip()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_takes_keys_from_the_environment_only(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    for given in re.findall(r"api_key=([^,)]+)", text):
        if not given.startswith("os.getenv("):
            assert re.search(rf'^{given} = os\.getenv\("\w+_API_KEY", "none"\)$', text, flags=re.MULTILINE), given


def test_the_readme_lists_every_example():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.is_file() and path.name != "README.md":
            assert f"({path.name})" in readme, path.name
