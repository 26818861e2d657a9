"""The base class of plugins."""

from __future__ import annotations

import asyncio
from types import MappingProxyType

import pytest

from helpers import SECRET, create_text_prompt, run_python
from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.core.protocols import PluginProtocol
from prompt_manager.exceptions import IntegrationNotAvailableError, PluginError
from prompt_manager.plugins import BasePlugin, PluginRegistry


class Noting(BasePlugin):
    """A plugin whose coroutines wait, and that records its calls."""

    def __init__(self):
        super().__init__(name="noting", version="1.2.3")
        self.calls = []

    async def _initialize_impl(self, config):
        await asyncio.sleep(0)
        self.calls.append(("initialize", dict(config)))

    async def render_for_framework(self, prompt, variables):
        self._ensure_initialized()
        await asyncio.sleep(0)
        return prompt.id, dict(variables)

    async def validate_compatibility(self, prompt):
        await asyncio.sleep(0)
        return prompt.format == "text"

    async def _shutdown_impl(self):
        await asyncio.sleep(0)
        self.calls.append("shutdown")


class Least(BasePlugin):
    """A plugin that defines only what it must."""

    async def render_for_framework(self, prompt, variables):
        return prompt.id, dict(variables)


def test_a_plugin_implements_the_protocol():
    assert isinstance(Noting(), PluginProtocol)
    assert not isinstance(object(), PluginProtocol)


def test_a_plugin_has_a_name_and_a_version():
    assert (Noting().name, Noting().version) == ("noting", "1.2.3")
    assert repr(Noting()) == "<Noting noting 1.2.3>"


@pytest.mark.parametrize("config", ["key=1", 5, [("key", 1)], True, object()])
async def test_a_configuration_is_a_mapping(config):
    plugin = Noting()
    with pytest.raises(TypeError, match="a plugin must be a mapping of its options, not "):
        await plugin.initialize(config)
    with pytest.raises(TypeError, match="a plugin must be a mapping of its options, not "):
        PluginRegistry().register(plugin, config=config)
    await plugin.initialize(MappingProxyType({"key": 1}))
    assert plugin.get_config() == {"key": 1}


async def test_a_plugin_works_between_initialize_and_shutdown():
    plugin = Noting()
    prompt = create_text_prompt()
    assert not plugin.is_initialized
    with pytest.raises(PluginError, match="plugin 'noting' is not initialized: await its initialize"):
        await plugin.render_for_framework(prompt, {})
    await plugin.initialize({"key": 1})
    assert plugin.is_initialized
    assert plugin.config["key"] == 1
    assert await plugin.render_for_framework(prompt, {"name": "Ada"}) == ("greeting", {"name": "Ada"})
    assert await plugin.validate_compatibility(prompt)
    await plugin.shutdown()
    await plugin.shutdown()
    with pytest.raises(PluginError, match="not initialized"):
        await plugin.render_for_framework(prompt, {})
    assert plugin.calls == [("initialize", {"key": 1}), "shutdown"]


def test_every_coroutine_has_a_sync_version():
    plugin = Noting()
    prompt = create_text_prompt()
    plugin.initialize_sync({"key": 1})
    assert plugin.render_for_framework_sync(prompt, {"name": "Ada"}) == ("greeting", {"name": "Ada"})
    assert plugin.validate_compatibility_sync(prompt)
    plugin.shutdown_sync()
    assert plugin.calls == [("initialize", {"key": 1}), "shutdown"]


async def test_sync_in_a_running_loop_is_an_error_that_names_await():
    plugin = Noting()
    with pytest.raises(RuntimeError, match=r"use `await Noting\.initialize\("):
        plugin.initialize_sync()
    await plugin.initialize()
    with pytest.raises(RuntimeError, match=r"use `await Noting\.render_for_framework\("):
        plugin.render_for_framework_sync(create_text_prompt(), {})


async def test_methods_of_the_base_class_work_sync_in_a_loop():
    plugin = Least("least", "1")
    plugin.initialize_sync({"key": 1})
    assert plugin.validate_compatibility_sync(create_text_prompt())
    plugin.shutdown_sync()
    assert not plugin.is_initialized


async def test_a_plugin_whose_initialize_fails_is_not_initialized():
    class Failing(Least):
        async def _initialize_impl(self, config):  # noqa: ARG002
            raise ValueError(SECRET)

    plugin = Failing("failing", "1")
    with pytest.raises(PluginError, match=r"Failed to initialize plugin 'failing' .*: ValueError in") as caught:
        await plugin.initialize({})
    assert isinstance(caught.value.__cause__, ValueError)
    assert SECRET not in str(caught.value)
    assert not plugin.is_initialized


async def test_an_error_of_the_package_in_initialize_stays_as_it_is():
    class Failing(Least):
        async def _initialize_impl(self, config):  # noqa: ARG002
            raise IntegrationNotAvailableError("Weather")

    with pytest.raises(IntegrationNotAvailableError, match=rf"{DISTRIBUTION}\[weather\]"):
        await Failing("failing", "1").initialize({})


def test_get_config_is_a_copy_of_the_configuration():
    plugin = Least("least", "1")
    assert plugin.get_config() == {}
    plugin.initialize_sync({"key": 1})
    plugin.get_config()["key"] = 2
    assert plugin.get_config() == {"key": 1}


def test_the_configuration_is_read_only():
    given = {"key": 1}
    plugin = Least("least", "1")
    plugin.initialize_sync(given)
    given["key"] = 2
    assert plugin.config["key"] == 1
    with pytest.raises(TypeError):
        plugin.config["key"] = 3


def test_a_plugin_must_define_render_for_framework():
    class Nothing(BasePlugin):
        pass

    with pytest.raises(TypeError, match="render_for_framework"):
        Nothing("nothing", "1")


def test_importing_the_base_class_does_not_load_asyncio():
    code = "import sys; import prompt_manager.plugins.base; print('asyncio' in sys.modules, 'logging' in sys.modules)"
    assert run_python(code) == "False False\n"
