"""A manager with the prompts that these tests render."""

from __future__ import annotations

import pytest

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.observability import Observer


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.registry.register_sync(create_text_prompt(status="active"))
    manager.registry.register_sync(create_chat_prompt(status="active", settings={"model": "gpt-5", "max_tokens": 100}))
    return manager


class Recording(Observer):
    """Keeps each render event as its name, the prompt, the operation and the target."""

    def __init__(self):
        self.events = []
        self.details = []

    def _note(self, name, event):
        self.events.append((name, event.prompt_id, event.operation, event.target))
        self.details.append(event)

    def on_render_start(self, prompt_id, version, variables, *, event):
        assert (prompt_id, version) == (event.prompt_id, event.version)
        self._note("start", event)

    def on_render_complete(self, prompt_id, version, execution, *, event):
        assert execution.execution_id == event.execution_id
        assert (execution.target, execution.cache_hit) == (event.target, event.cache_hit)
        self._note("complete", event)

    def on_render_error(self, prompt_id, version, error, *, event):
        self._note(type(error).__name__, event)


@pytest.fixture
def recording(manager):
    recording = Recording()
    manager.add_observer(recording)
    return recording
