"""The rules of the house that a compiler does not check; read from the sources, so no build is needed.

* No file needs another that needs it back, in ``src/`` and in ``python/prompt_manager/``.
* Only ``src/python/`` names pyo3, and only its file ``ffi.rs`` and the folder of that name have ``unsafe``.
* A type name is defined once in the crate.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rust_source import RustFile, read_crate

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGE = ROOT / "python/prompt_manager"

#: The files of the renderer that may need each other: a block that a program runs renders a program.
RENDERER = {
    f"src/template/{name}.rs"
    for name in ("closure", "context", "effects", "helpers", "js_concat", "mod", "program", "render/mod")
}


@pytest.fixture(scope="module")
def crate() -> dict[str, RustFile]:
    return read_crate(SRC)


def groups(needs: dict[str, set[str]]) -> list[set[str]]:
    """The groups of files that reach each other, each of two files or more."""
    reached: dict[str, set[str]] = {}
    for start in needs:
        found: set[str] = set()
        open_files = [start]
        while open_files:
            for other in needs[open_files.pop()] - found:
                found.add(other)
                open_files.append(other)
        reached[start] = found
    circles: list[set[str]] = []
    for name, found in sorted(reached.items()):
        circle = {other for other in found if name in reached[other]}
        if len(circle) > 1 and circle not in circles:
            circles.append(circle)
    return circles


def described(circles: list[set[str]], needs: dict[str, set[str]]) -> str:
    """The circles with each need inside them, for the message of a failure."""
    return "\n\n".join(
        "\n".join(f"{name} needs {', '.join(sorted(needs[name] & circle))}" for name in sorted(circle))
        for circle in circles
    )


def test_rust_files_need_each_other_in_no_circle(crate):
    needs = {name: file.needs for name, file in crate.items()}
    circles = [circle for circle in groups(needs) if circle != RENDERER]
    assert not circles, described(circles, needs)


def test_python_modules_need_each_other_in_no_circle():
    needs = python_needs()
    circles = groups(needs)
    assert not circles, described(circles, needs)


def test_the_circle_that_is_allowed_still_exists(crate):
    assert RENDERER in groups({name: file.needs for name, file in crate.items()})


@pytest.mark.parametrize("word", ["pyo3", "pyo3_async_runtimes", "pythonize"])
def test_only_the_bindings_name_python(crate, word):
    outside = [name for name, file in crate.items() if not name.startswith("src/python/") and word in file.words]
    assert outside == []


def test_unsafe_code_is_in_one_place(crate):
    assert [
        name for name, file in crate.items() if "unsafe" in file.words and not name.startswith("src/python/ffi")
    ] == []


def test_a_type_name_is_defined_once(crate):
    places: dict[str, list[str]] = {}
    for name, file in crate.items():
        for defined in file.types:
            places.setdefault(defined, []).append(name)
    assert {defined: files for defined, files in places.items() if len(files) > 1} == {}


@dataclass
class PythonModule:
    """A module of the package: where it is, and what its code imports."""

    path: str
    imports: set[str] = field(default_factory=set)


def python_needs() -> dict[str, set[str]]:
    """The modules of the package that each of them needs.

    Every import counts: at the top, under ``TYPE_CHECKING`` and inside functions. An import inside a function makes a
    start faster; it does not make a circle good. Only the faces do not count: an ``__init__.py`` hands on what its
    modules define, so an import from one is an import from the module that defines the name.
    """
    modules = {dotted(path): path for path in PACKAGE.rglob("*.py")}
    faces = {name for name, path in modules.items() if path.name == "__init__.py"}
    homes = {name: homes_of(path) for name, path in modules.items() if name in faces}

    def home(module: str, name: str) -> str:
        while True:
            if f"{module}.{name}" in modules:
                return f"{module}.{name}"
            if module not in faces or name not in homes[module]:
                return module
            module = homes[module][name]

    return {
        relative(path): {
            relative(modules[target])
            for module, name in imports_of(path)
            if module in modules
            and (target := home(module, name)) in modules.keys() - faces
            and modules[target] != path
        }
        for path in modules.values()
        if path.name != "__init__.py"
    }


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[tuple[str, str]]:
    """Each name that a module imports, with the module that it imports it from."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return found


def homes_of(face: Path) -> dict[str, str]:
    """The module that defines each name which a face hands on."""
    return {name: module for module, name in imports_of(face) if module.startswith("prompt_manager")}


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ("use crate::a::b::{self, C};", {"src/a/b.rs"}),
        ("use super::b::C as D;", {"src/a/b.rs"}),
        ("fn f() -> crate::a::b::C { todo!() }", {"src/a/b.rs"}),
        ("fn f() { super::b::f(); }", {"src/a/b.rs"}),
        ('// use super::b::C;\nfn f() -> &\'static str { "super::b::C" }', set()),
        ("use super::C;", {"src/a/b.rs"}),
        ("use super::D;", {"src/a/mod.rs"}),
        ("#[cfg(test)]\nmod tests { use super::super::b::C; }", set()),
        ("use std::fmt;", set()),
    ],
)
def test_a_need_is_found_in_every_spelling(tmp_path, source, needs):
    files = {
        "lib.rs": "mod a;",
        "a/mod.rs": "mod b; mod c;\npub use b::C;\npub struct D;",
        "a/b.rs": "pub struct C;\npub fn f() {}",
        "a/c.rs": source,
    }
    for name, text in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert read_crate(tmp_path / "src")["src/a/c.rs"].needs == needs


def test_a_type_is_found_where_it_is_defined_only(tmp_path):
    source = (
        "pub struct A<T>(T);\nenum B { A }\npub(super) trait C { type D; }\ntype E = A<u8>;\nunion F { a: u8 }\n"
        "fn f() { struct G; }\nimpl C for A<u8> { type D = u8; }\nmod inner { struct H; }\n"
        "#[cfg(test)]\nmod tests { struct I; }\nmacro_rules! m { () => { struct J; } }\n"
    )
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text(source, encoding="utf-8")
    assert read_crate(tmp_path / "src")["src/lib.rs"].types == {"A", "B", "C", "E", "F", "H"}


def test_a_circle_is_every_file_on_the_way_round():
    needs = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"f"}, "f": {"e"}}
    assert groups(needs) == [{"a", "b", "c"}, {"e", "f"}]
    assert re.search("a needs b\nb needs c", described(groups(needs), needs))
