"""Tests of prompts: cases in ``*.test.yaml`` beside the prompts, which run without a model.

``prompt-manager test`` and the pytest plugin use it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.testing.cases import PromptCase, read_cases
    from prompt_manager.testing.compare import CaseFailure, run_case

__all__ = ["CaseFailure", "PromptCase", "read_cases", "run_case"]

_MODULES = {
    "CaseFailure": "compare",
    "PromptCase": "cases",
    "read_cases": "cases",
    "run_case": "compare",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
