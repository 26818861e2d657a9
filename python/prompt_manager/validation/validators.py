"""Each rule as an object that can be used alone; the rule itself is the core's.

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
    """What tells whether a value will do; a class of the application's own may be one too.

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
        """Whether the value will do, and what is wrong where it will not."""

    def __call__(self, value: Any) -> Any:
        """The value, where it will do; so a validator serves as one of pydantic's.

        Raises:
            ValueError: it will not.
        """
        fits, message = self.validate(value)
        if not fits:
            raise ValueError(message or "is refused")
        return value


class _RuleValidator(BaseValidator):
    """One rule, or several that all must hold, as schema files write them.

    Raises:
        SchemaParseError: a rule lacks what it needs.
    """

    def __init__(self, *rules: Mapping[str, Any], error_message: str | None) -> None:
        super().__init__(error_message)
        own = {} if error_message is None else {"error_message": error_message}
        self._rules = [{**rule, **own} for rule in rules]
        self._function: Callable[[Any], bool] | None = None
        for rule in self._rules:
            _checked(rule)

    def validate(self, value: Any) -> tuple[bool, str | None]:
        """Whether the value keeps the rule, and what is wrong where it does not. The value is never in the text."""
        for rule in self._rules:
            message = _native.check_rule(rule, value, self._function)
            if message is not None:
                return False, message
        return True, None


def _checked(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule as the core has read it."""
    field = {"name": "field", "type": "any", "validators": [rule]}
    checked: dict[str, Any] = _native.check_schema({"name": "schema", "fields": [field]}, exact=False)["fields"][0][
        "validators"
    ][0]
    return checked


class LengthValidator(_RuleValidator):
    """The length of a text, list or dict."""

    def __init__(
        self, min_length: int | None = None, max_length: int | None = None, error_message: str | None = None
    ) -> None:
        self.min_length = min_length
        self.max_length = max_length
        low = [] if min_length is None else [{"type": "min_length", "min_value": min_length}]
        high = [] if max_length is None else [{"type": "max_length", "max_value": max_length}]
        super().__init__(*low, *high, error_message=error_message)


class RangeValidator(_RuleValidator):
    """The bounds of a number, which are allowed themselves."""

    def __init__(
        self, min_value: float | None = None, max_value: float | None = None, error_message: str | None = None
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        low = [] if min_value is None else [{"type": "min_value", "min_value": min_value}]
        high = [] if max_value is None else [{"type": "max_value", "max_value": max_value}]
        super().__init__(*low, *high, error_message=error_message)


class RegexValidator(_RuleValidator):
    """A pattern, matched anywhere in a text unless it has ``^`` and ``$``; look-around is refused."""

    def __init__(self, pattern: str, error_message: str | None = None) -> None:
        self.pattern = pattern
        super().__init__({"type": "regex", "pattern": pattern}, error_message=error_message)


class EnumValidator(_RuleValidator):
    """One of several values."""

    def __init__(self, allowed_values: Sequence[Any], error_message: str | None = None) -> None:
        self.allowed_values = list(allowed_values)
        super().__init__({"type": "enum", "allowed_values": self.allowed_values}, error_message=error_message)


class EmailValidator(_RuleValidator):
    """An email address, in any script."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "email"}, error_message=error_message)


class URLValidator(_RuleValidator):
    """An absolute http or https URL."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "url"}, error_message=error_message)


class UUIDValidator(_RuleValidator):
    """A UUID, as text or as an object."""

    def __init__(self, error_message: str | None = None) -> None:
        super().__init__({"type": "uuid"}, error_message=error_message)


class DateValidator(_RuleValidator):
    """A date as text, or a date object.

    Args:
        format: How the text is written, in the words of ``strftime``; ISO form (``2026-01-31``) by default.
        error_message: What to say instead of the rule's own message.

    Raises:
        SchemaParseError: the format has an unknown directive, or lacks year, month or day.

    >>> DateValidator("%d.%m.%Y").validate("2026-01-31")
    (False, 'must be a date such as 31.01.2026')
    """

    def __init__(self, format: str | None = None, error_message: str | None = None) -> None:
        self.format = format
        super().__init__(_formatted("date", format), error_message=error_message)


class DateTimeValidator(_RuleValidator):
    """A date with a time as text, or a datetime object.

    Args:
        format: How the text is written, in the words of ``strftime``; ISO form (``2026-01-31T12:00:00Z``) by default.
        error_message: What to say instead of the rule's own message.

    Raises:
        SchemaParseError: the format has an unknown directive, or lacks year, month or day.
    """

    def __init__(self, format: str | None = None, error_message: str | None = None) -> None:
        self.format = format
        super().__init__(_formatted("datetime", format), error_message=error_message)


def _formatted(kind: str, form: str | None) -> dict[str, Any]:
    return {"type": kind} if form is None else {"type": kind, "format": form}


class CustomValidator(_RuleValidator):
    """A function that says whether a value will do, with ``True`` or ``False``.

    A ``ValueError`` or ``AssertionError`` of its own counts as ``False``; any other exception is a
    ``SchemaError``, as is another return value.
    """

    def __init__(self, validator_func: Callable[[Any], bool], error_message: str | None = None) -> None:
        self.validator_func = validator_func
        name = getattr(validator_func, "__name__", "function")
        super().__init__({"type": "custom", "custom_function": name}, error_message=error_message)
        self._function = validator_func

    @classmethod
    def _named(cls, name: str, functions: _Functions, error_message: str | None) -> CustomValidator:
        """The validator of a function by the name that a schema has for it."""
        if name not in functions:
            from prompt_manager.exceptions import SchemaError

            raise SchemaError(f"the function {name!r} is not among `functions`", function=name)
        made = cls(functions[name], error_message)
        made._rules[0]["custom_function"] = name
        return made


class ValidatorFactory:
    """Makes the object for a rule that is written as in a schema file."""

    @staticmethod
    def create_validator(validator_config: Mapping[str, Any], functions: _Functions | None = None) -> BaseValidator:
        """The validator of a configuration.

        Args:
            validator_config: ``type``, and what the rule needs.
            functions: The functions that ``custom`` may name.

        Raises:
            SchemaParseError: the type is unknown, or the rule lacks what it needs.
            SchemaError: the function of a ``custom`` rule is not among ``functions``.

        >>> ValidatorFactory.create_validator({"type": "range", "min_value": 1, "max_value": 3}).validate(4)
        (False, 'must be at most 3')
        """
        given = _checked({name: value for name, value in validator_config.items() if value is not None})
        return _MAKERS[given["type"]](given, functions or {})


def _of_length(rule: Mapping[str, Any], _: _Functions) -> BaseValidator:
    return LengthValidator(rule.get("min_value"), rule.get("max_value"), rule.get("error_message"))


def _of_range(rule: Mapping[str, Any], _: _Functions) -> BaseValidator:
    return RangeValidator(rule.get("min_value"), rule.get("max_value"), rule.get("error_message"))


#: What makes the validator of a rule that the core has checked.
_MAKERS: dict[str, Callable[[Mapping[str, Any], _Functions], BaseValidator]] = {
    "min_length": _of_length,
    "max_length": _of_length,
    "min_value": _of_range,
    "max_value": _of_range,
    "range": _of_range,
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
