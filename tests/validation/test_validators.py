"""Each rule as an object of its own."""

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
        (CustomValidator(lambda value: value > 1), 2, 1, "is refused by `<lambda>`"),
        (EmailValidator(error_message="no address"), "ada@example.com", "ada", "no address"),
    ],
)  # fmt: skip
def test_a_validator_says_what_is_wrong(validator, good, bad, message):
    assert validator.validate(good) == (True, None)
    assert validator(good) is good
    assert validator.validate(bad) == (False, message)
    with pytest.raises(ValueError, match=r"^") as caught:
        validator(bad)
    assert str(caught.value) == message


def test_a_validator_serves_as_one_of_pydantics():
    adapter = TypeAdapter(Annotated[str, AfterValidator(EmailValidator())])
    assert adapter.validate_python("ada@example.com") == "ada@example.com"
    with pytest.raises(ValidationError, match="must be an email address"):
        adapter.validate_python("ada")


def test_no_message_has_the_value():
    for validator in (EmailValidator(), RegexValidator("^x"), EnumValidator(["x"]), LengthValidator(max_length=1)):
        assert SECRET not in str(validator.validate(SECRET)[1])


def test_the_factory_makes_what_a_schema_file_says():
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
