"""Which format a file has, by the ending of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["ENDINGS", "TEXT_KINDS", "BrokenRow", "FileKind", "Rows", "kind_of"]

FileKind = Literal["arrow", "csv", "jsonl", "parquet", "tsv"]

_KINDS: dict[str, FileKind] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

#: The endings, for help and errors.
ENDINGS = ", ".join(_KINDS)

#: The formats that need no other package.
TEXT_KINDS: frozenset[FileKind] = frozenset({"csv", "tsv", "jsonl"})


class BrokenRow(dict[str, Any]):
    """A row of JSON Lines in which a text is not valid Unicode. ``problem`` is its error."""

    problem: str


class Rows(NamedTuple):
    """Some rows as mappings from the names of columns to values. A row may lack columns."""

    columns: list[str]
    rows: list[dict[str, Any]]

    @classmethod
    def of(cls, rows: list[dict[str, Any]], columns: Iterable[str] = ()) -> Rows:
        """Rows with these columns and those that only some rows have."""
        return cls(list(dict.fromkeys([*columns, *(name for row in rows for name in row)])), rows)


def kind_of(path: Path) -> FileKind:
    """The format of a file.

    Raises:
        ValueError: the name ends in none of the known endings.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{str(path)!r} does not end in one of {ENDINGS}")
    return kind
