"""Third-party packages with plugins, which pip installs outside the environment of the tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

WEATHER = """
from prompt_manager.plugins import BasePlugin


class WeatherPlugin(BasePlugin):
    def __init__(self):
        super().__init__(name="weather", version="2.1.0")

    async def render_for_framework(self, prompt, variables):
        text = await self.config["template_engine"].render(prompt.template.content, variables)
        return {"forecast": text}
"""
PACKAGES = {
    "weather": (WEATHER, {"weather": "weather:WeatherPlugin"}),
    "broken": ("import nothing_of_this_name\n", {"broken": "broken:Plugin"}),
    "leaving": ("raise SystemExit(3)\n", {"leaving": "leaving:Plugin"}),
    "classless": ("", {"classless": "classless:Plugin"}),
    "plain": ("class Plain:\n    name = 'plain'\n", {"plain": "plain:Plain"}),
    "nameless": (
        WEATHER + "\n    @property\n    def name(self):\n        raise LookupError('no name today')\n",
        {"nameless": "nameless:WeatherPlugin"},
    ),
    "speechless": (
        "class Speechless(Exception):\n    def __str__(self):\n        raise ValueError\n\n\nraise Speechless\n",
        {"speechless": "speechless:Plugin"},
    ),
    "checking": (
        WEATHER.replace('"weather"', '"checking"')
        + "\n    def check_available(self):\n        raise OSError('no disk')\n",
        {"checking": "checking:WeatherPlugin"},
    ),
    "named": (WEATHER.replace('"weather"', '"storm"'), {"named": "named:WeatherPlugin"}),
    "failing": (
        WEATHER.replace('"weather"', '"failing"')
        + "\n    async def _initialize_impl(self, config):\n        raise ValueError(config['template_engine'])\n",
        {"failing": "failing:WeatherPlugin"},
    ),
    "rival": (WEATHER.replace('"weather"', '"openai"'), {"openai": "rival:WeatherPlugin"}),
}
PYPROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}-prompts"
version = "1.0.0"
description = "A plugin"

[project.entry-points."prompt_manager.plugins"]
{entries}

[tool.flit.module]
name = "{name}"
"""


def install(folder, packages, root):
    """Build and install packages, given as the source of a module and its entry points by name."""
    for name, (text, entries) in packages.items():
        project = root / name
        project.mkdir()
        (project / f"{name}.py").write_text(f'"""A plugin."""\n{text}', encoding="utf-8")
        listed = "\n".join(f'{entry} = "{value}"' for entry, value in entries.items())
        (project / "pyproject.toml").write_text(PYPROJECT.format(name=name, entries=listed), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "--target", folder, *(root / name for name in packages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def installed_plugins(tmp_path_factory):
    """A folder with one working package and several broken ones."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder, PACKAGES, tmp_path_factory.mktemp("projects"))
    return folder
