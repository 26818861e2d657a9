"""Writes new expected values into a test file. Everything else in the file stays as it is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import write_yaml
from prompt_manager._shown_path import shown_path
from prompt_manager.exceptions import PromptManagerError, PromptValidationError
from prompt_manager.testing.yaml_file import YamlNode, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["ExpectedValue", "rewrite"]

#: The number of the case in the file, the keys of the expectation, and its new value.
ExpectedValue = tuple[int, tuple[str, ...], Any]

_BOM = "\ufeff"


def rewrite(path: Path, data: bytes, changes: Sequence[ExpectedValue]) -> bytes:
    """Return the content of a test file with new expected values.

    Raises:
        PromptValidationError: a case is written in a way that cannot be changed in place, such as ``{name: …}``.
    """
    text = data.decode("utf-8")
    bom = _BOM if text.startswith(_BOM) else ""
    line_break = "\r\n" if "\r\n" in text else "\n"
    lines = text.removeprefix(_BOM).replace("\r\n", "\n").split("\n")
    cases = parse(str(path), data).items()
    # From the last to the first: a change moves only what follows it.
    targets = sorted((_target(cases, change) for change in changes), key=lambda target: target.place, reverse=True)
    wanted = _plain(path, lines)
    for target in targets:
        _set(wanted, target.change)
    written = lines
    for target in targets:
        written = target.replaced(written, write_yaml)
    if not _reads_as(path, written, wanted):
        # Not every value can be written as a block where it is. Each change is checked by itself.
        written = lines
        for target in targets:
            written = _with_change(path, written, target)
    return (bom + line_break.join(written)).encode("utf-8")


class _Target(NamedTuple):
    """Where a change goes: to the lines of a key, or behind the last key of the mapping that lacks it."""

    change: ExpectedValue
    key: YamlNode
    is_new: bool

    @property
    def place(self) -> tuple[int, int]:
        return self.key.line, self.key.column

    def replaced(self, lines: list[str], write: Callable[[dict[str, Any]], str]) -> list[str]:
        """The lines with the change, written by a function of the key and its value."""
        _, path, value = self.change
        indent = self.key.column - 1
        end = _end(lines, self.key.line, indent)
        start = end if self.is_new else self.key.line - 1
        first = " " * indent if self.is_new else lines[start][:indent]
        return [*lines[:start], *_indented(write({path[-1]: value}), indent, first), *lines[end:]]


def _target(cases: Sequence[YamlNode], change: ExpectedValue) -> _Target:
    index, path, _ = change
    key, value = cases[index].members()[path[0]]
    for name in path[1:]:
        members = value.members()
        if name not in members:
            last, _ = list(members.values())[-1]
            return _Target(change, last, is_new=True)
        key, value = members[name]
    return _Target(change, key, is_new=False)


def _on_one_line(member: dict[str, Any]) -> str:
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in member.items())


def _with_change(path: Path, lines: list[str], target: _Target) -> list[str]:
    """Return the lines with one change, in the first spelling that can be read."""
    wanted = _plain(path, lines)
    _set(wanted, target.change)
    for write in (write_yaml, _on_one_line):
        changed = target.replaced(lines, write)
        if _reads_as(path, changed, wanted):
            return changed
    message = (
        f"cannot update `{'.'.join(target.change[1])}`: write the case as a block, with each key on its own line\n"
        f"  at {shown_path(path)}:{target.key.line}:{target.key.column}"
    )
    raise PromptValidationError(message, path=str(path), line=target.key.line, column=target.key.column)


def _reads_as(path: Path, lines: list[str], wanted: Any) -> bool:
    try:
        return bool(_plain(path, lines) == wanted)
    except PromptManagerError:
        return False


def _plain(path: Path, lines: list[str]) -> Any:
    return parse(str(path), "\n".join(lines).encode("utf-8")).plain()


def _set(cases: list[dict[str, Any]], change: ExpectedValue) -> None:
    index, path, value = change
    inner: dict[str, Any] = cases[index]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value


def _end(lines: list[str], line: int, indent: int) -> int:
    """The index behind the lines of an entry that begins in a line, without the blank lines that follow it."""
    end = line
    while end < len(lines):
        text = lines[end]
        depth = len(text) - len(text.lstrip(" "))
        is_item = depth == indent and text[depth : depth + 2] in {"- ", "-"}
        if text.strip() and depth <= indent and not (is_item and lines[line - 1][indent:].rstrip().endswith(":")):
            break
        end += 1
    while end > line and not lines[end - 1].strip():
        end -= 1
    return end


def _indented(written: str, indent: int, first: str) -> list[str]:
    head, *rest = written.removesuffix("\n").split("\n")
    return [first + head, *(" " * indent + line if line else "" for line in rest)]
