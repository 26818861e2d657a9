"""The registry of plugins, and loading plugins from modules. ``test_discovery.py`` tests installed packages."""

# ruff: noqa: ARG002 - the signatures are those of the protocol

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from helpers import SECRET
from prompt_manager import PromptManager
from prompt_manager.core._sync import AWAITING
from prompt_manager.exceptions import PluginLoadError, PluginNotFoundError, PluginValidationError
from prompt_manager.plugins import BasePlugin, PluginRegistry


class Echo(BasePlugin):
    def __init__(self, name="echo"):
        super().__init__(name=name, version="1.0.0")
        self.ended = 0

    async def render_for_framework(self, prompt, variables):
        return dict(variables)

    async def _shutdown_impl(self):
        self.ended += 1


class Own:
    """A plugin that does not derive from ``BasePlugin``."""

    name, version = "own", "3"

    async def initialize(self, config):
        self.config = config

    async def render_for_framework(self, prompt, variables):
        return dict(variables)

    async def validate_compatibility(self, prompt):
        return True

    async def shutdown(self):
        raise OSError(SECRET)


@pytest.fixture
def registry():
    return PluginRegistry()


@pytest.fixture
def module(monkeypatch):
    """An empty module that can be imported as ``some_plugins``."""
    made = ModuleType("some_plugins")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


class TestRegister:
    def test_a_registered_plugin_is_found_by_name(self, registry):
        echo, own = Echo(), Own()
        registry.register(echo)
        registry.register(own)
        assert registry.get("echo") is echo
        assert registry.get("own") is own
        assert "echo" in registry
        assert "else" not in registry
        assert (registry.has("echo"), registry.has("else")) == (True, False)

    def test_a_registered_name_cannot_be_registered_again(self, registry):
        first, second, third = Echo(), Echo(), Echo()
        registry.register(first)
        registry.register(first)
        with pytest.raises(PluginValidationError, match=r"a plugin 'echo' is already registered .*replace=True"):
            registry.register(second)
        registry.register(second, replace=True)
        assert registry.unregister("echo") is second
        registry.register(third)
        assert registry.get("echo") is third

    @pytest.mark.parametrize(
        ("plugin", "lacks"),
        [
            (object(), "`name`"),
            (Echo(name=""), "`name` as a non-empty string"),
            (Echo(name=5), "`name` as a non-empty string"),
            (Echo, "`async def initialize`|`name`"),
            (type("Plain", (Own,), {"render_for_framework": lambda *_: 1})(), "`async def render_for_framework`"),
            (type("Forgetful", (Echo,), {"__init__": lambda _: None})(), "call its __init__"),
        ],
    )
    def test_an_invalid_plugin_error_names_what_is_missing(self, registry, plugin, lacks):
        with pytest.raises(PluginValidationError, match=lacks):
            registry.register(plugin)
        assert registry.list() == []


class TestGet:
    def test_an_unknown_name_suggests_the_nearest_plugin(self, registry):
        with pytest.raises(PluginNotFoundError, match="no plugin is named 'ecco'; the registered plugins are: none"):
            registry.get("ecco")
        registry.register(Echo())
        registry.register(Own())
        with pytest.raises(PluginNotFoundError, match="no plugin is named 'ehco': did you mean 'echo'") as caught:
            registry.get("ehco")
        assert caught.value.context == {"plugin": "ehco", "nearest": "echo", "known": ["echo", "own"]}
        with pytest.raises(
            PluginNotFoundError, match="no plugin is named 'weather'; the registered plugins are: echo, own"
        ):
            registry.unregister("weather")

    @pytest.mark.parametrize("name", [{}, ["echo"], 3, None])
    def test_a_name_that_is_no_text_is_refused_by_its_type(self, registry, name):
        message = f"the plugin's name must be a str, not {type(name).__name__}"
        for call in (registry.get, registry.unregister):
            with pytest.raises(TypeError, match=f"^{message}$"):
                call(name)
        with pytest.raises(TypeError, match=f"^{message}$"):
            PromptManager().render_for_plugin_sync("greeting", {}, name)
        assert not registry.has(name)


class TestList:
    def test_list_describes_every_plugin_sorted_by_name(self, registry):
        registry.register(Own())
        registry.register(Echo())
        echo, own = registry.list()
        assert echo == ("echo", "1.0.0", f"{Echo.__module__}:Echo", True, None, False)
        assert (own.name, own.version, own.is_available, own.is_initialized) == ("own", "3", True, False)

    def test_stats_count_plugins(self, registry):
        registry.register(Echo())
        registry.get("echo").initialize_sync()
        registry.register(Own())
        assert registry.get_stats() == {
            "total_plugins": 2,
            "available_plugins": 2,
            "initialized_plugins": 1,
            "failed_plugins": {},
        }


class TestModule:
    def test_every_plugin_defined_in_a_module_is_registered(self, registry, module):
        module.Echo = type("Echo", (Echo,), {"__module__": module.__name__})
        module.Foreign = Own
        module.BasePlugin = BasePlugin
        assert registry.load_from_module("some_plugins") == ["echo"]
        assert type(registry.get("echo")) is module.Echo

    def test_a_module_attribute_can_be_class_factory_or_plugin(self, registry, module):
        module.Own = Own
        module.make = lambda: Echo("made")
        module.plugin = Echo("there")
        assert registry.load_from_module("some_plugins:Own") == ["own"]
        assert registry.load_from_module("some_plugins:make") == ["made"]
        assert registry.load_from_module("some_plugins:plugin") == ["there"]
        assert registry.get("there") is module.plugin

    def test_a_failed_import_is_an_error_with_the_reason(self, registry, module):
        with pytest.raises(PluginLoadError, match=r"'no_such_module'.*No module named 'no_such_module'") as caught:
            registry.load_from_module("no_such_module")
        assert isinstance(caught.value.__cause__, ModuleNotFoundError)
        with pytest.raises(PluginLoadError, match="has no attribute 'Nothing'"):
            registry.load_from_module("some_plugins:Nothing")
        module.Greedy = type("Greedy", (Echo,), {"__init__": lambda _self, _must: None})
        with pytest.raises(PluginLoadError, match="missing 1 required positional argument: '_must'"):
            registry.load_from_module("some_plugins:Greedy")

    @pytest.mark.usefixtures("module")
    def test_a_module_without_plugins_is_an_error(self, registry):
        with pytest.raises(PluginValidationError, match="'some_plugins' defines no class that derives from"):
            registry.load_from_module("some_plugins")


class TestShutdown:
    async def test_shutdown_all_ends_each_plugin_once_and_logs_failures(self, registry, caplog):
        echo, idle, own = Echo(), Echo("idle"), Own()
        for plugin in (own, echo, idle):
            registry.register(plugin)
        await registry._prepare(AWAITING, "own", {})
        await echo.initialize()
        await registry.shutdown_all()
        await registry.shutdown_all()
        assert (echo.ended, idle.ended) == (1, 0)
        (record,) = caplog.records
        assert record.getMessage().startswith("plugin 'own' (")
        assert "raised OSError when it was shut down" in record.getMessage()
        assert SECRET not in caplog.text
        assert not any(info.is_initialized for info in registry.list())

    def test_shutdown_all_has_a_sync_version(self, registry):
        echo = Echo()
        registry.register(echo)
        echo.initialize_sync()
        registry.shutdown_all_sync()
        assert echo.ended == 1
