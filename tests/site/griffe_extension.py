"""What the API reference takes from the sources: docstrings as Markdown, those of Rust too."""

from __future__ import annotations

import builtins
import importlib
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from docstrings import markdown
from griffe import Docstring, Expr, ExprName, Extension

if TYPE_CHECKING:
    from pathlib import Path

    from griffe import Module, Object

__all__ = ["MarkdownDocstrings"]

NATIVE = "_native"
#: Names for Python and for pydantic, and not for callers.
HIDDEN = ("_", "model_")
#: Its parameters are shown with the class.
CONSTRUCTOR = "__init__"


class MarkdownDocstrings(Extension):
    """Converts each docstring when it was read, and finds those that are elsewhere."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Convert the docstring of a module, class, function or attribute, and hide what is no name for callers."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)
        elif obj.is_attribute and (text := _comment_above(obj) or _value_of_member(obj)):
            obj.docstring = Docstring(markdown(text), parent=obj)
        if obj.name.startswith(HIDDEN) and obj.name != CONSTRUCTOR:
            obj.docstring = None  # what has no docstring is not shown
        if obj.is_attribute:
            obj.annotation, obj.value = _plain_builtins(obj.annotation), _plain_builtins(obj.value)
        if obj.is_function:
            for function in (obj, *(obj.overloads or ())):
                _plain_signature(function)

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Add the docstrings of the extension, whose stub has none."""
        if NATIVE in pkg.members:
            _add_docstrings(pkg.members[NATIVE], importlib.import_module(f"{pkg.path}.{NATIVE}"))


def _plain_builtins(code: Any) -> Any:
    """The code, in which names such as ``list`` are text: they would be links to any heading of this name."""
    if isinstance(code, ExprName) and hasattr(builtins, code.name):
        return code.name
    if isinstance(code, Expr):
        for field in fields(code):
            if field.name != "parent":
                setattr(code, field.name, _plain_builtins(getattr(code, field.name)))
    return [_plain_builtins(part) for part in code] if isinstance(code, list) else code


def _plain_signature(function: Any) -> None:
    function.returns = _plain_builtins(function.returns)
    for parameter in function.parameters:
        parameter.annotation = _plain_builtins(parameter.annotation)
        parameter.default = _plain_builtins(parameter.default)


@cache
def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.suffix in (".py", ".pyi") else []


def _comment_above(attribute: Object) -> str:
    """The lines with ``#:`` above an attribute, without these marks."""
    comment: list[str] = []
    for line in reversed(_lines(attribute.filepath)[: (attribute.lineno or 1) - 1]):
        if not line.lstrip().startswith("#:"):
            break
        comment.insert(0, line.lstrip().removeprefix("#:").removeprefix(" "))
    return "\n".join(comment)


def _value_of_member(attribute: Any) -> str:
    """The value of a member of an enum."""
    bases = [str(base) for base in getattr(attribute.parent, "bases", [])]
    return f"`{attribute.value}`" if "StrEnum" in bases and attribute.name.isupper() else ""


def _add_docstrings(scope: Any, native: object) -> None:
    """Add the docstrings of a module's or class's members in Rust."""
    for name, member in scope.members.items():
        found = getattr(native, name, None)
        if member.is_alias or found is None or name.startswith(HIDDEN):
            continue
        text = getattr(found, "__doc__", None)
        if member.docstring is None and isinstance(text, str) and (member.is_class or not isinstance(found, str | int)):
            member.docstring = Docstring(markdown(text), parent=member)
        if member.is_class:
            _add_docstrings(member, found)
