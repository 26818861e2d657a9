"""Fixes what ``check`` finds: names of variables and keys, declarations, and a brace of JSON that needs a blank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prompt_manager._native import Finding

__all__ = ["fix_files"]

#: How often the files are checked again. Each time, a file loses at least one finding.
_ROUNDS = 1000

#: Rules whose fixes change the declaration of variables. One of them may change what the next one finds.
_OF_DECLARATION = frozenset({"undeclared-variable", "unused-variable"})


def fix_files(find: Callable[[], list[Finding]]) -> tuple[list[Finding], list[Finding]]:
    """Fix what can be fixed, until nothing is left that can. Each file is replaced in one step.

    Args:
        find: Gives the findings of the files as they are now.

    Returns:
        The findings that are left, and those that are fixed, each with its place before the fix.

    Raises:
        StorageWriteError: a file has changed since it was checked, or cannot be written. Files before it are fixed.
    """
    from prompt_manager._native import fix_file

    fixed: list[Finding] = []
    for _ in range(_ROUNDS):
        findings = find()
        chosen = _chosen(findings)
        if not chosen:
            return findings, fixed
        for file, of_file in chosen.items():
            fix_file(Path(file), of_file)
            fixed += of_file
    return find(), fixed


def _chosen(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings that can be fixed together, by file."""
    chosen: dict[str, list[Finding]] = {}
    for finding in findings:
        if not finding.has_fix or finding.file is None:
            continue
        of_file = chosen.setdefault(finding.file, [])
        if finding.rule not in _OF_DECLARATION or all(known.rule not in _OF_DECLARATION for known in of_file):
            of_file.append(finding)
    return chosen
