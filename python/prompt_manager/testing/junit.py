"""Writes results of cases as JUnit XML, which CI services read."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager.testing.runner import CaseResult

__all__ = ["junit_xml"]

#: Characters that XML cannot hold, even as references.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _escaped(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text)).replace("\n", "&#10;")


def junit_xml(results: Sequence[CaseResult]) -> str:
    """Return the results as the text of an XML file. Each test file is a ``testsuite``."""
    suites: dict[str, list[CaseResult]] = {}
    for result in results:
        suites.setdefault(result.file, []).append(result)
    failed = sum(not result.passed for result in results)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites name="prompt-manager" tests="{len(results)}" failures="{failed}">',
    ]
    for name, members in suites.items():
        lines += _suite(name, members)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(name: str, results: Sequence[CaseResult]) -> list[str]:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    file = _escaped(name)
    lines = [f'  <testsuite name="{file}" tests="{len(results)}" failures="{failed}" time="{seconds:.3f}">']
    for result in results:
        start = (
            f'    <testcase classname="{file}" name="{_escaped(result.name)}" file="{file}"'
            f' line="{result.line}" time="{result.seconds:.3f}"'
        )
        if result.passed:
            lines.append(f"{start}/>")
            continue
        message = result.messages[0].partition("\n")[0]
        text = _escaped("\n".join(result.messages)).replace("&#10;", "\n")
        lines += [f"{start}>", f'      <failure message="{_escaped(message)}">{text}</failure>', "    </testcase>"]
    return [*lines, "  </testsuite>"]
