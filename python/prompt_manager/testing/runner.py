"""Runs test files: reads their cases, runs each, and updates the files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prompt_manager._native import replace_file
from prompt_manager._shown_path import shown_path
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.testing.cases import PromptCase, read_cases
from prompt_manager.testing.compare import CaseFailure, run_case
from prompt_manager.testing.update import ExpectedValue, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prompt_manager.core.manager import PromptManager

__all__ = ["CaseResult", "run_files", "update_files"]


@dataclass(frozen=True)
class CaseResult:
    """The result of a case. A file that cannot be read is one failed case without ``case``."""

    file: str
    line: int
    name: str
    messages: tuple[str, ...]
    seconds: float
    case: PromptCase | None = None
    failures: tuple[CaseFailure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.messages


def run_files(manager: PromptManager, root: Path, files: Iterable[Path]) -> list[CaseResult]:
    """Run all cases of test files below a directory of prompts."""
    results: list[CaseResult] = []
    for file in files:
        try:
            cases = read_cases(file, root)
        except PromptManagerError as error:
            line = error.context.get("line") or 1
            results.append(CaseResult(str(shown_path(file)), line, "the file can be read", (str(error),), 0.0))
            continue
        results += [_run(manager, case) for case in cases]
    return results


def _run(manager: PromptManager, case: PromptCase) -> CaseResult:
    start = time.perf_counter()
    failures = tuple(run_case(manager, case))
    seconds = time.perf_counter() - start
    messages = tuple(failure.message for failure in failures)
    return CaseResult(str(shown_path(case.path)), case.line, case.name, messages, seconds, case, failures)


def update_files(root: Path, results: Iterable[CaseResult]) -> list[tuple[Path, str, str]]:
    """Write what the prompts give now into the test files, where it is not what the cases expect.

    Returns the changed files with their old and new texts.

    Raises:
        PromptManagerError: a file cannot be changed. Files before it are changed.
    """
    by_file: dict[Path, list[tuple[str, CaseFailure]]] = {}
    for result in results:
        if result.case is not None:
            wanted = [(result.name, failure) for failure in result.failures if failure.can_update]
            if wanted:
                by_file.setdefault(result.case.path, []).extend(wanted)
    changed = []
    for file, failures in by_file.items():
        before = file.read_bytes()
        order = {case.name: index for index, case in enumerate(read_cases(file, root))}
        changes: list[ExpectedValue] = [(order[name], failure.path, failure.actual) for name, failure in failures]
        after = rewrite(file, before, changes)
        replace_file(file, before, after)
        changed.append((file, before.decode("utf-8"), after.decode("utf-8")))
    return changed
