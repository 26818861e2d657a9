"""Repeats the work of a command whenever the prompt files change."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_manager.cli.output import to_terminal, write_error, write_note, write_text
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_manager.core.manager import PromptManager

__all__ = ["repeat"]

#: The seconds between two looks. The manager itself follows the files.
_INTERVAL = 0.1


def repeat(manager: PromptManager, work: Callable[[], Any], write: Callable[[Any], None]) -> None:
    """Do the work now and after each reload of a manager that watches its directory, until Ctrl-C.

    A result is written if it is another than the last one.
    """
    # Errors of a reload are written here, not logged.
    logging.getLogger("prompt_manager").addHandler(logging.NullHandler())
    state = _state(manager)
    seen, last = None, _Outcome()
    with manager:
        while True:
            now = state()
            if now != seen:
                is_first, seen = seen is None, now
                outcome = _outcome(manager, work)
                if is_first or outcome != last:
                    if not is_first:
                        write_note(f"changed at {time.strftime('%H:%M:%S')}")
                    outcome.write(write)
                    last = outcome
            time.sleep(_INTERVAL)


def _state(manager: PromptManager) -> Callable[[], object]:
    """What changes with each reload: their number, or the errors of one that failed."""
    watch = manager._watch
    if watch is None:
        raise ValueError("the manager does not watch its directory")
    return lambda: (watch.reloads, [str(error) for error in manager.reload_errors])


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of the work, or what was wrong."""

    result: Any = None
    errors: tuple[str, ...] = ()

    def write(self, write: Callable[[Any], None]) -> None:
        for error in self.errors:
            write_error(error)
        if not self.errors:
            write(self.result)
            if isinstance(self.result, str) and not to_terminal():
                # On a terminal, a text ends in a line break already.
                write_text("\n")


def _outcome(manager: PromptManager, work: Callable[[], Any]) -> _Outcome:
    errors = manager.reload_errors
    if errors:
        here = f"{Path.cwd()}/"
        return _Outcome(
            errors=tuple(f"{error}\nThe last good prompts stay in use.".replace(here, "") for error in errors)
        )
    try:
        return _Outcome(work())
    except PromptManagerError as error:
        return _Outcome(errors=("\n".join([str(error), *getattr(error, "__notes__", ())]),))
