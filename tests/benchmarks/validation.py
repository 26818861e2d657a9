"""Measures validation of a nested record, compared with pydantic, and parsing a long answer, compared with ``json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from measure import interleaved
from pydantic import BaseModel, ConfigDict, Field
from report import Row, check_equal

from prompt_manager._native import parse_json
from prompt_manager.validation import Schema, SchemaLoader

if TYPE_CHECKING:
    from measure import Effort

__all__ = ["measure"]

TARGET = 1.0


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: str = Field(min_length=2, max_length=20)
    name: str
    count: int = Field(ge=1, le=1000)
    price: float = Field(ge=0)
    gift: bool


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[A-Z]{2}-[0-9]+$")
    customer: str = Field(min_length=1)
    email: str
    total: float = Field(ge=0)
    count: int
    paid: bool
    note: str | None
    tags: list[str]
    lines: list[Line]
    country: str = Field(max_length=2)


def order() -> dict[str, Any]:
    """Return a record of ten fields, one of which is a list of twenty records with five fields."""
    lines = [
        {"sku": f"SKU-{i}", "name": f"Article {i}", "count": i + 1, "price": 1.5 * i, "gift": i % 2 == 0}
        for i in range(20)
    ]
    return {
        "id": "AB-1234",
        "customer": "Ada Lovelace",
        "email": "ada@example.com",
        "total": 285.0,
        "count": 20,
        "paid": True,
        "note": None,
        "tags": ["new", "gift", "express"],
        "lines": lines,
        "country": "GB",
    }


def answer() -> str:
    """Return an answer of about 100 KB in a code fence, with a trailing comma."""
    rows = [
        {"id": i, "title": f"Finding {i}", "text": "What was found, in some words. " * 4, "score": i / 7}
        for i in range(540)
    ]
    return "Here is the result:\n\n```json\n" + json.dumps({"rows": rows}, indent=1)[:-2] + ",\n}\n```\n"


def measure(effort: Effort) -> list[Row]:
    """Measure a valid record, a record with numbers given as text, and the answer."""
    loader = SchemaLoader()
    loader.register(Schema.from_pydantic(Order, name="order"))
    validate, model = loader.validate_data_sync, Order.model_validate
    fits = order()
    texts = {**fits, "lines": [{**line, "count": str(line["count"])} for line in fits["lines"]]}

    def ours(data: dict[str, Any]) -> object:
        return validate("order", data)

    def theirs(data: dict[str, Any]) -> object:
        return model(data)

    rows = []
    for name, title, data in (
        ("fits", "10 fields, a list of 20 records of 5", fits),
        ("converted", "the same, a number in each as text", texts),
    ):
        check_equal(name, ours(data), model(data).model_dump())
        timings = interleaved({"ours": ours, "by hand": theirs}, data, effort)
        rows.append(Row.of(name, f"{title}; by hand: pydantic", timings, TARGET))

    text = answer()
    inside = text.partition("```json\n")[2].rpartition("\n```")[0].removesuffix(",\n}") + "}"
    check_equal("answer", parse_json(text)[0], json.loads(inside))
    timings = interleaved({"ours": lambda _: parse_json(text), "by hand": lambda _: json.loads(inside)}, None, effort)
    rows.append(Row.of("answer", f"parse {len(text) // 1000} KB in a fence, repaired; by hand: json.loads", timings))
    timings = interleaved(
        {"ours": lambda _: parse_json(inside, strict=True), "by hand": lambda _: json.loads(inside)}, None, effort
    )
    rows.append(Row.of("strict", f"parse {len(inside) // 1000} KB of JSON; by hand: json.loads", timings))
    return rows
