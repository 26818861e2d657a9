"""Answers that have the type which was asked for. Type checkers check this file; it is never run.

Each line that is marked as an error must be one, because an unnecessary marker is an error too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from pydantic import BaseModel

from prompt_manager import PromptManager
from prompt_manager.validation import ParsedOutput


class Ticket(BaseModel):
    title: str


@dataclass
class Card:
    title: str


class Row(TypedDict):
    title: str


def answers(manager: PromptManager, text: str) -> list[str]:
    ticket: ParsedOutput[Ticket] = manager.parse_output("triage", text, Ticket)
    tickets: list[Ticket] = manager.parse_output("triage", text, list[Ticket], label="production").data
    card = manager.parse_output("triage", text, model=Card, strict=True).data
    row: Row = manager.parse_output("triage", text, Row).data
    untyped: int = manager.parse_output("triage", text).data["count"]
    return [ticket.data.title, tickets[0].title, card.title, row["title"], str(untyped)]


def wrong(manager: PromptManager, text: str) -> None:
    manager.parse_output(5, text)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    print(manager.parse_output("triage", text, Ticket).data.titel)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    manager.parse_output("triage", text, Card).data["title"]  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    manager.parse_output("triage", text, Row).data["titel"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    number: int = manager.parse_output("triage", text, Ticket).data  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    manager.parse_output("triage", text, "Ticket")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
