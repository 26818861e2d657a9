"""Explains unknown keys of a model, with the message and hint that the same key would have in a file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from prompt_manager import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from pydantic.functional_validators import ModelWrapValidatorHandler
    from pydantic_core import ErrorDetails

__all__ = ["NamedKeys", "is_unknown_field", "repeated"]

#: The types of errors that have our own messages.
_OWN_TYPES = frozenset({"prompt", "schema", "unknown_key"})


def is_unknown_field(detail: ErrorDetails) -> bool:
    """Whether the mistake is a field that the model itself does not have."""
    return detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1


def repeated(detail: ErrorDetails) -> InitErrorDetails:
    """A mistake that pydantic found, in the type that a new `ValidationError` takes."""
    kind = detail["type"]
    error = PydanticCustomError(kind, "{reason}", {"reason": detail["msg"]}) if kind in _OWN_TYPES else kind
    return InitErrorDetails(type=error, loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))


class NamedKeys(BaseModel):
    """A model with the keys of a file. A key that it does not have is explained by the rules for files."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_unknown_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as broken:
            explained = _explained(cls.__name__, broken.errors(include_url=False))
            if explained is None:
                raise
            raise ValidationError.from_exception_data(cls.__name__, explained, hide_input=True) from None


def _explained(model: str, details: list[ErrorDetails]) -> list[InitErrorDetails] | None:
    """The mistakes with the explanations of unknown keys, or ``None`` if there is none to explain.

    A required key is not reported as missing if it is only misspelt.
    """
    explained: dict[str, str] = {}
    meant: set[str | None] = set()
    for detail in details:
        if not is_unknown_field(detail):
            continue
        key = str(detail["loc"][0])
        if (found := _native.unknown_key(model, key)) is not None:
            explained[key], near = found
            meant.add(near)
    if not explained:
        return None
    listed = []
    for detail in details:
        own_key = str(detail["loc"][0]) if len(detail["loc"]) == 1 else ""
        if detail["type"] == "missing" and own_key in meant:
            continue
        if own_key in explained and is_unknown_field(detail):
            error = PydanticCustomError("unknown_key", "{reason}", {"reason": explained[own_key]})
            listed.append(InitErrorDetails(type=error, loc=detail["loc"], input=detail["input"]))
        else:
            listed.append(repeated(detail))
    return listed
