"""`LoggingObserver`: renders and changes as log events."""

from __future__ import annotations

from logging import ERROR, INFO, getLevelNamesMapping, getLogger
from typing import TYPE_CHECKING, Any

from prompt_manager._native import loggable
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.observability.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from prompt_manager.core.events import BatchEvent, ReloadEvent, RenderEvent
    from prompt_manager.core.models import LabelMove, Prompt, PromptExecution, PromptVersion

    #: The names of variables whose values are hidden, or a function that returns what is logged for a name and value.
    Redaction = Collection[str] | Callable[[str, Any], Any]

__all__ = ["LoggingObserver"]

#: The name of the logger.
NAME = "prompt_manager"


class LoggingObserver(Observer):
    """Logs renders and changes with structlog, as events with fields.

    ``render_start``, ``render_complete``, ``version_created``, ``label_moved``, ``prompt_updated``, ``prompt_deleted``,
    ``batch_complete`` and ``reload`` are logged at level INFO. ``render_error`` and a reload with errors are logged at
    level ERROR.

    If your program configures structlog, its configuration applies. If it does not, but configures the standard
    library's ``logging``, the events go to the logger ``prompt_manager``: the message has the fields, and each record
    has them as attributes too. If it configures neither, structlog prints them.

    Args:
        log_level: Nothing below this level is logged, and an event that is not logged costs nothing.
        log_variables: Log the values of variables in ``render_start``, not only their names.
        redact: With ``log_variables``, the names whose values are hidden, at any depth, in any case; or a function of
            name and value that returns what is logged. It is called for every name at any depth.

    Values are logged as dicts, lists and scalars, with the fields that a template can read: of pydantic models,
    dataclasses, named tuples and so on. Any other object, and an iterator, is logged as the name of its type. What is
    beyond 10,000 members, 20 levels or a million characters is logged as ``…``.

    Raises:
        ValueError: there is no such level.

    >>> from prompt_manager import PromptManager
    >>> manager = PromptManager(observers=[LoggingObserver(log_level="WARNING")])
    """

    def __init__(
        self, log_level: str = "INFO", *, log_variables: bool = False, redact: Redaction | None = None
    ) -> None:
        level = getLevelNamesMapping().get(str(log_level).upper())
        if level is None:
            raise ValueError(f"log_level must be a level of logging, such as 'INFO', not {log_level!r}")
        if isinstance(redact, str):
            raise TypeError("redact must be a collection of names or a function, not a single string")
        self._level = level
        self._log_variables = log_variables
        self._redact = redact if callable(redact) else None
        self._hidden = set() if callable(redact) else {name.casefold() for name in redact or ()}
        for event in (*(_AT_INFO if level > INFO else ()), *(_AT_ERROR if level > ERROR else ())):
            # The base class' method, which is never called.
            setattr(self, event, getattr(Observer, event))

    def on_render_start(
        self, prompt_id: str, version: str, variables: Mapping[str, Any], *, event: RenderEvent
    ) -> None:
        """Log ``render_start``."""
        names: list[str] | dict[str, Any] = list(variables)
        if self._log_variables:
            names = loggable(variables, self._hidden, self._redact)
        self._log(INFO, "render_start", {**_render(event), "variable_count": len(variables), "variables": names})

    def on_render_complete(
        self, prompt_id: str, version: str, execution: PromptExecution, *, event: RenderEvent
    ) -> None:
        """Log ``render_complete``."""
        fields = {
            **_render(event),
            "execution_id": str(execution.execution_id),
            "duration_ms": execution.duration_ms,
            "success": execution.success,
            "content_length": len(execution.rendered_content),
        }
        self._log(INFO, "render_complete", {**fields, "cache_hit": True} if event.cache_hit else fields)

    def on_render_error(self, prompt_id: str, version: str, error: BaseException, *, event: RenderEvent) -> None:
        """Log ``render_error``. The message of another package's exception may hold values, so it is left out."""
        fields = {**_render(event), "execution_id": str(event.execution_id), "error_type": type(error).__name__}
        if isinstance(error, PromptManagerError):
            fields["error_message"] = error.message
        elif self._log_variables:
            fields["error_message"] = str(error)
        self._log(ERROR, "render_error", fields)

    def on_batch_complete(self, batch: BatchEvent) -> None:
        """Log ``batch_complete``."""
        names = ("prompt_id", "version", "target", "rows", "errors", "duration_ms")
        self._log(INFO, "batch_complete", {name: getattr(batch, name) for name in names})

    def on_version_created(self, version: PromptVersion) -> None:
        """Log ``version_created``."""
        self._log(
            INFO,
            "version_created",
            {
                "prompt_id": version.prompt.id,
                "version": version.version,
                "parent_version": version.parent_version,
                "created_by": version.created_by,
                "has_changelog": bool(version.changelog),
            },
        )

    def on_prompt_updated(self, prompt: Prompt) -> None:
        """Log ``prompt_updated``."""
        fields = {"prompt_id": prompt.id, "version": prompt.version, "status": prompt.status.value}
        self._log(INFO, "prompt_updated", fields)

    def on_prompt_deleted(self, prompt: Prompt) -> None:
        """Log ``prompt_deleted``."""
        self._log(INFO, "prompt_deleted", {"prompt_id": prompt.id, "version": prompt.version})

    def on_label_moved(self, prompt_id: str, move: LabelMove) -> None:
        """Log ``label_moved``."""
        fields = {name: getattr(move, name) for name in ("label", "version", "previous", "author")}
        self._log(INFO, "label_moved", {"prompt_id": prompt_id, **fields})

    def on_reload(self, reload: ReloadEvent) -> None:
        """Log ``reload``."""
        fields: dict[str, Any] = {"source": reload.source, "prompts": reload.prompts, "errors": len(reload.errors)}
        if reload.success:
            self._log(INFO, "reload", fields)
        else:
            self._log(ERROR, "reload", {**fields, "error_message": reload.errors[0].message})

    def _log(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if level < self._level:
            return
        import structlog

        logger = getLogger(NAME)
        if structlog.is_configured() or not logger.hasHandlers():
            (structlog.get_logger(NAME).error if level == ERROR else structlog.get_logger(NAME).info)(event, **fields)
        elif logger.isEnabledFor(level):
            text = " ".join([event, *(f"{name}={value!r}" for name, value in fields.items())])
            logger.log(level, "%s", text, extra={"event": event, **fields})


#: The methods that only log at INFO.
_AT_INFO = (
    "on_render_start",
    "on_render_complete",
    "on_batch_complete",
    "on_version_created",
    "on_prompt_updated",
    "on_prompt_deleted",
    "on_label_moved",
)


#: The methods that may log at ERROR.
_AT_ERROR = ("on_render_error", "on_reload")


def _render(event: RenderEvent) -> dict[str, Any]:
    fields = {"prompt_id": event.prompt_id, "version": event.version, "target": event.target}
    return fields if event.label is None else {**fields, "label": event.label}
