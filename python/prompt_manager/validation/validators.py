"""Each rule as an object that can be used alone; the rule itself is the core's.

>>> LengthValidator(min_length=3).validate("ab")
(False, 'must have at least 3 characters')
>>> EmailValidator()("ada@example.com")
'ada@example.com'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


class BaseValidator:
    """One rule, or several that all must hold, as schema files write them.

    Raises:
        SchemaParseError: a rule lacks what it needs.
    """

    def __init__(self, *rules: Mapping[str, Any], error_message: str | None = None) -> None:
        self.error_message = error_message
        own = {} if error_message is None else {"error_message": error_message}
        self._rules = [{**rule, **own} for rule in rules]
        self._function: Callable[[Any], bool] | None = None
        for rule in self._rules:
            _native.check_schema({"name": "schema", "fields": [{"name": "field", "type": "any", "validators": [rule]}]})

    def validate(self, value: Any) -> tuple[bool, str | None]:
        """Whether the value keeps the rule, and what is wrong where it does not. The value is never in the text."""
        for rule in self._rules:
            message = _native.check_rule(rule, value, self._function)
            if message is not None:
                return False, message
        return True, None

    def __call__(self, value: Any) -> Any:
        """The value, where it keeps the rule; so a validator serves as one of pydantic's.

        Raises:
            ValueError: it does not.
        """
        fits, message = self.validate(value)
        if not fits:
            raise ValueError(message)
        return value


class LengthValidator(BaseValidator):
    """The length of a text, list or dict."""

    def __init__(
        self, min_length: int | None = None, max_length: int | None = None, error_message: str | None = None
    ) -> None:
        self.min_length = min_length
        self.max_length = max_length
        low = [] if min_length is None else [{"type": "min_length", "min_value": min_length}]
        high = [] if max_length is None else [{"type": "max_length", "max_value": max_length}]
        super().__init__(*low, *high, error_message=error_message)


class RangeValidator(BaseValidator):
    """The bounds of a number, which are allowed themselves."""

    def __init__(
        self, min_value: float | None = None, max_value: float | None = None, error_message: str | None = None
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        low = [] if min_value is None else [{"type": "min_value", "min_value": min_value}]
        high = [] if max_value is None else [{"type": "max_value", "max_value": max_value}]
        super().__init__(*low, *high, error_message=error_message)


class RegexValidator(BaseValidator):
    """A pattern, matched anywhere in a text unless it has ``^`` and ``$``; look-around is refused."""

    def __init__(self, pattern: str, error_message: str | None = None) -> None:
        self.pattern = pattern
        super().__init__({"type": "regex", "pattern": pattern}, error_message=error_message)


class EnumValidator(BaseValidator):
    """One of several values."""

    def __init__(self, allowed_values: Sequence[Any], error_message: str | None = None) -> None:
        self.allowed_values = list(allowed_values)
        super().__init__({"type": "enum", "allowed_values": self.allowed_values}, error_message=error_message)


class EmailValidator(BaseValidator):
    """An email address, in any script."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "email"}, error_message=error_message)


class URLValidator(BaseValidator):
    """An absolute http or https URL."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "url"}, error_message=error_message)


class UUIDValidator(BaseValidator):
    """A UUID, as text or as an object."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "uuid"}, error_message=error_message)


class DateValidator(BaseValidator):
    """A date in ISO form (``2026-01-31``), or a date object."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "date"}, error_message=error_message)


class DateTimeValidator(BaseValidator):
    """A date with a time in ISO form (``2026-01-31T12:00:00Z``), or a datetime object."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "datetime"}, error_message=error_message)


class CustomValidator(BaseValidator):
    """A function that says whether a value will do, with ``True`` or ``False``.

    A ``ValueError`` or ``AssertionError`` of its own counts as ``False``; any other exception is a
    ``SchemaError``, as is another return value.
    """

    def __init__(self, validator_func: Callable[[Any], bool], error_message: str | None = None) -> None:
        self.validator_func = validator_func
        name = getattr(validator_func, "__name__", "function")
        super().__init__({"type": "custom", "custom_function": name}, error_message=error_message)
        self._function = validator_func


class ValidatorFactory:
    """Makes the object for a rule that is written as in a schema file."""

    @staticmethod
    def create_validator(
        validator_config: Mapping[str, Any], functions: Mapping[str, Callable[[Any], bool]] | None = None
    ) -> BaseValidator:
        """The validator of a configuration.

        Args:
            validator_config: ``type``, and what the rule needs.
            functions: The functions that ``custom`` may name.

        Raises:
            SchemaParseError: the type is unknown, or the rule lacks what it needs.
        """
        given = {name: value for name, value in validator_config.items() if value is not None}
        message = given.pop("error_message", None)
        validator = BaseValidator(given, error_message=message)
        if given.get("type") == "custom":
            function = (functions or {}).get(given["custom_function"])
            if function is None:
                from prompt_manager.exceptions import SchemaError

                name = given["custom_function"]
                raise SchemaError(f"the function {name!r} is not among `functions`", function=name)
            validator._function = function
        return validator
