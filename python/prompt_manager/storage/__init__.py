"""Where prompts are kept."""

from prompt_manager.storage.memory import InMemoryStorage

__all__ = ["InMemoryStorage"]
