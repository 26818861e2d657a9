"""Comments in prompt files that hide findings: ``# pm: ignore[PM010]``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_manager._native import Finding

__all__ = ["IgnoreComments"]

#: The comment, in YAML or as a comment of a template.
_COMMENT = re.compile(r"(?:^|\s)#\s*pm:\s*ignore(?:\[([^\]]*)\])?|\{\{!(?:--)?\s*pm:\s*ignore(?:\[([^\]]*)\])?")

#: A line that has nothing but such a comment.
_ALONE = re.compile(r"\s*(?:#|\{\{!)[^\n]*")


class IgnoreComments:
    """The comments of files that have findings. Each file is read once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def hide(self, finding: Finding) -> bool:
        """Whether a comment on the finding's line, or alone on the line above, hides the finding."""
        if finding.file is None or finding.line is None:
            return False
        lines = self._lines(finding.file)
        at = finding.line - 1
        if at < len(lines) and _hides(lines[at], finding):
            return True
        return 0 < at <= len(lines) and _ALONE.fullmatch(lines[at - 1]) is not None and _hides(lines[at - 1], finding)

    def _lines(self, file: str) -> list[str]:
        if file not in self._files:
            try:
                text = Path(file).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                text = ""
            self._files[file] = text.split("\n") if "pm:" in text else []
        return self._files[file]


def _hides(line: str, finding: Finding) -> bool:
    for comment in _COMMENT.finditer(line):
        codes = comment[1] if comment[1] is not None else comment[2]
        if codes is None or {finding.code, finding.rule} & {code.strip() for code in codes.split(",")}:
            return True
    return False
