"""``parse_output`` with a type gives data of that type, and refuses what does not fit it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from helpers import create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.exceptions import SchemaValidationError


class Ticket(BaseModel):
    title: str
    urgent: bool = False


class StrictTicket(BaseModel):
    model_config = ConfigDict(strict=True)
    title: str
    due: dt.date


@dataclass
class Card:
    title: str
    tags: tuple[str, ...] = ()


class Row(TypedDict):
    title: str


class Pair(NamedTuple):
    title: str
    urgent: bool = False


class Board(BaseModel):
    tickets: list[Ticket] = Field(alias="Tickets")
    tags: frozenset[str] = frozenset()


Tickets = RootModel[list[Ticket]]

VALUE = "a value that no message shows"


@pytest.fixture
def manager():
    """A manager with a prompt of each kind of output schema, and one without a schema."""
    manager = PromptManager()
    manager.register_schema("ticket", Ticket)
    title = {"type": "object", "properties": {"title": {"type": "string", "minLength": 3}}, "required": ["title"]}
    for prompt_id, schema in (("none", None), ("model", "ticket"), ("json", title)):
        manager.create_prompt_sync(create_text_prompt(id=prompt_id, output_schema=schema))
    return manager


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        (Ticket, '{"title": "Screen"}', Ticket(title="Screen")),
        (StrictTicket, '{"title": "a", "due": "2026-01-02"}', StrictTicket(title="a", due=dt.date(2026, 1, 2))),
        (Card, '{"title": "a", "tags": ["b"]}', Card("a", ("b",))),
        (Row, '{"title": "a"}', {"title": "a"}),
        (Pair, '{"title": "a"}', Pair("a")),
        (list[Ticket], '[{"title": "a"}]', [Ticket(title="a")]),
        (dict[str, int], '{"a": 12345678901234567890123}', {"a": 12345678901234567890123}),
        (Tickets, '[{"title": "a"}]', Tickets([Ticket(title="a")])),
    ],
)
def test_an_answer_becomes_the_type_that_is_asked_for(manager, model, text, expected):
    found = manager.parse_output("none", f"Sure!\n```json\n{text}\n```", model)
    assert found.data == expected
    assert found.was_repaired


def test_the_instance_of_the_registered_model_is_the_result(manager):
    assert manager.parse_output("model", '{"title": "a"}', Ticket).data == Ticket(title="a")
    assert manager.parse_output("model", '{"title": "a"}', Card).data == Card("a")


def test_an_answer_fits_the_prompt_s_schema_and_the_type(manager):
    assert manager.parse_output("json", '{"title": "abc"}', Row).data == {"title": "abc"}
    with pytest.raises(SchemaValidationError) as caught:
        manager.parse_output("json", '{"title": "a"}', Row)
    assert caught.value.errors[0]["rule"] == "min_length"


def test_an_answer_that_does_not_fit_names_the_field_and_no_value(manager):
    with pytest.raises(SchemaValidationError) as caught:
        manager.parse_output("none", f'[{{"title": "a", "urgent": "{VALUE}"}}, {{}}]', list[Ticket])
    error = caught.value
    assert error.message.startswith("the output of prompt 'none' does not fit list[")
    assert [(one["path"], one["rule"]) for one in error.errors] == [
        ("[0].urgent", "bool_parsing"),
        ("[1].title", "missing"),
    ]
    assert VALUE not in f"{error!r}{error.errors}{error.context}"


def test_half_a_surrogate_pair_does_not_fit(manager):
    with pytest.raises(SchemaValidationError):
        manager.parse_output("none", '{"title": "\\ud83d"}', Ticket)


@pytest.mark.parametrize(
    ("model", "text", "missing"),
    [
        (Ticket, '{"title": "a", "urg', ["urgent"]),
        (Card, '{"title": "a", "ta', ["tags"]),
        (Pair, '{"title": "a", "ur', ["urgent"]),
        (Tickets, '[{"title": "a", ', ["[0].urgent"]),
        (Board, '{"Tickets": [{"title": "a", ', ["tags"]),
        (Board, '{"tags": ["a"], "Tickets": [{"title": "a", ', ["Tickets[0].urgent"]),
    ],
)
def test_a_default_never_replaces_what_was_cut_off(manager, model, text, missing):
    with pytest.raises(SchemaValidationError) as caught:
        manager.parse_output("none", text, model)
    assert [(one["path"], one["rule"]) for one in caught.value.errors] == [(path, "cut_off") for path in missing]


def test_a_set_that_was_cut_off_keeps_its_complete_items(manager):
    found = manager.parse_output("none", '{"Tickets": [], "tags": ["a", "b', Board)
    assert found.data.tags == {"a"}
    assert found.is_cut_off


@pytest.mark.parametrize("model", [Ticket(title="a"), "Ticket", print, type("Own", (), {})])
def test_a_type_that_pydantic_cannot_validate_by_is_an_error(manager, model):
    with pytest.raises(TypeError):
        manager.parse_output("none", '{"title": "a"}', model)
