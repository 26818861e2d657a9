"""The manager, the registry, the template engine, the models, and the protocols that custom components implement."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.core.manager import PromptManager
    from prompt_manager.core.registry import PromptRegistry
    from prompt_manager.core.template import ChatTemplateEngine, Template, TemplateEngine

__all__ = ["ChatTemplateEngine", "PromptManager", "PromptRegistry", "Template", "TemplateEngine"]

_MODULES = {
    "ChatTemplateEngine": "template",
    "PromptManager": "manager",
    "PromptRegistry": "registry",
    "Template": "template",
    "TemplateEngine": "template",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
