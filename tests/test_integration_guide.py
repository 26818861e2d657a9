"""The guide to integrations, followed to the letter: its files are written, its commands run, their output compared."""

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
    """What the guide has a reader do, in order: write a file, or run a command and see its output."""
    for language, title, text in BLOCK.findall(GUIDE):
        if title:
            yield "file", title, text
        elif language == "console":
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, flags=re.MULTILINE):
                yield "command", command, output


def script():
    """The steps as one script of the shell, which marks where the output of each begins."""
    lines = ["set -e"]
    for number, (kind, what, text) in enumerate(steps()):
        lines.append(f"echo '{MARK.format(number)}'")
        if kind == "file":
            lines.append(f"cat > {what} <<'END OF FILE'\n{text}END OF FILE")
        else:
            lines.append(what)
            if " -m venv " in what:
                # The package that is being tested is what is installed there.
                tested = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
                lines.append(
                    f'for site in .venv/lib/python*/site-packages; do echo "{tested}" > $site/tested.pth; done'
                )
    return "\n".join(lines) + "\n"


def said(text):
    """Output without what differs from run to run."""
    return re.sub(r"in \d+\.\d+s", "in ...s", text).strip()


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each step printed."""
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
    return [said(output) for output in found]


def test_every_command_does_what_the_guide_says(outputs):
    printed = [said(text) if kind == "command" else "" for kind, _, text in steps()]
    assert outputs == printed


def test_the_guide_installs_its_package_and_runs_a_program():
    commands = [what for kind, what, _ in steps() if kind == "command"]
    assert "pip install --quiet ." in commands
    assert "python program.py" in commands
    assert len([kind for kind, _, _ in steps() if kind == "file"]) >= 6
