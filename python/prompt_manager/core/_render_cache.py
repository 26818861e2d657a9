"""Renders through a cache. A cache that fails does not fail a render."""

from __future__ import annotations

from inspect import iscoroutinefunction

from prompt_manager._native import KeyedRender
from prompt_manager.core._parts import require_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core._observers import Observers
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.events import RenderEvent
    from prompt_manager.core.models import Prompt

__all__ = ["RenderCache"]

_METHODS = ("get", "set", "invalidate", "clear")


class RenderCache:
    """Looks texts up in a cache of the application before they are rendered.

    It is an observer too: when a prompt is changed or deleted, the cache is told to drop its texts. They would not be
    found again in any case, because the key has the content hash.

    Raises:
        TypeError: the cache lacks a method.
    """

    def __init__(self, cache: Any) -> None:
        require_methods(
            cache,
            "the cache",
            _METHODS,
            "prompt_manager.core.protocols.CacheProtocol, as prompt_manager.core.cache.MemoryCache has them",
        )
        self._cache = cache
        self._waits = iscoroutinefunction(cache.get) or iscoroutinefunction(cache.set)
        self._reported: set[str] = set()
        drop = self._drop_waiting if iscoroutinefunction(cache.invalidate) else self._drop
        self.on_prompt_updated = self.on_prompt_deleted = drop

    def _drop(self, prompt: Prompt) -> None:
        self._call("invalidate", f"prompt:{prompt.id}:*")

    async def _drop_waiting(self, prompt: Prompt) -> None:
        await self._wait_for("invalidate", self._call("invalidate", f"prompt:{prompt.id}:*"))

    def render_now(
        self, observers: Observers, compiled: CompiledPrompt, event: RenderEvent, variables: Any, **options: Any
    ) -> str:
        """The text of a prompt, for callers that do not await. They do not use a cache whose methods are coroutines."""
        keyed = KeyedRender(compiled, variables, **options)
        key = keyed.key
        if key is None:
            return keyed.render()
        if self._waits:
            self._warn_of_skipping()
            return keyed.render()
        found = self._text(self._call("get", key))
        event.cache_hit = found is not None
        observers.tell_now(_event_of(event), event.prompt_id, event.version, details=event)
        if found is not None:
            return found
        text = keyed.render()
        self._call("set", key, text)
        return text

    async def render(
        self,
        observers: Observers,
        mode: CallMode,
        compiled: CompiledPrompt,
        event: RenderEvent,
        variables: Any,
        **options: Any,
    ) -> str:
        """The text of a prompt. In a mode that awaits, it waits for the cache."""
        if mode.blocks:
            return self.render_now(observers, compiled, event, variables, **options)
        keyed = KeyedRender(compiled, variables, **options)
        key = keyed.key
        if key is None:
            return keyed.render()
        found = self._text(await self._wait_for("get", self._call("get", key)))
        event.cache_hit = found is not None
        await observers.tell(mode, _event_of(event), event.prompt_id, event.version, details=event)
        if found is not None:
            return found
        text = keyed.render()
        await self._wait_for("set", self._call("set", key, text))
        return text

    def _call(self, method: str, *arguments: str) -> Any:
        try:
            return getattr(self._cache, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - code of the application
            self._report(method, type(error).__name__)

    async def _wait_for(self, method: str, answer: Any) -> Any:
        if not hasattr(answer, "__await__"):
            return answer
        try:
            return await answer
        except Exception as error:  # noqa: BLE001 - code of the application
            self._report(method, type(error).__name__)

    def _text(self, found: Any) -> str | None:
        """What the cache has. The empty text is a text; anything but a text is a failure."""
        if found is None or type(found) is str:
            return found
        if hasattr(found, "close"):
            found.close()
        self._report("get", f"it returned {type(found).__name__}, and must return str or None")
        return None

    def _report(self, method: str, failure: str) -> None:
        """Log the first failure of a method, without the message of an exception, which may hold a text."""
        if method in self._reported:
            return
        self._reported.add(method)
        from logging import getLogger

        getLogger("prompt_manager").error(
            "the cache %s failed in `%s` (%s); renders go on without it, and this is not reported again",
            type(self._cache).__name__,
            method,
            failure,
        )

    def _warn_of_skipping(self) -> None:
        if "skipped" in self._reported:
            return
        self._reported.add("skipped")
        from warnings import warn

        from prompt_manager.core._caller import stack_level
        from prompt_manager.exceptions import PromptWarning

        message = (
            f"the methods of {type(self._cache).__name__} are coroutines, so synchronous renders do not use it: use "
            "`await manager.render(...)`"
        )
        warn(PromptWarning(message), stacklevel=stack_level())


def _event_of(event: RenderEvent) -> str:
    return "on_cache_hit" if event.cache_hit else "on_cache_miss"
