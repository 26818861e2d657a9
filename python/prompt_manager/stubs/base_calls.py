"""Reads the signatures of the manager's methods from the package's own source, so that typed modules match them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["BaseCall", "BaseModule", "Parameter", "read_module"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a call, as text."""

    name: str
    annotation: str
    default: str | None
    #: What is written before it: nothing, ``*`` or ``**``.
    stars: str = ""
    keyword_only: bool = False

    @property
    def text(self) -> str:
        """The parameter as it is written in a signature."""
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.stars}{self.name}: {self.annotation}{default}"


@dataclass(frozen=True, slots=True)
class BaseCall:
    """A method of the manager, or one of its overloads."""

    name: str
    is_coroutine: bool
    parameters: tuple[Parameter, ...]
    returns: str

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def with_types(self, annotations: Mapping[str, str]) -> BaseCall:
        """The same call with other types for some parameters."""
        changed = (replace(each, annotation=annotations.get(each.name, each.annotation)) for each in self.parameters)
        return replace(self, parameters=tuple(changed))

    @property
    def text(self) -> str:
        """The signature as a statement without a body."""
        shown = ["self"]
        for parameter in self.parameters:
            if parameter.keyword_only and "*" not in shown:
                shown.append("*")
            shown.append(parameter.text)
        coroutine = "async " if self.is_coroutine else ""
        return f"{coroutine}def {self.name}({', '.join(shown)}) -> {self.returns}: ..."

    @property
    def names(self) -> set[str]:
        """The names that its types use."""
        texts = [self.returns, *(parameter.annotation for parameter in self.parameters)]
        return {
            node.id for text in texts for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)
        }


@dataclass(frozen=True, slots=True)
class BaseModule:
    """The calls of a class, and what its module imports and defines for type checkers."""

    calls: dict[str, list[BaseCall]] = field(default_factory=dict)
    #: The module of each imported name.
    imports: dict[str, str] = field(default_factory=dict)
    #: The definitions of type variables, by name.
    definitions: dict[str, str] = field(default_factory=dict)


def read_module(module: str, class_name: str, methods: Iterable[str]) -> BaseModule:
    """Read methods of a class: all overloads of one that has some, else its own signature.

    Raises:
        LookupError: the source of the module is not installed, or has no such class.
    """
    package, _, name = module.rpartition(".")
    try:
        tree = ast.parse((files(package) / f"{name}.py").read_bytes())
    except FileNotFoundError:
        raise LookupError(f"the source of {module} is not installed") from None
    found = BaseModule()
    for statement in _type_checking(tree.body):
        if isinstance(statement, ast.ImportFrom):
            found.imports.update({alias.name: statement.module or "" for alias in statement.names})
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found.definitions[statement.targets[0].id] = ast.unparse(statement)
    wanted = set(methods)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            for function in _functions(node.body):
                if function.name in wanted:
                    found.calls.setdefault(function.name, []).append(function)  # type: ignore[arg-type]
            for name, functions in found.calls.items():
                found.calls[name] = [_call(each) for each in _overloads(functions)]  # type: ignore[arg-type]
            return found
    raise LookupError(f"{module} has no class {class_name}")


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _is_type_checking(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.If) and isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"
    )


def _type_checking(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements for type checkers only."""
    for statement in body:
        if isinstance(statement, ast.If) and _is_type_checking(statement):
            yield from statement.body


def _functions(body: list[ast.stmt]) -> Iterator[_Function]:
    for statement in (*body, *_type_checking(body)):
        if isinstance(statement, _Function):
            yield statement


def _overloads(functions: list[_Function]) -> list[_Function]:
    overloads = [
        function
        for function in functions
        if any(isinstance(each, ast.Name) and each.id == "overload" for each in function.decorator_list)
    ]
    return overloads or functions


def _call(function: _Function) -> BaseCall:
    given = function.args
    positional = given.args[1:]
    defaults = [None] * (len(positional) - len(given.defaults)) + given.defaults
    parameters = [_parameter(each, default) for each, default in zip(positional, defaults, strict=True)]
    parameters += [
        _parameter(each, default, keyword_only=True)
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg is not None:
        parameters.append(replace(_parameter(given.kwarg, None, keyword_only=True), stars="**"))
    return BaseCall(
        function.name, isinstance(function, ast.AsyncFunctionDef), tuple(parameters), _text(function.returns)
    )


def _parameter(given: ast.arg, default: ast.expr | None, *, keyword_only: bool = False) -> Parameter:
    written = None if default is None else ast.unparse(default)
    return Parameter(given.arg, _text(given.annotation), written, keyword_only=keyword_only)


def _text(annotation: ast.expr | None) -> str:
    return "Any" if annotation is None else ast.unparse(annotation)
