"""`SchemaLoader`: schemas by name, from files or from Python, and validation by them."""

from __future__ import annotations

from prompt_manager.core._load_warning import warn_of
from prompt_manager.validation._holder import SchemaHolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Literal, TypeVar

    from pydantic import BaseModel

    from prompt_manager._native import LoadedSchemaFile, Schemas
    from prompt_manager.validation.models import Schema, SchemaRegistry

    F = TypeVar("F", bound=Callable[[Any], bool])

__all__ = ["SchemaLoader"]


class SchemaLoader(SchemaHolder):
    """Holds schemas by name and validates data by them.

    >>> loader = SchemaLoader()
    >>> loader.register({"name": "point", "fields": [{"name": "x", "type": "float"}]})
    >>> loader.validate_data_sync("point", {"x": "1.5"})
    {'x': 1.5}
    """

    @classmethod
    def _of(cls, core: Schemas) -> SchemaLoader:
        """A loader over schemas that the core already holds."""
        loader = cls.__new__(cls)
        loader._core = core
        return loader

    def __reduce__(self) -> tuple[Callable[..., SchemaLoader], tuple[object, ...]]:
        """What pickle and deepcopy take: the schemas, the models, and the functions that their rules call."""
        held = [(name, self._core.get(name)) for name in self._core.names()]
        names = sorted({name for _, schema in held for name in _functions_of(schema)})
        functions = [(name, self._core.function(name)) for name in names]
        return _restore, (type(self), held, functions)

    def _copy_to(self, core: Schemas) -> None:
        """Add the schemas and functions to others."""
        _, (_, held, functions) = self.__reduce__()
        fill_schemas(core, held, functions)  # type: ignore[arg-type] # they are what `__reduce__` returned

    def register(self, schema: Schema | Mapping[str, Any]) -> None:
        """Add a schema. The schemas that it names may be added later.

        Adding the same schema again changes nothing.

        Raises:
            SchemaError: another schema already has this name.
            SchemaParseError: the schema breaks a rule, or its parents form a circle.
            TypeError: it is neither a schema nor a mapping.
        """
        # A mapping goes to the core without importing pydantic.
        if hasattr(schema, "keys"):
            self._core.add(schema)
            return
        from prompt_manager.validation.models import Schema, _plain

        if not isinstance(schema, Schema):
            raise TypeError(f"schema must be a Schema or a mapping, not {type(schema).__name__}")
        self._core.add(_plain(schema), checked=True)

    def register_model(self, name: str, model: type[BaseModel]) -> None:
        """Register a pydantic model under a name. Validation by that name calls the model and returns its instance.

        Raises:
            TypeError: it is not a pydantic model.
        """
        from prompt_manager.validation._pydantic import check_model

        self._core.put_model(name, check_model(model))

    def register_function(self, name: str, function: F) -> F:
        """Register a function that ``custom`` rules call by this name. It takes the value and returns True or False.

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
        """Load a schema file. The schemas that it refers to may be loaded later.

        Keys that have no effect, such as some of ``agentic-prompt-manager``, give a warning.

        Raises:
            StorageReadError: the file cannot be read.
            SchemaParseError: the file breaks a rule. Its ``errors`` has one exception for each mistake, with file,
                line and column.
            SchemaError: another schema already has one of the names.
        """
        files, findings = await self._core.load(filepath, is_directory=False)
        warn_of(findings)
        return self._registry(files[0])

    def load_file_sync(self, filepath: str | os.PathLike[str]) -> SchemaRegistry:
        """Load a schema file. The schemas that it refers to may be loaded later.

        Keys that have no effect, such as some of ``agentic-prompt-manager``, give a warning.

        Raises:
            StorageReadError: the file cannot be read.
            SchemaParseError: the file breaks a rule. Its ``errors`` has one exception for each mistake, with file,
                line and column.
            SchemaError: another schema already has one of the names.
        """
        files, findings = self._core.load_sync(filepath, is_directory=False)
        warn_of(findings)
        return self._registry(files[0])

    async def load_directory(
        self, dirpath: str | os.PathLike[str], *, on_error: Literal["raise", "skip"] = "raise"
    ) -> list[SchemaRegistry]:
        """Load every schema file below a directory. Every schema that they refer to must exist.

        Args:
            dirpath: The directory.
            on_error: With ``"raise"``, one bad file fails the load. With ``"skip"``, the good schemas load and each bad
                one gives a warning.

        Raises:
            StorageReadError: the directory cannot be read.
            SchemaParseError: files break a rule. Its ``errors`` has one exception for each mistake.
        """
        files, findings = await self._core.load(dirpath, is_directory=True, skip=_skips(on_error))
        warn_of(findings)
        return [self._registry(file) for file in files]

    def load_directory_sync(
        self, dirpath: str | os.PathLike[str], *, on_error: Literal["raise", "skip"] = "raise"
    ) -> list[SchemaRegistry]:
        """Load every schema file below a directory. Every schema that they refer to must exist.

        Args:
            dirpath: The directory.
            on_error: With ``"raise"``, one bad file fails the load. With ``"skip"``, the good schemas load and each bad
                one gives a warning.

        Raises:
            StorageReadError: the directory cannot be read.
            SchemaParseError: files break a rule. Its ``errors`` has one exception for each mistake.
        """
        files, findings = self._core.load_sync(dirpath, is_directory=True, skip=_skips(on_error))
        warn_of(findings)
        return [self._registry(file) for file in files]

    def _registry(self, file: LoadedSchemaFile) -> SchemaRegistry:
        from prompt_manager.validation.models import SchemaRegistry, _read

        schemas = tuple(_read(self._core.get(name)) for name in file["names"])
        return SchemaRegistry(version=file["version"] or "1.0.0", schemas=schemas, metadata=file["metadata"])

    def names(self) -> list[str]:
        """The names of all schemas and models, sorted."""
        return self._core.names()

    def get_schema(self, name: str) -> Schema | None:
        """The schema of this name, or ``None`` if there is none or the name belongs to a pydantic model."""
        from prompt_manager.validation.models import _read

        found = self._core.get(name)
        return _read(found) if isinstance(found, dict) else None

    def get_model(self, name: str) -> type[BaseModel] | None:
        """The pydantic model that was registered under this name, or ``None``."""
        found = self._core.get(name)
        return found if isinstance(found, type) else None

    async def validate_data(self, schema_name: str, data: Any, *, coerce: bool | None = None) -> Any:
        """Validate data by a schema. Returns it with values converted and defaults filled in.

        Data that needs neither is returned itself, not copied.

        Args:
            schema_name: The name of a schema, or of a registered model, whose instance is then returned.
            data: A mapping, or an object with declared fields.
            coerce: Whether to convert values to their type. By default the schema decides.

        Raises:
            SchemaError: no schema has this name, or a function that it calls is not registered.
            SchemaValidationError: the data does not fit. Its ``errors`` has every violation.
        """
        return self._core.validate(schema_name, data, coerce=coerce)

    def validate_data_sync(self, schema_name: str, data: Any, *, coerce: bool | None = None) -> Any:
        """Validate data by a schema. Returns it with values converted and defaults filled in.

        Data that needs neither is returned itself, not copied.

        Args:
            schema_name: The name of a schema, or of a registered model, whose instance is then returned.
            data: A mapping, or an object with declared fields.
            coerce: Whether to convert values to their type. By default the schema decides.

        Raises:
            SchemaError: no schema has this name, or a function that it calls is not registered.
            SchemaValidationError: the data does not fit. Its ``errors`` has every violation.
        """
        return self._core.validate(schema_name, data, coerce=coerce)

    def create_pydantic_model(self, schema: Schema, *, model_name: str | None = None) -> type[BaseModel]:
        """Make a pydantic model from a schema, and one for each schema that it names.

        Raises:
            SchemaParseError: a schema that it names does not exist.
            TypeError: ``schema`` is not a :class:`Schema`.
        """
        from prompt_manager.validation._model_from_schema import make_model
        from prompt_manager.validation.models import Schema

        if not isinstance(schema, Schema):
            raise TypeError(f"schema must be a Schema, not {type(schema).__name__}")
        return make_model(self, schema, model_name or schema.name)

    def to_json_schema(self, name: str, *, strict: bool = False) -> dict[str, Any]:
        """A schema or model as JSON Schema; see :meth:`Schema.to_json_schema`.

        Raises:
            SchemaError: no schema has this name, or the strict subset cannot express it.
        """
        return self._core.json_schema(name, strict=strict)

    def example(self, name: str) -> dict[str, Any] | None:
        """An example of data that fits a schema, or ``None`` if none could be made."""
        return self._core.example(name)

    def output_instructions(self, name: str) -> str:
        """The instructions that are appended to a prompt whose answer must fit this schema."""
        return self._core.instructions(name)

    def clear_cache(self) -> None:
        """Remove every schema and model. Registered functions stay."""
        self._core.clear()

    @staticmethod
    def create_example_schema(output_path: str | os.PathLike[str]) -> None:
        """Write an example schema file.

        Raises:
            FileExistsError: the file already exists.
            StorageWriteError: the path has half a surrogate pair.
        """
        from pathlib import Path

        from prompt_manager._encodable import check_encodable
        from prompt_manager.exceptions import StorageWriteError

        check_encodable(str(output_path), "the path", StorageWriteError)
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


def _functions_of(schema: object) -> Iterator[str]:
    """The names of the functions that the rules of a schema call."""
    if isinstance(schema, dict):
        function = schema.get("custom_function")
        if isinstance(function, str):
            yield function
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _functions_of(each)


def _restore(kind: type[SchemaLoader], held: list[tuple[str, Any]], functions: list[tuple[str, Any]]) -> SchemaLoader:
    """Restore a pickled loader."""
    loader = kind()
    fill_schemas(loader._core, held, functions)
    return loader


def fill_schemas(core: Schemas, held: list[tuple[str, Any]], functions: list[tuple[str, Any]]) -> None:
    """Add schemas, models and functions, each with its name, to an empty set."""
    for name, schema in held:
        if isinstance(schema, type):
            core.put_model(name, schema)
        else:
            core.add(schema)
    for name, function in functions:
        if function is not None:
            core.register_function(name, function)
