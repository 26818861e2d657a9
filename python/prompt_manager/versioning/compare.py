"""Compares two prompts."""

from __future__ import annotations

from prompt_manager import _native
from prompt_manager.core.template import TemplateEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt, PromptDiff

__all__ = ["diff"]


def diff(old: Prompt, new: Prompt) -> PromptDiff:
    """Compare two prompts, and return their differences and the version bump that these require.

    Raises:
        TemplateSyntaxError: a template of either prompt cannot be parsed.

    >>> from prompt_manager import Prompt
    >>> old = Prompt(id="greeting", format="text", template="Hello {{name}}!")
    >>> found = diff(old, old.replace(version="2.0.0", template="Hello {{name}}, {{mood}} day!"))
    >>> found.bump, found.reasons
    ('major', ('variable `mood` was added and is required',))
    """
    engine = TemplateEngine()
    return of_compiled(old._compiled(engine), new._compiled(engine))


def of_compiled(old: CompiledPrompt, new: CompiledPrompt) -> PromptDiff:
    """Compare two prompts of the core; see :func:`diff`."""
    from prompt_manager.core.models import PromptDiff

    return PromptDiff.model_validate(_native.diff(old, new))
