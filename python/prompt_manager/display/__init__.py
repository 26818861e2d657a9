"""How prompts, templates, rendered messages, diffs and findings look in notebooks and in terminals.

A notebook calls ``_repr_html_`` of an object, and rich its ``__rich__``. Neither is imported before that. Rendered
messages are plain lists; :class:`Messages` shows them.

>>> print(Messages([{"role": "user", "content": "Hi"}]))
<Messages: user>
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.display.html import diff_html, finding_html, messages_html, prompt_html, template_html
    from prompt_manager.display.messages import Messages
    from prompt_manager.display.terminal import diff_rich, finding_rich, messages_rich, prompt_rich, template_rich

__all__ = [
    "Messages",
    "diff_html",
    "diff_rich",
    "finding_html",
    "finding_rich",
    "messages_html",
    "messages_rich",
    "prompt_html",
    "prompt_rich",
    "template_html",
    "template_rich",
]

_MODULES = {"Messages": "messages"} | {
    f"{name}_{kind}": module
    for kind, module in (("html", "html"), ("rich", "terminal"))
    for name in ("diff", "finding", "messages", "prompt", "template")
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
