"""Writes new expected values into a test file. Everything else in the file stays as it is written."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_manager._native import write_yaml
from prompt_manager.exceptions import PromptManagerError, PromptValidationError, StorageWriteError
from prompt_manager.testing.find import shown_path
from prompt_manager.testing.yaml_file import YamlNode, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ExpectedValue", "rewrite", "save"]

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
    root = parse(str(path), data)
    for change in sorted(changes, key=lambda change: _place(root, change), reverse=True):
        lines = _with_change(path, lines, root, change)
        # What follows in the file has moved, and the changes that are left come before it.
    return (bom + line_break.join(lines)).encode("utf-8")


def _node_of(root: YamlNode, change: ExpectedValue) -> tuple[YamlNode, YamlNode | None]:
    """The key of the expectation, or the key of the mapping that lacks it."""
    index, path, _ = change
    members = root.items()[index].members()
    key, value = members[path[0]]
    for name in path[1:]:
        inner = value.members()
        if name not in inner:
            return key, value
        key, value = inner[name]
    return key, None


def _place(root: YamlNode, change: ExpectedValue) -> tuple[int, int]:
    key, _ = _node_of(root, change)
    return key.line, key.column


def _with_change(path: Path, lines: list[str], root: YamlNode, change: ExpectedValue) -> list[str]:
    """Return the lines with one change, which is checked by reading them again."""
    key, incomplete = _node_of(root, change)
    name, value = change[1][-1], change[2]
    wanted = _changed(_plain(path, lines), change)
    for written in (write_yaml({name: value}), f"{name}: {json.dumps(value, ensure_ascii=False)}\n"):
        if incomplete is None:
            indent = key.column - 1
            end = _end(lines, key.line, indent)
            before = lines[key.line - 1][:indent]
            start, first = key.line - 1, before
        else:
            # The mapping has no such key yet: it goes behind the last one.
            keys = [member[0] for member in incomplete.members().values()]
            indent = keys[-1].column - 1
            start = end = _end(lines, keys[-1].line, indent)
            first = " " * indent
        block = _indented(written, indent, first)
        changed = [*lines[:start], *block, *lines[end:]]
        try:
            if _plain(path, changed) == wanted:
                return changed
        except PromptManagerError:
            # This spelling does not fit here.
            continue
    message = (
        f"cannot update `{'.'.join(change[1])}`: write the case as a block, with each key on its own line\n"
        f"  at {shown_path(path)}:{key.line}:{key.column}"
    )
    raise PromptValidationError(message, path=str(path), line=key.line, column=key.column)


def _plain(path: Path, lines: list[str]) -> Any:
    return parse(str(path), "\n".join(lines).encode("utf-8")).plain()


def _changed(cases: list[dict[str, Any]], change: ExpectedValue) -> list[dict[str, Any]]:
    index, path, value = change
    inner: dict[str, Any] = cases[index]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return cases


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


def save(path: Path, before: bytes, after: bytes) -> None:
    """Replace the content of a file, all at once.

    Raises:
        StorageWriteError: the file has changed since it was read, or it cannot be written.
    """
    try:
        real = path.resolve()
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(after)
            shutil.copymode(real, temporary)
            if real.read_bytes() != before:
                raise StorageWriteError(f"{path} has changed while the tests ran; run them again", path=str(path))
            temporary.replace(real)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageWriteError(f"cannot write file {path}: {error.strerror}", path=str(path)) from error
