"""A view of rendered messages for notebooks and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["Messages"]

#: The most roles that the short description lists.
_ROLES = 6


class Messages:
    """Shows rendered messages as cards: ``Messages(manager.render_messages_sync("support", values))``.

    A render returns a plain list, which every provider takes. This view does not change it.

    >>> Messages([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])
    <Messages: system, user>
    """

    __slots__ = ("messages",)

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self.messages = messages

    def __repr__(self) -> str:
        roles = [str(message.get("role", "")) for message in self.messages]
        more = f" and {len(roles) - _ROLES} more" if len(roles) > _ROLES else ""
        return f"<Messages: {', '.join(roles[:_ROLES])}{more}>"

    def _repr_html_(self) -> str:
        from prompt_manager.display.html import messages_html

        return messages_html(self.messages)

    def __rich__(self) -> RenderableType:
        from prompt_manager.display.terminal import messages_rich

        return messages_rich(self.messages)
