"""What every plugin gets from its base."""

from __future__ import annotations

import asyncio

import pytest

from helpers import create_text_prompt, run_python
from prompt_manager.core.protocols import PluginProtocol
from prompt_manager.exceptions import PluginError
from prompt_manager.plugins import BasePlugin


class Noting(BasePlugin):
    """A plugin whose coroutines really wait, and that notes what it is told."""

    def __init__(self):
        super().__init__(name="noting", version="1.2.3")
        self.told = []

    async def _initialize_impl(self, config):
        await asyncio.sleep(0)
        self.told.append(("initialize", dict(config)))

    async def render_for_framework(self, prompt, variables):
        self._ensure_initialized()
        await asyncio.sleep(0)
        return prompt.id, dict(variables)

    async def validate_compatibility(self, prompt):
        await asyncio.sleep(0)
        return prompt.format == "text"

    async def _shutdown_impl(self):
        await asyncio.sleep(0)
        self.told.append("shutdown")


class Least(BasePlugin):
    """A plugin with no more than it must have."""

    async def render_for_framework(self, prompt, variables):
        return prompt.id, dict(variables)


def test_a_plugin_is_what_the_protocol_asks_for():
    assert isinstance(Noting(), PluginProtocol)
    assert not isinstance(object(), PluginProtocol)


def test_a_plugin_knows_its_name_and_version():
    assert (Noting().name, Noting().version) == ("noting", "1.2.3")
    assert repr(Noting()) == "<Noting noting 1.2.3>"


async def test_a_plugin_is_used_between_initialize_and_shutdown():
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
    assert plugin.told == [("initialize", {"key": 1}), "shutdown"]


def test_every_coroutine_has_a_twin():
    plugin = Noting()
    prompt = create_text_prompt()
    plugin.initialize_sync({"key": 1})
    assert plugin.render_for_framework_sync(prompt, {"name": "Ada"}) == ("greeting", {"name": "Ada"})
    assert plugin.validate_compatibility_sync(prompt)
    plugin.shutdown_sync()
    assert plugin.told == [("initialize", {"key": 1}), "shutdown"]


async def test_a_twin_that_would_have_to_wait_in_a_running_loop_says_what_to_await():
    plugin = Noting()
    with pytest.raises(RuntimeError, match=r"use `await Noting\.initialize\("):
        plugin.initialize_sync()
    await plugin.initialize()
    with pytest.raises(RuntimeError, match=r"use `await Noting\.render_for_framework\("):
        plugin.render_for_framework_sync(create_text_prompt(), {})


async def test_what_a_plugin_leaves_to_its_base_never_waits():
    plugin = Least("least", "1")
    plugin.initialize_sync({"key": 1})
    assert plugin.validate_compatibility_sync(create_text_prompt())
    plugin.shutdown_sync()
    assert not plugin.is_initialized


async def test_a_plugin_whose_initialize_fails_is_not_initialized():
    class Failing(Least):
        async def _initialize_impl(self, config):  # noqa: ARG002
            raise ValueError

    plugin = Failing("failing", "1")
    with pytest.raises(ValueError):  # noqa: PT011 - the plugin's own
        await plugin.initialize({})
    assert not plugin.is_initialized


def test_the_configuration_cannot_be_changed_from_outside():
    given = {"key": 1}
    plugin = Least("least", "1")
    plugin.initialize_sync(given)
    given["key"] = 2
    assert plugin.config["key"] == 1
    with pytest.raises(TypeError):
        plugin.config["key"] = 3


def test_a_plugin_that_does_not_say_how_it_renders_cannot_be_made():
    class Nothing(BasePlugin):
        pass

    with pytest.raises(TypeError, match="render_for_framework"):
        Nothing("nothing", "1")


def test_the_base_needs_no_event_loop_to_be_imported():
    code = "import sys; import prompt_manager.plugins.base; print('asyncio' in sys.modules, 'logging' in sys.modules)"
    assert run_python(code) == "False False\n"
