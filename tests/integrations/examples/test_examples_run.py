"""The examples of integrations: each can be imported, and prints what stands at its end, without a key or a network."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from helpers import EXAMPLES

# They show what the newest clients offer; old ones warn when they are imported.
pytestmark = [pytest.mark.integration, pytest.mark.newest]

FOLDER = EXAMPLES / "integrations"
NAMES = sorted(path.name for path in FOLDER.glob("*_example.py"))
HEADING = "# Expected output:\n#\n"


def expected_output(text):
    """What an example says at its end that it prints."""
    _, _, lines = text.partition(HEADING)
    return "".join(line.removeprefix("#").removeprefix(" ") for line in lines.splitlines(keepends=True))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_can_be_imported_and_does_nothing_by_that(name, capsys):
    spec = importlib.util.spec_from_file_location("example", FOLDER / name)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_what_it_says_that_it_prints(name, tmp_path):
    expected = expected_output((FOLDER / name).read_text(encoding="utf-8"))
    assert "POST /" in expected
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    done = subprocess.run(
        [sys.executable, FOLDER / name],
        # Not where the files are: an example finds its prompts wherever it is started.
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in keys},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_how_it_is_set_up_and_what_goes_wrong(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert f"python examples/integrations/{name}" in text
    assert "Setup::" in text
    assert "Pitfalls:" in text


def test_the_readme_tells_of_every_file():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.is_file() and path.name != "README.md":
            assert f"({path.name})" in readme, path.name
