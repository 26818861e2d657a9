"""Gives each ``name_sync`` method the docstring of ``name``, so that ``help()`` and editors show it in full.

``make format`` writes the docstrings, ``make lint`` fails where one differs. A private method without a docstring is
left alone. The docstring of a method in Rust is a file beside its source.
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

PACKAGE = ROOT / "python" / "prompt_manager"

SUFFIX = "_sync"

#: The docstrings of synchronous methods in Rust, each with the module, class and name of its coroutine.
NATIVE = {
    "src/python/manager_renders.txt": ("core/manager.py", "PromptManager", "render"),
    "src/python/template_render.txt": ("core/template.py", "TemplateEngine", "render"),
    "src/python/template_validate.txt": ("core/template.py", "TemplateEngine", "validate"),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(scope: ast.AST) -> dict[str, Function]:
    """The functions directly in a module or class, also under ``if TYPE_CHECKING``, by name."""
    found: dict[str, Function] = {}
    for node in getattr(scope, "body", ()):
        for inner in node.body if isinstance(node, ast.If) else [node]:
            # An overload has no docstring.
            if isinstance(inner, Function) and (inner.name not in found or docstring(inner)):
                found[inner.name] = inner
    return found


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
            written = ast.get_source_segment(text, new)
            replacements.append((old, indented(written, old.col_offset - new.col_offset)))
    lines = text.splitlines(keepends=True)
    for old, written in sorted(replacements, key=lambda pair: -pair[0].lineno):
        first, last = old.lineno - 1, old.end_lineno - 1
        head = lines[first].encode()[: old.col_offset].decode()
        tail = lines[last].encode()[old.end_col_offset :].decode()
        lines[first : last + 1] = [head + written + tail]
    return "".join(lines)


def indented(written: str, by: int) -> str:
    """A docstring's source, with its lines but the first one moved to the right by so many columns, or to the left."""
    first, *others = written.splitlines(keepends=True)
    moved = [" " * max(0, len(line) - len(line.lstrip(" ")) + by) + line.lstrip(" ") for line in others]
    return first + "".join(line.lstrip(" ") if line.isspace() else line for line in moved)


def native(module: str, class_name: str, name: str) -> str:
    """The docstring of a coroutine, for its synchronous version in Rust."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    scope = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    return inspect.cleandoc(docstring(functions(scope)[name]).value) + "\n"


def wanted_files() -> dict[Path, str]:
    """The text that each file with docstrings should have."""
    modules = {path: expected(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    return modules | {ROOT / path: native(*coroutine) for path, coroutine in NATIVE.items()}


def main(arguments: list[str]) -> int:
    """Write the docstrings, or with ``--check`` name the files in which one differs."""
    differing = []
    for path, wanted in wanted_files().items():
        if path.exists() and path.read_text(encoding="utf-8") == wanted:
            continue
        differing.append(path)
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
    if "--check" in arguments and differing:
        for path in differing:
            print(f"{path.relative_to(ROOT)}: a `_sync` docstring differs; run `make format`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
