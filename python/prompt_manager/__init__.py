"""LLM prompts as files: checked before they run, versioned, rendered fast, and converted to each provider's requests.

Public names are loaded on first use, which keeps ``import prompt_manager`` fast.

>>> from prompt_manager import TemplateEngine
>>> TemplateEngine().render_sync("Hello {{name}}!", {"name": "Ada"})
'Hello Ada!'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager._native import Finding
    from prompt_manager._native import __version__ as __version__
    from prompt_manager.core.manager import PromptManager
    from prompt_manager.core.models import Prompt, PromptMetadata, PromptVersion
    from prompt_manager.core.registry import PromptRegistry
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.exceptions import (
        PromptError,
        PromptManagerError,
        PromptNotFoundError,
        PromptValidationError,
        PromptWarning,
        TemplateError,
    )
    from prompt_manager.versioning.store import VersionStore

__all__ = [
    "Finding",
    "Prompt",
    "PromptError",
    "PromptManager",
    "PromptManagerError",
    "PromptMetadata",
    "PromptNotFoundError",
    "PromptRegistry",
    "PromptValidationError",
    "PromptVersion",
    "PromptWarning",
    "TemplateEngine",
    "TemplateError",
    "VersionStore",
    "__version__",
]

_MODULES = {
    "Finding": "_native",
    "Prompt": "core.models",
    "PromptError": "exceptions",
    "PromptManager": "core.manager",
    "PromptManagerError": "exceptions",
    "PromptMetadata": "core.models",
    "PromptNotFoundError": "exceptions",
    "PromptRegistry": "core.registry",
    "PromptValidationError": "exceptions",
    "PromptVersion": "core.models",
    "PromptWarning": "exceptions",
    "TemplateEngine": "core.template",
    "TemplateError": "exceptions",
    "VersionStore": "versioning.store",
    "__version__": "_native",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
