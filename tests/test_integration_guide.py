"""Follows the integration guide: writes its files, runs its commands, and compares their output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig

import pytest

from helpers import ROOT

GUIDE = (ROOT / "docs" / "INTEGRATION_GUIDE.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
MARK = "== {} =="


def steps():
    """Iterate over the steps of the guide: files to write, and commands to run with their output."""
    for language, title, text in BLOCK.findall(GUIDE):
        if title:
            yield "file", title, text
        elif language == "console":
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, flags=re.MULTILINE):
                yield "command", command, output


def script():
    """Return the steps as one shell script, which prints a mark before the output of each."""
    lines = ["set -e"]
    for number, (kind, what, text) in enumerate(steps()):
        lines.append(f"echo '{MARK.format(number)}'")
        if kind == "file":
            lines.append(f"cat > {what} <<'END OF FILE'\n{text}END OF FILE")
        else:
            lines.append(what)
            if " -m venv " in what:
                # Make the package under test available in the new environment.
                tested = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
                lines.append(
                    f'for site in .venv/lib/python*/site-packages; do echo "{tested}" > $site/tested.pth; done'
                )
    return "\n".join(lines) + "\n"


def normalized(text):
    """Replace the parts of an output that differ between runs."""
    return re.sub(r"in \d+\.\d+s", "in ...s", text).strip()


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The output of each step."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    path = os.pathsep.join([os.path.dirname(sys.executable), environment.get("PATH", "")])  # noqa: PTH120 - a text
    done = subprocess.run(
        ["bash", "-s"],
        input=script(),
        cwd=tmp_path_factory.mktemp("guide"),
        env={**environment, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = re.split(r"^== \d+ ==\n", done.stdout, flags=re.MULTILINE)[1:]
    return [normalized(output) for output in found]


def test_every_command_prints_what_the_guide_shows(outputs):
    printed = [normalized(text) if kind == "command" else "" for kind, _, text in steps()]
    assert outputs == printed


def test_the_guide_installs_a_package_and_runs_a_program():
    commands = [what for kind, what, _ in steps() if kind == "command"]
    assert "pip install --quiet ." in commands
    assert "python program.py" in commands
    assert len([kind for kind, _, _ in steps() if kind == "file"]) >= 6
