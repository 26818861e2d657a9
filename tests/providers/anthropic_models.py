"""Pydantic models as applications ask Anthropic for them, with the differences from Anthropic's own transform."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, conlist, constr


class Color(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where someone lives."""

    street: str
    zip_code: str = Field(pattern=r"^\d{5}$")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Left(BaseModel):
    right: Right | None = None


class Right(BaseModel):
    left: Left | None = None


def model(_name: str, /, _doc: str | None = None, **fields: Any) -> type[BaseModel]:
    """Make a model. A field is its annotation, or the annotation and a default or `Field(...)`."""
    from pydantic import create_model

    pairs = {name: field if isinstance(field, tuple) else (field, ...) for name, field in fields.items()}
    return create_model(_name, __doc__=_doc, **pairs)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


#: Models that come out as Anthropic's transform makes them.
SAME: list[type[BaseModel]] = [
    model("Plain", a=str, b=int, c=float, d=bool),
    model("Described", "What it is.", a=(str, Field(description="The first."))),
    model("Titled", a=(str, Field(title="First"))),
    model("OptionalText", a=str | None),
    model("Choices", a=Literal["x", "y"]),
    model("OneChoice", a=Literal["x"]),
    model("MixedChoices", a=Literal["x", 1]),
    model("Bounded", a=(int, Field(ge=0, le=10))),
    model("Exclusive", a=(float, Field(gt=0, lt=1))),
    model("Multiple", a=(int, Field(multiple_of=5))),
    model("Lengths", a=(str, Field(min_length=1, max_length=9))),
    model("Pattern", a=(str, Field(pattern="^a+$"))),
    model("BoundedAndDescribed", a=(int, Field(ge=0, description="How many."))),
    model("Dates", a=date, b=datetime, c=time, d=timedelta),
    model("Identifiers", a=UUID, b=IPv4Address),
    model("Url", a=AnyUrl),
    model("Bytes", a=bytes),
    model("Number", a=Decimal),
    model("Texts", a=list[str]),
    model("SomeTexts", a=conlist(str, min_length=1)),
    model("ManyTexts", a=conlist(str, min_length=2, max_length=5)),
    model("ListOfBounded", a=list[Annotated[int, Field(ge=1)]]),
    model("ShortTexts", a=list[constr(max_length=3)]),
    model("Matrix", a=list[list[float]]),
    model("Nested", a=Address),
    model("NestedList", a=list[Address]),
    model("NestedOptional", a=Address | None),
    model("Union", a=int | str),
    model("Enums", a=Color, b=Level),
    model("Defaults", a=(int, 3), b=(str, "x")),
    Closed,
    Cat,
    Address,
]

REFERENCE = "the transform drops a description beside `$ref`"
WORDS = "the transform writes values as Python does, and we as JSON"
DISCRIMINATOR = "the transform describes the discriminator, which the constants of the choices repeat"
MAP = "the transform makes a map an object that can only be empty"
ANY = "the transform fails on a value of any type"
RECURSIVE = "the transform lets recursion pass, which the API refuses"

#: Models that come out differently: each value that differs by its path, ours and the transform's, with the reason.
#: ``None`` is a value that is not there.
DIFFERENT: list[tuple[type[BaseModel], dict[str, tuple[str | None, str | None, str]]]] = [
    (
        model("DescribedReference", a=(Address, Field(description="Of the firm."))),
        {
            "properties/a/anyOf/0/$ref": ("#/$defs/Address", None, REFERENCE),
            "properties/a/description": ("Of the firm.", None, REFERENCE),
            "properties/a/$ref": (None, "#/$defs/Address", REFERENCE),
        },
    ),
    (
        model("DefaultOfReference", a=(Color, Color.RED)),
        {
            "properties/a/anyOf/0/$ref": ("#/$defs/Color", None, REFERENCE),
            "properties/a/description": ("{default: red}", None, REFERENCE),
            "properties/a/$ref": (None, "#/$defs/Color", REFERENCE),
        },
    ),
    (
        model("DefaultNull", a=(str | None, None)),
        {"properties/a/description": ("{default: null}", "{default: None}", WORDS)},
    ),
    (
        model("DefaultTrue", a=(bool, True)),
        {"properties/a/description": ("{default: true}", "{default: True}", WORDS)},
    ),
    (
        model("DefaultList", a=(list[str], ["a"])),
        {"properties/a/description": ('{default: ["a"]}', "{default: ['a']}", WORDS)},
    ),
    (
        model("Unique", a=set[str]),
        {"properties/a/description": ("{uniqueItems: true}", "{uniqueItems: True}", WORDS)},
    ),
    (
        model("Discriminated", a=(Cat | Dog, Field(discriminator="kind"))),
        {
            "properties/a/description": (
                None,
                "{discriminator: {'mapping': {'cat': '#/$defs/Cat', 'dog': '#/$defs/Dog'}, 'propertyName': 'kind'}}",
                DISCRIMINATOR,
            ),
            "$defs/Dog/properties/good/description": ("{default: true}", "{default: True}", WORDS),
        },
    ),
    (
        model("Pair", a=tuple[int, str]),
        {
            "properties/a/description": (
                '{maxItems: 2, minItems: 2, prefixItems: [{"type":"integer"},{"type":"string"}]}',
                "{maxItems: 2, prefixItems: [{'type': 'integer'}, {'type': 'string'}], minItems: 2}",
                WORDS,
            )
        },
    ),
    (Dog, {"properties/good/description": ("{default: true}", "{default: True}", WORDS)}),
    (
        model("ModelUnion", a=Cat | Dog),
        {"$defs/Dog/properties/good/description": ("{default: true}", "{default: True}", WORDS)},
    ),
    (
        model("Examples", a=(int, Field(examples=[1, 2]))),
        {"properties/a/description": ("{examples: [1,2]}", "{examples: [1, 2]}", WORDS)},
    ),
]

#: Models whose schema is not sent, with the reason.
NOT_SENT: list[tuple[type[BaseModel], str]] = [
    (model("Counts", a=dict[str, int]), MAP),
    (model("Anything", a=Any), ANY),
    (model("ListOfAnything", a=list[Any]), ANY),
    (model("BareList", a=list), ANY),
    (model("BareDict", a=dict), MAP),
    (Node, RECURSIVE),
    (Left, RECURSIVE),
]
