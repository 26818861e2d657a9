"""Discovery of plugins in installed packages, some of which are broken."""

from __future__ import annotations

import json
import os

import pytest

from helpers import run_python

pytestmark = pytest.mark.integration

SETUP = """
import json, logging, sys, threading
from prompt_manager import Prompt, PromptManager
from prompt_manager.exceptions import *
records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append([record.name, record.levelname, record.getMessage()])
logging.getLogger().addHandler(Keep())
manager = PromptManager()
_ = manager.create_prompt_sync(Prompt(id="hi", format="text", template="Sun for {{name}}", status="active"))
"""


@pytest.fixture
def run(installed_plugins, monkeypatch):
    """A function that runs code in an interpreter with the packages, and returns the JSON that it prints."""
    monkeypatch.setenv("PYTHONPATH", str(installed_plugins))
    return lambda code: json.loads(run_python(SETUP + code))


def test_a_render_uses_a_plugin_of_an_installed_package(run):
    said = run("""
print(json.dumps(manager.render_for_plugin_sync("hi", {"name": "Ada"}, "weather")))
""")
    assert said == {"forecast": "Sun for Ada"}


def test_an_installed_plugin_is_listed_with_its_details(run):
    said = run("""
found = manager.discover_plugins()
print(json.dumps([found, [info for info in manager.plugins.list() if info.name == "weather"]]))
""")
    assert {"weather", "failing", "openai", "anthropic"} <= set(said[0])
    assert said[1] == [["weather", "2.1.0", "weather:WeatherPlugin", True, None, False]]


def test_a_plugin_whose_check_fails_is_listed_as_unavailable(run):
    said = run("""
manager.discover_plugins()
print(json.dumps([[info.is_available, info.reason] for info in manager.plugins.list() if info.name == "checking"]))
""")
    assert said == [[False, "OSError in its check_available"]]


def test_a_plugin_that_cannot_load_is_logged_once_with_a_hint(run):
    said = run("""
manager.discover_plugins()
first = len(records)
assert manager.discover_plugins() == []
PromptManager().discover_plugins()
assert len(records) == first
print(json.dumps(records))
""")
    assert {(name, level) for name, level, _ in said} == {("prompt_manager", "WARNING")}
    messages = sorted(message for _, _, message in said)
    expected = {
        "broken": ("ModuleNotFoundError: No module named 'nothing_of_this_name'", "uninstall broken-prompts"),
        "classless": ("AttributeError: module 'classless' has no attribute 'Plugin'", "fix or uninstall"),
        "leaving": ("SystemExit: 3", "fix or uninstall leaving-prompts"),
        "named": ("the name of the plugin is 'storm'", "the same name"),
        "nameless": ("LookupError: no name today", "fix or uninstall nameless-prompts"),
        "openai": ("already has this name", "registry.unregister('openai')"),
        "plain": ("`async def render_for_framework`", "derive it from prompt_manager.plugins.BasePlugin"),
        "speechless": ("(speechless:Plugin of speechless-prompts): Speechless;", "fix or uninstall"),
    }
    assert len(messages) == len(expected)
    for message, (name, (reason, remedy)) in zip(messages, sorted(expected.items()), strict=True):
        assert message.startswith(f"Failed to load plugin '{name}' ("), message
        assert reason in message
        assert remedy in message


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("broken", "PluginLoadError", "No module named 'nothing_of_this_name'"),
        ("plain", "PluginValidationError", "`version` as a non-empty string"),
        ("failing", "PluginLoadError", "Failed to initialize plugin 'failing'"),
        ("wether", "PluginNotFoundError", "no plugin is named 'wether': did you mean 'weather'?"),
        ("langchian", "PluginNotFoundError", "no plugin is named 'langchian'"),
    ],
)
def test_using_a_broken_plugin_is_an_error_with_the_reason(run, name, kind, said):
    found = run(f"""
try:
    manager.render_for_plugin_sync("hi", {{"name": "Ada"}}, {name!r})
except PluginError as error:
    print(json.dumps([type(error).__name__, str(error)]))
""")
    assert found[0] == kind
    assert said in found[1]


def test_a_failed_initialize_is_logged_once_without_its_config(run):
    found = run("""
manager.discover_plugins()
del records[:]
for _ in range(3):
    try:
        manager.render_for_plugin_sync("hi", {"name": "Ada"}, "failing")
    except PluginLoadError as error:
        cause = type(error.__cause__).__name__
good = manager.render_for_plugin_sync("hi", {"name": "Ada"}, "weather")
print(json.dumps([cause, good, records]))
""")
    assert found[:2] == ["ValueError", {"forecast": "Sun for Ada"}]
    ((_, level, message),) = found[2]
    assert level == "WARNING"
    assert "ValueError in its initialize" in message
    assert "TemplateEngine" not in message


def test_built_in_plugins_work_beside_broken_ones(run):
    said = run("""
print(json.dumps(manager.render_for_plugin_sync("hi", {"name": "Ada"}, "openai")))
""")
    assert said == "Sun for Ada"


def test_concurrent_discovery_finds_every_plugin_once(run):
    said = run("""
found, barrier = [], threading.Barrier(4)
def discover():
    barrier.wait()
    found.append(manager.discover_plugins())
threads = [threading.Thread(target=discover) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
messages = [message for _, _, message in records]
assert len(set(messages)) == len(messages)
print(json.dumps([sorted(sum(found, [])), manager.plugins.get_stats()]))
""")
    names, stats = said
    assert len(set(names)) == len(names) == stats["total_plugins"]
    assert {"weather", "openai"} <= set(names)
    failed = {"broken", "classless", "leaving", "named", "nameless", "plain", "speechless"}
    assert set(stats["failed_plugins"]) == failed


def test_concurrent_threads_initialize_a_plugin_once(run):
    said = run("""
import weather, time
times, barrier, results = [], threading.Barrier(4), []
async def slowly(self, config):
    times.append(1)
    time.sleep(0.05)
weather.WeatherPlugin._initialize_impl = slowly
def render():
    barrier.wait()
    results.append(manager.render_for_plugin_sync("hi", {"name": "Ada"}, "weather"))
threads = [threading.Thread(target=render) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps([len(times), len(results)]))
""")
    assert said == [1, 4]


def test_a_package_with_damaged_metadata_is_ignored(run, tmp_path, monkeypatch, installed_plugins):
    damaged = tmp_path / "damaged-1.0.dist-info"
    damaged.mkdir()
    (damaged / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
    (damaged / "entry_points.txt").write_text("[prompt_manager.plugins]\nodd = not an entry point!\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{installed_plugins}")
    said = run("""
print(json.dumps(manager.render_for_plugin_sync("hi", {"name": "Ada"}, "weather")))
""")
    assert said == {"forecast": "Sun for Ada"}
