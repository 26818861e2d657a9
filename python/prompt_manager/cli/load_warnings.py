"""Shows what a load warns of, in one line: ``prompt-manager check`` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.cli.output import write_warning
from prompt_manager.exceptions import PromptWarning

if TYPE_CHECKING:
    from collections.abc import Iterable
    from warnings import WarningMessage

    from prompt_manager._native import Finding

__all__ = ["write_load_warnings"]


def write_load_warnings(caught: Iterable[WarningMessage], check: str) -> None:
    """Write the warnings of a load to standard error.

    Args:
        caught: The warnings.
        check: The command that shows the findings of these prompts.
    """
    for warning in caught:
        found = warning.message.findings if isinstance(warning.message, PromptWarning) else ()
        write_warning(_summary(found, check) if found else str(warning.message))


def _summary(findings: tuple[Finding, ...], check: str) -> str:
    first, *others = findings
    if not others:
        place = f"{first.file}:{first.line}:{first.column}: " if first.line is not None else ""
        return f"{place}{first.message} [{first.code}]\n  hint: {check}"
    codes = ", ".join(sorted({finding.code for finding in findings}))
    return f"{len(findings)} findings in the prompts ({codes})\n  hint: {check}"
