"""The loader: schemas by name, loaded from files or made in Python, and validation by them."""

from __future__ import annotations

from prompt_manager.validation._holder import SchemaHolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import Any, Literal, TypeVar

    from pydantic import BaseModel

    from prompt_manager._native import LoadedSchemaFile, Schemas
    from prompt_manager.validation.models import Schema, SchemaRegistry

    F = TypeVar("F", bound=Callable[[Any], bool])

__all__ = ["SchemaLoader"]


def _warn(warnings: list[str]) -> None:
    """Tell the author of schema files what a load passed over."""
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=3)


class SchemaLoader(SchemaHolder):
    """Schemas by name.

    >>> loader = SchemaLoader()
    >>> loader.register({"name": "point", "fields": [{"name": "x", "type": "float"}]})
    >>> loader.validate_data_sync("point", {"x": "1.5"})
    {'x': 1.5}
    """

    @classmethod
    def _of(cls, core: Schemas) -> SchemaLoader:
        """The face of schemas that the core holds already."""
        loader = cls.__new__(cls)
        loader._core = core
        return loader

    def register(self, schema: Schema | Mapping[str, Any]) -> None:
        """Add a schema. What it refers to may be added later; a schema that is there with the same content stays.

        Raises:
            SchemaError: another schema has this name.
            SchemaParseError: it breaks a rule, or parents go round in a circle.
            TypeError: it is neither a schema nor a mapping.
        """
        # A mapping is taken without pydantic being loaded for it.
        if hasattr(schema, "keys"):
            self._core.add(schema)
            return
        from prompt_manager.validation.models import Schema, _plain

        if not isinstance(schema, Schema):
            raise TypeError(f"schema must be a Schema or a mapping, not {type(schema).__name__}")
        self._core.add(_plain(schema), checked=True)

    def register_model(self, name: str, model: type[BaseModel]) -> None:
        """Let a pydantic model stand under a name: validation calls it, and gives its instance.

        Raises:
            TypeError: it is no pydantic model.
        """
        from prompt_manager.validation._pydantic import check_model

        self._core.put_model(name, check_model(model))

    def register_function(self, name: str, function: F) -> F:
        """Register a function that ``custom`` rules call by this name; it takes the value and gives True or False.

        >>> loader = SchemaLoader()
        >>> rule = {"type": "custom", "custom_function": "is_even"}
        >>> loader.register({"name": "s", "fields": [{"name": "n", "type": "integer", "validators": [rule]}]})
        >>> _ = loader.register_function("is_even", lambda n: n % 2 == 0)
        >>> loader.validate_data_sync("s", {"n": 4})
        {'n': 4}
        """
        if not callable(function):
            raise TypeError(f"function {name!r} must be callable, not {type(function).__name__}")
        self._core.register_function(name, function)
        return function

    async def load_file(self, filepath: str | os.PathLike[str]) -> SchemaRegistry:
        """Load a schema file. What its schemas refer to may be loaded later.

        What a file says without effect, as files of the published package may, is warned of.

        Raises:
            StorageReadError: it cannot be read.
            SchemaParseError: it breaks a rule; with file, line and column, several as ``errors``.
            SchemaError: one of its names stands for another schema.
        """
        files, warnings = await self._core.load(filepath, is_directory=False)
        _warn(warnings)
        return self._registry(files[0])

    def load_file_sync(self, filepath: str | os.PathLike[str]) -> SchemaRegistry:
        """:meth:`load_file`, for code that does not await."""
        files, warnings = self._core.load_sync(filepath, is_directory=False)
        _warn(warnings)
        return self._registry(files[0])

    async def load_directory(
        self, dirpath: str | os.PathLike[str], *, on_error: Literal["raise", "skip"] = "raise"
    ) -> list[SchemaRegistry]:
        """Load every schema file below a directory; all that schemas refer to must be there.

        Args:
            dirpath: The directory.
            on_error: ``"raise"``: one bad file fails the load. ``"skip"``: the good schemas load, the rest is
                warned of.

        Raises:
            StorageReadError: the directory cannot be read.
            SchemaParseError: files break a rule; several problems as ``errors``.
        """
        files, warnings = await self._core.load(dirpath, is_directory=True, skip=_skips(on_error))
        _warn(warnings)
        return [self._registry(file) for file in files]

    def load_directory_sync(
        self, dirpath: str | os.PathLike[str], *, on_error: Literal["raise", "skip"] = "raise"
    ) -> list[SchemaRegistry]:
        """:meth:`load_directory`, for code that does not await."""
        files, warnings = self._core.load_sync(dirpath, is_directory=True, skip=_skips(on_error))
        _warn(warnings)
        return [self._registry(file) for file in files]

    def _registry(self, file: LoadedSchemaFile) -> SchemaRegistry:
        from prompt_manager.validation.models import SchemaRegistry, _read

        schemas = tuple(_read(self._core.get(name)) for name in file["names"])
        return SchemaRegistry(version=file["version"] or "1.0.0", schemas=schemas, metadata=file["metadata"])

    def names(self) -> list[str]:
        """Every name, sorted."""
        return self._core.names()

    def get_schema(self, name: str) -> Schema | None:
        """The schema of this name; ``None`` where there is none, or a model stands there."""
        from prompt_manager.validation.models import _read

        found = self._core.get(name)
        return _read(found) if isinstance(found, dict) else None

    def get_model(self, name: str) -> type[BaseModel] | None:
        """The pydantic model that was registered under this name."""
        found = self._core.get(name)
        return found if isinstance(found, type) else None

    async def validate_data(self, schema_name: str, data: Any, *, coerce: bool | None = None) -> Any:
        """The data as the schema has it: converted, with defaults. What fits as it is is given back itself.

        Args:
            schema_name: The schema, or the name of a registered model, of which an instance is given.
            data: A mapping, or an object with declared fields.
            coerce: Convert values or not, whatever the schemas say.

        Raises:
            SchemaError: there is no such schema, or a function that it calls is not registered.
            SchemaValidationError: the data does not fit; ``errors`` has every violation.
        """
        return self._core.validate(schema_name, data, coerce=coerce)

    def validate_data_sync(self, schema_name: str, data: Any, *, coerce: bool | None = None) -> Any:
        """:meth:`validate_data`, for code that does not await."""
        return self._core.validate(schema_name, data, coerce=coerce)

    def create_pydantic_model(self, schema: Schema, *, model_name: str | None = None) -> type[BaseModel]:
        """A pydantic model for a schema, with a model for each schema that it names.

        Raises:
            SchemaParseError: a schema that it names is not there.
            TypeError: ``schema`` is not a :class:`Schema`.
        """
        from prompt_manager.validation._model_from_schema import make_model
        from prompt_manager.validation.models import Schema

        if not isinstance(schema, Schema):
            raise TypeError(f"schema must be a Schema, not {type(schema).__name__}")
        return make_model(self, schema, model_name or schema.name)

    def to_json_schema(self, name: str, *, strict: bool = False) -> dict[str, Any]:
        """A schema, or a model, as JSON Schema; see :meth:`Schema.to_json_schema`.

        Raises:
            SchemaError: there is no such schema, or the strict subset cannot say it.
        """
        return self._core.json_schema(name, strict=strict)

    def example(self, name: str) -> dict[str, Any] | None:
        """Data that fits a schema; ``None`` where none can be thought of."""
        return self._core.example(name)

    def output_instructions(self, name: str) -> str:
        """What is appended to a prompt whose answer must fit this schema."""
        return self._core.instructions(name)

    def clear_cache(self) -> None:
        """Forget every schema and model; functions stay."""
        self._core.clear()

    @staticmethod
    def create_example_schema(output_path: str | os.PathLike[str]) -> None:
        """Write a schema file to start from.

        Raises:
            FileExistsError: there is a file already.
        """
        from pathlib import Path

        with Path(output_path).open("x", encoding="utf-8") as file:
            file.write(_EXAMPLE)


def _skips(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', not {on_error!r}")
    return on_error == "skip"


_EXAMPLE = """\
version: 1.0.0
metadata:
  description: Schemas to start from
schemas:
  - name: user_profile
    description: Somebody who uses the application
    fields:
      - name: username
        type: string
        description: The name to log in with
        validators:
          - {type: min_length, min_value: 3, error_message: A user name has 3 characters at least}
          - {type: max_length, max_value: 20}
          - {type: regex, pattern: '^[a-zA-Z0-9_]+$'}
      - name: email
        type: string
        validators:
          - {type: email}
      - name: age
        type: integer
        required: false
        nullable: true
        validators:
          - {type: range, min_value: 13, max_value: 120}
      - name: role
        type: enum
        default: user
        validators:
          - {type: enum, allowed_values: [user, admin, moderator]}
      - name: addresses
        type: list
        item_schema: address
        default: []
  - name: address
    fields:
      - {name: street, type: string}
      - {name: city, type: string}
"""
