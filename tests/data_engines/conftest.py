"""A renderer, and rows with what it makes of them."""

from __future__ import annotations

import pytest

from prompt_manager import Prompt, PromptManager

#: Enough rows for several partitions.
NAMES = [f"N{number}" for number in range(2_000)]
TEXTS = [f"Hello {name}!" for name in NAMES]


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="greeting", template="Hello {{name}}!"))
    return manager


@pytest.fixture
def greet(manager):
    return manager.batch("greeting", to="text", threads=1)
