"""Calls pydantic models that an application registered; the core imports this module to validate with one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, PydanticUserError, RootModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json
from pydantic_core.core_schema import ErrorType

__all__ = ["check_model", "json_schema", "type_name", "validate", "validate_json_as", "wants_dict"]

#: Error types of pydantic whose messages never contain the value.
_TYPES_WITHOUT_VALUE = set(get_args(ErrorType)) - {"value_error", "assertion_error", "union_tag_invalid"}


def check_model(model: object) -> type[BaseModel]:
    """Return the model if it is a pydantic model.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model
    kind = model.__name__ if isinstance(model, type) else type(model).__name__
    raise TypeError(f"a pydantic model is needed, not {kind}")


def validate(model: type[BaseModel], value: object) -> tuple[object, list[tuple[str, str, str]] | None]:
    """Validate a value: the model's instance, or a list of violations as path, rule and message."""
    try:
        return model.model_validate(value), None
    except ValidationError as error:
        return None, _violations(error, model.__name__)
    except UnicodeEncodeError:
        return None, [_unwritable(model.__name__)]


def validate_json_as(kind: Any, data: object) -> tuple[object, list[tuple[str, str, str]] | None]:
    """Validate JSON data by a model, dataclass, ``TypedDict`` or other type; the result is that of :func:`validate`.

    The data counts as JSON, so that strict models accept the text of a date, too.

    Raises:
        TypeError: pydantic cannot validate by this type.
    """
    adapter = _adapter(kind)
    try:
        return adapter.validate_json(to_json(data, inf_nan_mode="constants")), None
    except ValidationError as error:
        return None, _violations(error, type_name(kind))
    except UnicodeEncodeError:
        return None, [_unwritable(type_name(kind))]
    except PydanticSerializationError:
        return None, [("", "string_unicode", "contains half of a surrogate pair, which is not a valid text")]


@lru_cache(maxsize=128)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, (str, BaseModel)):
        raise TypeError(f"model must be a type, such as a pydantic model, not an instance of {type(kind).__name__}")
    try:
        return TypeAdapter(kind)
    except PydanticUserError as error:
        raise TypeError(f"pydantic cannot validate by {type_name(kind)}: {error.message}") from error


def type_name(kind: Any) -> str:
    """The name of a type for messages."""
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)


def _violations(error: ValidationError, name: str) -> list[tuple[str, str, str]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        (
            _path(violation["loc"]),
            violation["type"],
            # The message of an application's own validator may contain the value.
            violation["msg"] if violation["type"] in _TYPES_WITHOUT_VALUE else f"is refused by {name}",
        )
        for violation in found
    ]


def _unwritable(name: str) -> tuple[str, str, str]:
    """The violation for a message of a validator that has half a surrogate pair, so that pydantic cannot report it."""
    return "", "value_error", f"is refused by {name}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model."""
    return model.model_json_schema()


def wants_dict(model: type[BaseModel]) -> bool:
    """Whether a model takes only dicts: it has fields, and no validator of its own that takes something else."""
    own = model.__pydantic_decorators__.model_validators.values()
    return not issubclass(model, RootModel) and all(validator.info.mode == "after" for validator in own)
