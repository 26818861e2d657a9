"""Validators: the rules of schemas as objects that you can use alone.

>>> LengthValidator(min_length=3).validate("ab")
(False, 'must have at least 3 characters')
>>> EmailValidator()("ada@example.com")
'ada@example.com'
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from prompt_manager import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BaseValidator",
    "CustomValidator",
    "DateTimeValidator",
    "DateValidator",
    "EmailValidator",
    "EnumValidator",
    "LengthValidator",
    "RangeValidator",
    "RegexValidator",
    "URLValidator",
    "UUIDValidator",
    "ValidatorFactory",
]


_Functions: TypeAlias = Mapping[str, Callable[[Any], bool]]


class BaseValidator(ABC):
    """The base class of validators, also for your own.

    >>> class Even(BaseValidator):
    ...     def validate(self, value):
    ...         return (True, None) if value % 2 == 0 else (False, self.error_message or "must be even")
    >>> Even().validate(3)
    (False, 'must be even')
    """

    def __init__(self, error_message: str | None = None) -> None:
        self.error_message = error_message

    @abstractmethod
    def validate(self, value: Any) -> tuple[bool, str | None]:
        """Return ``(True, None)`` for a valid value, and ``(False, message)`` for an invalid one."""

    def __call__(self, value: Any) -> Any:
        """Return the value if it is valid. This lets you use a validator in pydantic's ``AfterValidator``.

        Raises:
            ValueError: the value is invalid.
        """
        is_valid, message = self.validate(value)
        if not is_valid:
            raise ValueError(message or "is invalid")
        return value


class _RuleValidator(BaseValidator):
    """A validator for one rule, or for several that all must hold. Rules are written as in schema files.

    Raises:
        SchemaParseError: a rule lacks a field that it needs.
    """

    def __init__(self, *rules: Mapping[str, Any], error_message: str | None) -> None:
        super().__init__(error_message)
        own = {} if error_message is None else {"error_message": error_message}
        self._rules = [{**rule, **own} for rule in rules]
        self._function: Callable[[Any], bool] | None = None
        for rule in self._rules:
            _checked(rule)

    def validate(self, value: Any) -> tuple[bool, str | None]:
        """Return whether the value is valid, and a message if it is not. The message never contains the value."""
        for rule in self._rules:
            message = _native.check_rule(rule, value, self._function)
            if message is not None:
                return False, message
        return True, None


def _checked(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Check a rule, and return it as the core parsed it."""
    field = {"name": "field", "type": "any", "validators": [rule]}
    checked: dict[str, Any] = _native.check_schema({"name": "schema", "fields": [field]}, exact=False)["fields"][0][
        "validators"
    ][0]
    return checked


class LengthValidator(_RuleValidator):
    """Limits the length of a string (in characters), list or dict. Both limits are inclusive."""

    def __init__(
        self, min_length: int | None = None, max_length: int | None = None, error_message: str | None = None
    ) -> None:
        self.min_length = min_length
        self.max_length = max_length
        low = [] if min_length is None else [{"type": "min_length", "min_value": min_length}]
        high = [] if max_length is None else [{"type": "max_length", "max_value": max_length}]
        super().__init__(*low, *high, error_message=error_message)


class RangeValidator(_RuleValidator):
    """Limits a number to a range. Both limits are inclusive."""

    def __init__(
        self, min_value: float | None = None, max_value: float | None = None, error_message: str | None = None
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        low = [] if min_value is None else [{"type": "min_value", "min_value": min_value}]
        high = [] if max_value is None else [{"type": "max_value", "max_value": max_value}]
        super().__init__(*low, *high, error_message=error_message)


class RegexValidator(_RuleValidator):
    """Requires a string that contains a match of a pattern. Look-around is not supported.

    Begin the pattern with ``^`` and end it with ``$`` to match the whole string.
    """

    def __init__(self, pattern: str, error_message: str | None = None) -> None:
        self.pattern = pattern
        super().__init__({"type": "regex", "pattern": pattern}, error_message=error_message)


class EnumValidator(_RuleValidator):
    """Requires one of the given values."""

    def __init__(self, allowed_values: Sequence[Any], error_message: str | None = None) -> None:
        self.allowed_values = list(allowed_values)
        super().__init__({"type": "enum", "allowed_values": self.allowed_values}, error_message=error_message)


class EmailValidator(_RuleValidator):
    """Requires an email address, which may contain non-ASCII letters."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "email"}, error_message=error_message)


class URLValidator(_RuleValidator):
    """Requires an absolute http or https URL."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "url"}, error_message=error_message)


class UUIDValidator(_RuleValidator):
    """Requires a UUID, as a string or a ``uuid.UUID``."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "uuid"}, error_message=error_message)


class DateValidator(_RuleValidator):
    """Requires a date, as a string or a ``datetime.date``.

    Args:
        format: The format of the string, with the codes of ``strftime``. By default ISO 8601 (``2026-01-31``).
        error_message: A message to use instead of the default one.

    Raises:
        SchemaParseError: the format has an unknown code, or does not determine the whole date.

    >>> DateValidator("%d.%m.%Y").validate("2026-01-31")
    (False, 'must be a date such as 31.01.2026')
    """

    def __init__(self, format: str | None = None, error_message: str | None = None) -> None:
        self.format = format
        super().__init__(_formatted("date", format), error_message=error_message)


class DateTimeValidator(_RuleValidator):
    """Requires a date with a time, as a string or a ``datetime.datetime``.

    Args:
        format: The format of the string, with the codes of ``strftime``. By default ISO 8601
            (``2026-01-31T12:00:00Z``).
        error_message: A message to use instead of the default one.

    Raises:
        SchemaParseError: the format has an unknown code, or does not determine the whole date.
    """

    def __init__(self, format: str | None = None, error_message: str | None = None) -> None:
        self.format = format
        super().__init__(_formatted("datetime", format), error_message=error_message)


def _formatted(rule_type: str, format: str | None) -> dict[str, Any]:
    return {"type": rule_type} if format is None else {"type": rule_type, "format": format}


class CustomValidator(_RuleValidator):
    """Calls a function, which returns ``True`` for a valid value and ``False`` for an invalid one.

    A ``ValueError`` or ``AssertionError`` of the function counts as ``False``. Any other exception, and any other
    return value, raises a ``SchemaError``.
    """

    def __init__(self, validator_func: Callable[[Any], bool], error_message: str | None = None) -> None:
        self.validator_func = validator_func
        name = getattr(validator_func, "__name__", "function")
        super().__init__({"type": "custom", "custom_function": name}, error_message=error_message)
        self._function = validator_func

    @classmethod
    def _named(cls, name: str, functions: _Functions, error_message: str | None) -> CustomValidator:
        """Make the validator of the function that a rule names."""
        if name not in functions:
            from prompt_manager.exceptions import SchemaError

            raise SchemaError(f"the function {name!r} is not among `functions`", function=name)
        validator = cls(functions[name], error_message)
        validator._rules[0]["custom_function"] = name
        return validator


class ValidatorFactory:
    """Makes validators from rules that are written as in a schema file."""

    @staticmethod
    def create_validator(validator_config: Mapping[str, Any], functions: _Functions | None = None) -> BaseValidator:
        """Make the validator of a rule.

        Args:
            validator_config: The ``type`` of the rule, and the fields that it needs.
            functions: The functions that a ``custom`` rule can name.

        Raises:
            SchemaParseError: the type is unknown, or the rule lacks a field that it needs.
            SchemaError: the function of a ``custom`` rule is not among ``functions``.

        >>> ValidatorFactory.create_validator({"type": "range", "min_value": 1, "max_value": 3}).validate(4)
        (False, 'must be at most 3')
        """
        rule = _checked({name: value for name, value in validator_config.items() if value is not None})
        return _FACTORIES[rule["type"]](rule, functions or {})


def _length_validator(rule: Mapping[str, Any], _: _Functions) -> BaseValidator:
    return LengthValidator(rule.get("min_value"), rule.get("max_value"), rule.get("error_message"))


def _range_validator(rule: Mapping[str, Any], _: _Functions) -> BaseValidator:
    return RangeValidator(rule.get("min_value"), rule.get("max_value"), rule.get("error_message"))


#: For each type of rule, a function that makes the validator of a checked rule.
_FACTORIES: dict[str, Callable[[Mapping[str, Any], _Functions], BaseValidator]] = {
    "min_length": _length_validator,
    "max_length": _length_validator,
    "min_value": _range_validator,
    "max_value": _range_validator,
    "range": _range_validator,
    "regex": lambda rule, _: RegexValidator(rule["pattern"], rule.get("error_message")),
    "enum": lambda rule, _: EnumValidator(rule["allowed_values"], rule.get("error_message")),
    "email": lambda rule, _: EmailValidator(rule.get("error_message")),
    "url": lambda rule, _: URLValidator(rule.get("error_message")),
    "uuid": lambda rule, _: UUIDValidator(rule.get("error_message")),
    "date": lambda rule, _: DateValidator(rule.get("format"), rule.get("error_message")),
    "datetime": lambda rule, _: DateTimeValidator(rule.get("format"), rule.get("error_message")),
    "custom": lambda rule, functions: CustomValidator._named(
        rule["custom_function"], functions, rule.get("error_message")
    ),
}
