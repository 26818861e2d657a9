"""The warning that a load gives about all problems that it found."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager._native import Finding

__all__ = ["warn_of"]


def warn_of(findings: Sequence[Finding]) -> None:
    """Issue one warning about these findings, at the line that called the package."""
    if findings:
        from warnings import warn

        from prompt_manager._native import report_findings
        from prompt_manager.exceptions import PromptWarning

        warn(PromptWarning(report_findings(findings), findings), stacklevel=_levels())


def _levels() -> int:
    """Count the frames from :func:`warn_of` to the caller of the package."""
    levels, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("prompt_manager.") and frame.f_back is not None:
        levels, frame = levels + 1, frame.f_back
    return levels
