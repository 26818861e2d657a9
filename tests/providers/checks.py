"""The error of a request that an API rejects, and checks that several APIs share."""

from __future__ import annotations

import json
import re

NAME = re.compile(r"[a-zA-Z0-9_-]+")


class RequestError(Exception):
    """An error that an API would answer with status 400: the position in the body, and the reason."""

    def __init__(self, where, why):
        super().__init__(f"{where}: {why}" if where else why)
        self.where = where
        self.why = why


def need(fine, where, why):
    if not fine:
        raise RequestError(where, why)


def need_keys(value, where, required, optional=()):
    """Require an object with only these keys and without null values."""
    need(isinstance(value, dict), where, "is not an object")
    for key in required:
        need(key in value, where, f"lacks {key}")
    for key, each in value.items():
        need(key in required or key in optional, f"{where}.{key}", "unknown parameter")
        need(each is not None, f"{where}.{key}", "must not be null")


def need_list(value, where):
    need(isinstance(value, list), where, "is not a list")
    need(value != [], where, "is empty")


def need_text(value, where):
    need(isinstance(value, str), where, "is not a text")
    need(value != "", where, "is empty")


def need_name(value, where):
    need_text(value, where)
    need(NAME.fullmatch(value), where, f"does not match ^{NAME.pattern}$")


def need_address(value, where):
    need_text(value, where)
    scheme, colon, _ = value.partition(":")
    is_local = not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme) or scheme.lower() == "file"
    need(not is_local, where, "is no address that can be fetched")


def need_one_of(value, where, words):
    need(value in words, where, f"is none of {', '.join(words)}")


def need_number(value, where, low, high, kind=(int, float)):
    need(isinstance(value, kind) and not isinstance(value, bool), where, "is not a number of the required type")
    need(low <= value <= high, where, f"is not between {low} and {high}")


def need_json(value, where):
    need(isinstance(value, str), where, "is not a text")
    try:
        json.loads(value)
    except ValueError:
        raise RequestError(where, "is not JSON") from None


def need_closed_schema(schema, where):
    """Require what structured output requires of a schema: each object has only known properties, all required."""
    need(isinstance(schema, dict), where, "is not a schema")
    if schema.get("type") == "object" or "properties" in schema:
        need(schema.get("additionalProperties") is False, where, "additionalProperties must be false")
        named, required = set(schema.get("properties", {})), set(schema.get("required", ()))
        need(named == required, where, "required must name every property")
    for key, each in schema.get("properties", {}).items():
        need_closed_schema(each, f"{where}.{key}")
    for key, each in schema.get("$defs", {}).items():
        need_closed_schema(each, f"{where}.$defs.{key}")
    for number, each in enumerate(schema.get("anyOf", ())):
        need_closed_schema(each, f"{where}.anyOf[{number}]")
    if isinstance(schema.get("items"), dict):
        need_closed_schema(schema["items"], f"{where}.items")
