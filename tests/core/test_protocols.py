"""The protocols that a custom engine or storage must satisfy."""

from __future__ import annotations

import pytest

from prompt_manager import TemplateEngine, VersionStore
from prompt_manager.core.protocols import (
    ObserverProtocol,
    PluginProtocol,
    StorageBackendProtocol,
    TemplateEngineProtocol,
    VersionStoreProtocol,
)
from prompt_manager.plugins.openai_plugin import OpenAIPlugin
from prompt_manager.storage import InMemoryStorage


class OwnEngine:
    async def render(self, template, variables, *, partials=None):
        raise NotImplementedError

    async def validate(self, template):
        raise NotImplementedError

    def extract_variables(self, template):
        raise NotImplementedError


class OwnStorage:
    async def save(self, prompt):
        raise NotImplementedError

    async def load(self, prompt_id, version=None):
        raise NotImplementedError

    async def delete(self, prompt_id, version=None):
        raise NotImplementedError

    async def list(self, *, tags=None, status=None):
        raise NotImplementedError

    async def exists(self, prompt_id, version=None):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("part", "protocol", "fits"),
    [
        (TemplateEngine(), TemplateEngineProtocol, True),
        (InMemoryStorage(), StorageBackendProtocol, True),
        (OwnEngine(), TemplateEngineProtocol, True),
        (OwnStorage(), StorageBackendProtocol, True),
        (VersionStore(), VersionStoreProtocol, True),
        (OpenAIPlugin(), PluginProtocol, True),
        (OwnEngine(), PluginProtocol, False),
        (OwnStorage(), VersionStoreProtocol, False),
        (object(), ObserverProtocol, False),
        (OwnEngine(), StorageBackendProtocol, False),
        (OwnStorage(), TemplateEngineProtocol, False),
        (object(), TemplateEngineProtocol, False),
        ({}, StorageBackendProtocol, False),
    ],
)
def test_isinstance_checks_the_protocols(part, protocol, fits):
    assert isinstance(part, protocol) is fits
