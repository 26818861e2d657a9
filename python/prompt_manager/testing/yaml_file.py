"""YAML values with their places in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import read_yaml
from prompt_manager.exceptions import PromptValidationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["YamlNode", "parse", "read"]


class YamlNode(NamedTuple):
    """A value, and where it begins. Line and column count from 1.

    A list has nodes as items. A mapping is a tuple of pairs of nodes.
    """

    line: int
    column: int
    value: Any

    def plain(self) -> Any:
        """The value without places.

        Raises:
            PromptValidationError: a key is a list or a mapping.
        """
        return _plain(self)

    def members(self) -> dict[str, tuple[YamlNode, YamlNode]]:
        """The key and value nodes of a mapping, by key."""
        return {str(key[2]): (YamlNode(*key), YamlNode(*value)) for key, value in self.value}

    def items(self) -> list[YamlNode]:
        """The items of a list."""
        return [YamlNode(*item) for item in self.value]

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.value, tuple)


def _plain(node: tuple[int, int, Any]) -> Any:
    value = node[2]
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return {_key(key): _plain(member) for key, member in value}
    return value


def _key(node: tuple[int, int, Any]) -> Any:
    line, column, value = node
    if isinstance(value, (list, tuple)):
        found = "a list" if isinstance(value, list) else "a mapping"
        raise PromptValidationError(
            f"expected a string as the key, found {found}; write a value that begins with `{{{{` in quotes",
            line=line,
            column=column,
        )
    return value


def parse(name: str, data: bytes) -> YamlNode:
    """Read the only document of a YAML text.

    Raises:
        PromptValidationError: it is not YAML.
    """
    return YamlNode(*read_yaml(name, data))


def read(path: Path) -> YamlNode:
    """Read the only document of a YAML file.

    Raises:
        StorageReadError: the file cannot be read.
        PromptValidationError: it is not YAML.
    """
    from prompt_manager.exceptions import StorageReadError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageReadError(f"cannot read file {path}: {error.strerror}", path=str(path)) from error
    return parse(str(path), data)
