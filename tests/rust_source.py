"""Reads the sources of a Rust crate as far as ``test_structure.py`` asks: the types, words and needs of each file.

It reads tokens and no grammar. A file needs another where a path (in a ``use`` or in the code) leads to a name that the
other defines. ``pub use`` only hands a name on: the file that has it does not need the name, and a path through it
leads to the file that defines the name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["RustFile", "read_crate"]

TOKEN = re.compile(
    r"""
      (?P<skip> \s+ | //[^\n]* )
    | (?P<comment> /\* )
    | (?P<text> b?c?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*" | b?'(?:\\.[^']*|[^'\\])' )
    | (?P<lifetime> '\w+ )
    | (?P<word> (?:r\#)?[A-Za-z_]\w* )
    | (?P<number> \d[\w.]* )
    | (?P<mark> :: | . )
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
TYPES = {"struct", "enum", "trait", "type", "union"}


@dataclass
class RustFile:
    """What a file defines and what it needs. A path is a list of names, from the crate's root on."""

    #: The module of the file.
    module: tuple[str, ...]
    #: The types that it defines outside functions, implementations, macros and tests.
    types: set[str] = field(default_factory=set)
    #: Every word of its code, tests included.
    words: set[str] = field(default_factory=set)
    #: The files that it needs, tests excepted.
    needs: set[str] = field(default_factory=set)
    #: The names that its `use` declarations bring in, with their paths.
    used: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: All paths of its code, but for those of `pub use`.
    paths: list[tuple[str, ...]] = field(default_factory=list)


def read_crate(src: Path) -> dict[str, RustFile]:
    """The files below ``src``, by their path from its parent."""
    files: dict[str, RustFile] = {}
    for path in sorted(src.rglob("*.rs")):
        parts = path.relative_to(src).with_suffix("").parts
        module = parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts
        file = RustFile(module)
        tokens = list(tokens_of(path.read_text(encoding="utf-8")))
        file.words = set(tokens)
        Reader(file, without_tests(tokens)).items(module)
        files[path.relative_to(src.parent).as_posix()] = file
    homes = {file.module: name for name, file in files.items()}
    for name, file in files.items():
        found = (home_of(path, files, homes) for path in file.paths)
        file.needs = {need for need in found if need is not None and need != name}
    return files


def tokens_of(source: str) -> Iterator[str]:
    """The words and marks of the code; a text is ``""``."""
    at = 0
    while at < len(source):
        match = TOKEN.match(source, at)
        assert match is not None
        at = match.end()
        kind = match.lastgroup
        if kind == "comment":
            depth = 1
            while depth:
                edge = re.compile(r"/\*|\*/").search(source, at)
                assert edge is not None
                depth += 1 if edge[0] == "/*" else -1
                at = edge.end()
        elif match["text"] is not None:
            yield '""'
        elif kind in ("word", "number", "mark", "lifetime"):
            yield match[0].removeprefix("r#")


def without_tests(tokens: list[str]) -> list[str]:
    """The tokens without items that only tests have."""
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        if tokens[at : at + 7] == ["#", "[", "cfg", "(", "test", ")", "]"]:
            at = after_item(tokens, at + 7)
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def after_item(tokens: list[str], at: int) -> int:
    """Behind the item that begins here: its block, or its semicolon."""
    while at < len(tokens) and tokens[at] not in ("{", ";"):
        at = after_group(tokens, at) if tokens[at] in OPENING else at + 1
    return after_group(tokens, at) if at < len(tokens) and tokens[at] == "{" else at + 1


def after_group(tokens: list[str], at: int) -> int:
    """Behind the bracket that closes the one here."""
    depth = 0
    while at < len(tokens):
        depth += (tokens[at] in OPENING) - (tokens[at] in CLOSING)
        at += 1
        if depth == 0:
            break
    return at


class Reader:
    """Reads the items of a file into a :class:`RustFile`."""

    def __init__(self, file: RustFile, tokens: list[str]) -> None:
        self.file = file
        self.tokens = tokens
        self.at = 0
        #: Whether the `use` declaration here hands its names on.
        self.handed_on = False

    def items(self, module: tuple[str, ...]) -> None:
        """Read items up to the end of the block: definitions, inline modules, and the paths of all the rest."""
        tokens = self.tokens
        while self.at < len(tokens) and tokens[self.at] != "}":
            word = tokens[self.at]
            following = tokens[self.at + 1] if self.at + 1 < len(tokens) else ""
            if word == "pub":
                self.at = after_group(tokens, self.at + 1) if following == "(" else self.at + 1
                self.handed_on = tokens[self.at] == "use"
            elif word == "use":
                self.at += 1
                self.use((), module)
                self.handed_on = False
            elif word == "mod" and tokens[self.at + 2 : self.at + 3] == ["{"]:
                self.at += 3
                self.items((*module, following))
                self.at += 1
            elif word in TYPES and following.isidentifier():
                self.file.types.add(following)
                self.at += 1
            elif word in ("fn", "impl", "macro_rules"):
                self.code(after_item(tokens, self.at), module)
            elif word == "{" or not self.path(module):
                end = after_group(tokens, self.at) if word in OPENING else self.at + 1
                self.code(end, module)

    def code(self, end: int, module: tuple[str, ...]) -> None:
        """Read the paths of code, and the `use` declarations in it."""
        while self.at < end:
            if self.tokens[self.at] == "use":
                self.at += 1
                self.use((), module)
            elif self.tokens[self.at] == "pub" and self.tokens[self.at + 1] == "(":
                self.at = after_group(self.tokens, self.at + 1)
            elif not self.path(module):
                self.at += 1

    def path(self, module: tuple[str, ...]) -> bool:
        """Read a path of two names or more; whether there is one here."""
        tokens, start = self.tokens, self.at
        if not tokens[start].isidentifier() or tokens[start + 1 : start + 2] != ["::"]:
            return False
        names = [tokens[start]]
        self.at += 1
        while tokens[self.at : self.at + 1] == ["::"] and tokens[self.at + 1].isidentifier():
            names.append(tokens[self.at + 1])
            self.at += 2
        if tokens[self.at : self.at + 1] == ["::"]:
            self.at += 1
        self.file.paths.append(from_root(tuple(names), module, self.file))
        return True

    def use(self, prefix: tuple[str, ...], module: tuple[str, ...]) -> None:
        """Read one tree of a `use` declaration, with what stands before it."""
        tokens = self.tokens
        names = list(prefix)
        if tokens[self.at] == "::":
            self.at += 1
        while True:
            name = tokens[self.at]
            if name == "{":
                self.at += 1
                while tokens[self.at] != "}":
                    self.use(tuple(names), module)
                    self.at += tokens[self.at] == ","
                self.at += 1
                return
            self.at += 1
            if name != "self" or not names:
                names.append(name)
            if tokens[self.at] != "::":
                break
            self.at += 1
        name = names[-1]
        if tokens[self.at] == "as":
            name = tokens[self.at + 1]
            self.at += 2
        path = from_root(tuple(names), module, self.file)
        self.file.used[name if name != "_" else f"_{len(self.file.used)}"] = path
        if not self.handed_on:
            self.file.paths.append(path)


def from_root(names: tuple[str, ...], module: tuple[str, ...], file: RustFile) -> tuple[str, ...]:
    """A path from the crate's root on; for one that begins with a name in scope, from where that name leads."""
    first, rest = names[0], names[1:]
    if first == "crate":
        return rest
    if first == "self":
        return (*module, *rest)
    if first == "super":
        return (
            from_root(("self", *rest), module[:-1], file)
            if rest[:1] != ("super",)
            else from_root(rest, module[:-1], file)
        )
    if first in file.used:
        return (*file.used[first], *rest)
    return (*module, *names)


def home_of(
    path: tuple[str, ...], files: dict[str, RustFile], homes: dict[tuple[str, ...], str], depth: int = 0
) -> str | None:
    """The file that defines what a path leads to; ``None`` for a path out of the crate."""
    for length in range(len(path), -1, -1):
        module = path[:length]
        if module not in homes:
            continue
        if length == 0 and path and path[0] not in files[homes[()]].types | files[homes[()]].used.keys():
            return None
        rest = path[length:]
        used = files[homes[module]].used
        if rest and rest[0] in used and depth < 8:
            return home_of((*used[rest[0]], *rest[1:]), files, homes, depth + 1)
        return homes[module]
    return None
