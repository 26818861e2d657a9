"""Gives each ``name_sync`` method the docstring of ``name``, so that ``help()`` and editors show it in full.

``make format`` writes the docstrings, ``make lint`` fails where one differs. A private method without a docstring is
left alone.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "python" / "prompt_manager"

SUFFIX = "_sync"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(scope: ast.AST) -> dict[str, Function]:
    """The functions directly in a module or class, by name."""
    return {node.name: node for node in getattr(scope, "body", ()) if isinstance(node, Function)}


def docstring(function: Function) -> ast.Constant | None:
    """The node of a function's docstring."""
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value
    return None


def expected(text: str) -> str:
    """A module's source with the docstring of each ``name_sync`` equal to that of ``name``."""
    tree = ast.parse(text)
    replacements = []
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.Module | ast.ClassDef):
            continue
        known = functions(scope)
        for name, function in known.items():
            original = known.get(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
            if original is None:
                continue
            old, new = docstring(function), docstring(original)
            if old is None or new is None:
                continue
            replacements.append((old, ast.get_source_segment(text, new)))
    lines = text.splitlines(keepends=True)
    for old, written in sorted(replacements, key=lambda pair: -pair[0].lineno):
        first, last = old.lineno - 1, old.end_lineno - 1
        head = lines[first].encode()[: old.col_offset].decode()
        tail = lines[last].encode()[old.end_col_offset :].decode()
        lines[first : last + 1] = [head + written + tail]
    return "".join(lines)


def main(arguments: list[str]) -> int:
    """Write the docstrings, or with ``--check`` name the files in which one differs."""
    differing = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        wanted = expected(text)
        if wanted == text:
            continue
        differing.append(path)
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
    if "--check" in arguments and differing:
        for path in differing:
            print(f"{path.relative_to(PACKAGE.parent)}: a `_sync` docstring differs; run `make format`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
