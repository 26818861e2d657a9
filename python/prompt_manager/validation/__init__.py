"""Schemas for the input of prompts and the output of models. The core validates them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.validation.loader import SchemaLoader
    from prompt_manager.validation.models import (
        FieldType,
        FieldValidator,
        Schema,
        SchemaField,
        SchemaRegistry,
        ValidationType,
    )
    from prompt_manager.validation.output import ParsedOutput, Repair
    from prompt_manager.validation.validators import (
        BaseValidator,
        CustomValidator,
        DateTimeValidator,
        DateValidator,
        EmailValidator,
        EnumValidator,
        LengthValidator,
        RangeValidator,
        RegexValidator,
        URLValidator,
        UUIDValidator,
        ValidatorFactory,
    )

__all__ = [
    "BaseValidator",
    "CustomValidator",
    "DateTimeValidator",
    "DateValidator",
    "EmailValidator",
    "EnumValidator",
    "FieldType",
    "FieldValidator",
    "LengthValidator",
    "ParsedOutput",
    "RangeValidator",
    "RegexValidator",
    "Repair",
    "Schema",
    "SchemaField",
    "SchemaLoader",
    "SchemaRegistry",
    "URLValidator",
    "UUIDValidator",
    "ValidationType",
    "ValidatorFactory",
]

_MODULES = {
    "BaseValidator": "validators",
    "CustomValidator": "validators",
    "DateTimeValidator": "validators",
    "DateValidator": "validators",
    "EmailValidator": "validators",
    "EnumValidator": "validators",
    "FieldType": "models",
    "FieldValidator": "models",
    "LengthValidator": "validators",
    "Repair": "output",
    "ParsedOutput": "output",
    "RangeValidator": "validators",
    "RegexValidator": "validators",
    "Schema": "models",
    "SchemaField": "models",
    "SchemaLoader": "loader",
    "SchemaRegistry": "models",
    "URLValidator": "validators",
    "UUIDValidator": "validators",
    "ValidationType": "models",
    "ValidatorFactory": "validators",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
