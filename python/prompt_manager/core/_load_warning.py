"""The warning that a load gives about all problems that it found."""

from __future__ import annotations

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
        from prompt_manager.core._caller import stack_level
        from prompt_manager.exceptions import PromptWarning

        warn(PromptWarning(report_findings(findings), findings), stacklevel=stack_level())
