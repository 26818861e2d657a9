"""Tells an exception of a signal handler from one of the code that it interrupted."""

from __future__ import annotations

import functools
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, TracebackType

__all__ = ["is_from_signal_handler"]


def is_from_signal_handler(traceback: TracebackType | None) -> bool:
    """Whether an exception with this traceback was raised by a signal handler of the program."""
    if threading.current_thread() is not threading.main_thread():
        return False
    handlers = {_code(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    while handlers and traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _code(handler: object) -> CodeType | None:
    """The code that runs for a handler, or ``None`` if it is not written in Python."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    own = getattr(handler, "__code__", None)
    return own or getattr(getattr(type(handler), "__call__", None), "__code__", None)  # noqa: B004 - its code is read
