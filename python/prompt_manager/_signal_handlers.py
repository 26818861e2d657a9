"""Tells an exception of a signal handler from one of the code that it interrupted."""

from __future__ import annotations

import functools
import threading

# `signal.getsignal` makes an enum member of each answer, which takes thirty times as long.
from _signal import NSIG, getsignal  # type: ignore[import-not-found]
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, TracebackType

__all__ = ["is_from_signal_handler"]


def is_from_signal_handler(traceback: TracebackType | None) -> bool:
    """Whether an exception with this traceback was raised by a signal handler of the program."""
    if traceback is None or threading.get_ident() != threading.main_thread().ident:
        return False
    # `SIG_DFL` is not callable. Its class has a `__call__`, which is that of every enum.
    handlers = {_code(handler) for number in range(1, NSIG) if callable(handler := getsignal(number))} - {None}
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
