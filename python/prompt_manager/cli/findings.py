"""Formats findings: for people, as JSON, as annotations of GitHub, and as SARIF 2.1.0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from prompt_manager.cli.layout import width
from prompt_manager.cli.output import drawn, visible
from prompt_manager.cli.wrapping import cells, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager._native import Finding

__all__ = ["formatted"]


def formatted(findings: Sequence[Finding], output: str, fixed: Sequence[Finding] = ()) -> str:
    """Format the findings as ``"text"``, ``"json"``, ``"github"`` or ``"sarif"``. Every format ends in a line break.

    ``fixed`` are the findings that are there no more. Only text shows them.
    """
    if output == "text":
        return _text(findings, fixed)
    formats = {"json": _json, "github": _github, "sarif": _sarif}
    return formats[output](findings)


def _text(findings: Sequence[Finding], fixed: Sequence[Finding]) -> str:
    """What was fixed, each finding with its line and a caret, and how many there are."""
    count = {0: "no findings", 1: "1 finding"}.get(len(findings), f"{len(findings)} findings")
    done = ""
    if fixed:
        count += f", {len(fixed)} fixed"
        done = "".join(f"{_head(finding, 'fixed')}\n" for finding in fixed) + "\n"
    return done + "".join(f"{_report(finding)}\n\n" for finding in findings) + f"{count}\n"


def _head(finding: Finding, what: str) -> str:
    head = f"{_place(finding)}{what} {finding.code} {finding.message} [{finding.rule}]"
    return fitted(visible(head), width())


def _report(finding: Finding) -> str:
    limit = width()
    lines = [_head(finding, finding.severity)]
    if finding.source_line is not None and finding.source_line.strip() and finding.column is not None:
        margin = " " * len(str(finding.line))
        room = None if limit is None else limit - len(f"  {margin} | ")
        offset = len(visible(finding.source_line[: finding.column - 1]))
        line, column = _excerpt(visible(finding.source_line), offset, room)
        # A tab keeps its width, so that the caret is below its character.
        before = "".join("\t" if char == "\t" else " " * cells(char) for char in line[:column])
        lines += [f"  {finding.line} | {line}", f"  {margin} | {before}^"]
    if finding.hint is not None:
        lines.append(fitted(visible(f"  hint: {finding.hint}"), limit))
    return "\n".join(lines)


def _excerpt(line: str, column: int, room: int | None) -> tuple[str, int]:
    """What fits into a line of the terminal around a character, and where the character is in it."""
    if room is None or cells(line) <= room:
        return line, column
    mark = drawn("…", "...")
    # Up to a third of the room is before the character.
    start = column
    while start > 0 and cells(line[start - 1 : column]) <= room // 3:
        start -= 1
    start = 0 if cells(line[:column]) <= room // 3 else start
    end = column
    before, after = mark if start else "", mark
    while end < len(line) and cells(before + line[start : end + 1] + after) <= room:
        end += 1
    return before + line[start:end] + (after if end < len(line) else ""), len(before) + column - start


def _place(finding: Finding) -> str:
    if finding.file is None:
        return f"prompt {finding.prompt_id}: " if finding.prompt_id else ""
    if finding.line is None:
        return f"{finding.file}: "
    return f"{finding.file}:{finding.line}:{finding.column}: "


def _fields(finding: Finding) -> dict[str, Any]:
    names = ("code", "rule", "severity", "message", "file", "line", "column", "prompt_id", "hint")
    return {name: getattr(finding, name) for name in names}


def _json(findings: Sequence[Finding]) -> str:
    return json.dumps([_fields(finding) for finding in findings], ensure_ascii=False, indent=2) + "\n"


def _github(findings: Sequence[Finding]) -> str:
    """Workflow commands: one line for each finding."""
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    properties = {
        "file": finding.file,
        "line": finding.line,
        "col": finding.column,
        "title": f"{finding.code} {finding.rule}",
    }
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value is not None)
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    return f"::{finding.severity} {written}::{_data(finding.message + hint)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


def _sarif(findings: Sequence[Finding]) -> str:
    from prompt_manager import __version__
    from prompt_manager._native import rules

    driver = {
        "name": "prompt-manager",
        "version": __version__,
        "rules": [
            {"id": code, "name": name, "shortDescription": {"text": name}, "defaultConfiguration": {"level": severity}}
            for code, name, severity in rules()
        ],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in findings],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _result(finding: Finding) -> dict[str, Any]:
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": finding.message + hint},
    }
    if finding.file is not None:
        location: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
        if finding.line is not None:
            location["region"] = {"startLine": finding.line, "startColumn": finding.column}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
