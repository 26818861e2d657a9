"""Each validation rule as a validator object."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import uuid4

import pytest
from pydantic import AfterValidator, TypeAdapter, ValidationError

from helpers import SECRET
from prompt_manager.exceptions import SchemaError, SchemaParseError
from prompt_manager.validation import (
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


@pytest.mark.parametrize(
    ("validator", "good", "bad", "message"),
    [
        (LengthValidator(2, 3), "ab", "a", "must have at least 2 characters"),
        (LengthValidator(max_length=1), [1], [1, 2], "must have at most 1 items"),
        (LengthValidator(1), {"a": 1}, {}, "must have at least 1 items"),
        (RangeValidator(1, 2.5), 2.5, 3, "must be at most 2.5"),
        (RangeValidator(1), 10**30, float("nan"), "must be at least 1"),
        (RangeValidator(1), 1, True, "must be a number, not a boolean"),
        (RegexValidator("^a+$"), "aa", "b", "must match the pattern ^a+$"),
        (EnumValidator(["a", 1]), 1, True, "must be one of 'a', 1"),
        (EmailValidator(), "ada@example.com", "ada", "must be an email address"),
        (URLValidator(), "https://[::1]/", "x", "must be an http or https URL"),
        (UUIDValidator(), uuid4(), "x", "must be a UUID"),
        (DateValidator(), dt.date(2026, 1, 31), "31/01/2026", "must be a date such as 2026-01-31"),
        (DateTimeValidator(), "2026-01-31T12:00:00+05:30", "2026-01-31", "must be a date with a time such as 2026-01-31T12:00:00Z"),
        (DateValidator("%d/%m/%Y"), "31/01/2026", "2026-01-31", "must be a date such as 31/01/2026"),
        (DateValidator("%d %B %Y"), dt.date(2026, 1, 31), "31 Januar 2026", "must be a date such as 31 January 2026"),
        (DateTimeValidator("%Y-%m-%dT%H:%M:%S"), "2026-01-31T12:30:00", "2026-01-31T12:30:00Z",
         "must be a date with a time such as 2026-01-31T12:00:00"),
        (DateTimeValidator(format="%d.%m.%Y %H:%M %z"), "31.01.2026 09:00 +0530", "31.02.2026 09:00 +0530",
         "must be a date with a time such as 31.01.2026 12:00 +0000"),
        (CustomValidator(lambda value: value > 1), 2, 1, "is refused by `<lambda>`"),
        (EmailValidator(error_message="no address"), "ada@example.com", "ada", "no address"),
    ],
)  # fmt: skip
def test_a_validator_returns_what_is_wrong(validator, good, bad, message):
    assert validator.validate(good) == (True, None)
    assert validator(good) is good
    assert validator.validate(bad) == (False, message)
    with pytest.raises(ValueError, match=r"^") as caught:
        validator(bad)
    assert str(caught.value) == message


def test_a_validator_works_as_a_pydantic_validator():
    adapter = TypeAdapter(Annotated[str, AfterValidator(EmailValidator())])
    assert adapter.validate_python("ada@example.com") == "ada@example.com"
    with pytest.raises(ValidationError, match="must be an email address"):
        adapter.validate_python("ada")


def test_messages_do_not_contain_the_value():
    for validator in (EmailValidator(), RegexValidator("^x"), EnumValidator(["x"]), LengthValidator(max_length=1)):
        assert SECRET not in str(validator.validate(SECRET)[1])


@pytest.mark.parametrize("form", ["", "%d.%m.", "%Y", "%d.%m.%Y %&", "day %j"])
def test_an_invalid_date_format_is_refused(form):
    with pytest.raises(SchemaParseError, match="cannot be used: it"):
        DateValidator(form)


def test_date_formats_agree_with_strptime():
    for form in ("%d.%m.%Y", "%m/%d/%y", "%Y%m%d", "%A, %d %b %Y", "%Y-%j"):
        validator = DateValidator(form)
        day = dt.date(1970, 1, 1)
        while day.year < 2060:
            assert validator.validate(day.strftime(form)) == (True, None), (form, day)
            day += dt.timedelta(days=97)
    for text in ("31.04.2026", "29.02.2027", "1.1.26", "00.01.2026", "01.13.2026", "01.01.2026 ", "x"):
        try:
            dt.datetime.strptime(text, "%d.%m.%Y")  # noqa: DTZ007 - as in the published package
            valid = True
        except ValueError:
            valid = False
        assert DateValidator("%d.%m.%Y").validate(text)[0] is valid, text


def test_custom_validator_classes_work():
    class Even(BaseValidator):
        def validate(self, value):
            return value % 2 == 0, self.error_message

    assert Even("odd").validate(3) == (False, "odd")
    assert Even()(2) == 2
    with pytest.raises(ValueError, match="is invalid"):
        Even()(3)
    with pytest.raises(TypeError, match="abstract"):
        BaseValidator()


@pytest.mark.parametrize(
    ("rule", "kind", "expected"),
    [
        ({"type": "min_length", "min_value": 2, "max_value": 3}, LengthValidator, (2, 3)),
        ({"type": "max_length", "value": 3}, LengthValidator, (None, 3)),
        ({"type": "min_value", "value": 2}, RangeValidator, (2, None)),
        ({"type": "date", "format": "%d.%m.%Y"}, DateValidator, "%d.%m.%Y"),
        ({"type": "datetime"}, DateTimeValidator, None),
        ({"type": "regex", "pattern": "^a"}, RegexValidator, "^a"),
        ({"type": "enum", "allowed_values": ["a"]}, EnumValidator, ["a"]),
        ({"type": "email"}, EmailValidator, ...),
        ({"type": "url"}, URLValidator, ...),
        ({"type": "uuid"}, UUIDValidator, ...),
    ],
)
def test_the_factory_creates_the_class_of_each_rule(rule, kind, expected):
    made = ValidatorFactory.create_validator(rule)
    assert type(made) is kind
    held = {
        LengthValidator: lambda: (made.min_length, made.max_length),
        RangeValidator: lambda: (made.min_value, made.max_value),
        DateValidator: lambda: made.format,
        DateTimeValidator: lambda: made.format,
        RegexValidator: lambda: made.pattern,
        EnumValidator: lambda: made.allowed_values,
    }
    assert held.get(kind, lambda: ...)() == expected


def test_a_length_rule_without_bounds_accepts_everything():
    assert ValidatorFactory.create_validator({"type": "min_length"}).validate("") == (True, None)


def test_the_factory_accepts_rules_as_in_schema_files():
    made = ValidatorFactory.create_validator(
        {"type": "range", "min_value": 1, "max_value": None, "error_message": "small"}
    )
    assert made.validate(0) == (False, "small")
    odd = ValidatorFactory.create_validator({"type": "custom", "custom_function": "odd"}, {"odd": lambda n: n % 2 == 1})
    assert odd.validate(2) == (False, "is refused by `odd`")
    with pytest.raises(SchemaError, match="the function 'even' is not among `functions`"):
        ValidatorFactory.create_validator({"type": "custom", "custom_function": "even"})
    with pytest.raises(SchemaParseError, match="unknown validator `rnge`"):
        ValidatorFactory.create_validator({"type": "rnge"})
    with pytest.raises(SchemaParseError, match="needs `pattern`"):
        ValidatorFactory.create_validator({"type": "regex"})
