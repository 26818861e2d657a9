"""Formats rows of results as Markdown tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from measure import Timings

__all__ = ["Row", "as_json", "check_equal", "table"]

#: The target for each peer: its time divided by ours.
PEER_TARGET = 4.0


@dataclass(frozen=True)
class Row:
    """The result of a case: the time for each call of ours and of the hand-written code, their ratio, and its maximum.

    ``peers`` has the time of each engine divided by ours. ``left_out`` has the reasons why an engine is missing.
    """

    name: str
    title: str
    ours: float
    by_hand: float | None = None
    ratio: float | None = None
    target: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    unit: str = "ns"

    @classmethod
    def of(cls, name: str, title: str, timings: Timings, target: float | None = None, **more: Any) -> Row:
        """Make a row from timings named ``ours``, ``by hand`` (optional), and by the names of peers."""
        names = timings.rounds
        peers = {peer: timings.ratio(peer, "ours") for peer in names if peer not in ("ours", "by hand")}
        compared = "by hand" in names
        return cls(
            name,
            title,
            timings.ns("ours"),
            timings.ns("by hand") if compared else None,
            timings.ratio("ours", "by hand") if compared else None,
            target,
            peers,
            **more,
        )

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, or None without a target."""
        measured = self.ours if self.ratio is None else self.ratio
        return None if self.target is None else measured <= self.target


def check_equal(name: str, got: object, wanted: object) -> None:
    """Exit if our result is different from the expected one."""
    if got != wanted:
        raise SystemExit(f"{name} has different results:\n  ours    {got!r:.300}\n  by hand {wanted!r:.300}")


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Convert the rows to JSON data."""
    return [{**asdict(row), "met": row.met} for row in rows]


def shown(number: float | None, digits: int = 2) -> str:
    """Format a number for a table, or a dash for None."""
    return "-" if number is None else f"{number:,.{digits}f}"


def table(rows: Sequence[Row]) -> str:
    """Format the rows as a Markdown table with a column for each peer, and list missing peers below it."""
    peers = list(dict.fromkeys(peer for row in rows for peer in (*row.peers, *row.left_out)))
    compared = any(row.by_hand is not None for row in rows)
    limited = any(row.target is not None for row in rows)
    unit = rows[0].unit
    head = ["case", "work", f"ours, {unit}"]
    head += [f"by hand, {unit}", "ratio"] * compared + ["target", "met"] * limited + peers
    body = []
    for row in rows:
        met = {None: "-", True: "yes", False: "no"}[row.met]
        digits = {"ns": 0, "exponent": 2}.get(row.unit, 1)
        cells = [row.name, row.title, shown(row.ours, digits)]
        cells += [shown(row.by_hand, digits), shown(row.ratio)] * compared
        cells += ["-" if row.target is None else f"{row.target:g}", met] * limited
        cells += [f"{row.peers[peer]:.1f}" if peer in row.peers else "-" for peer in peers]
        body.append(cells)
    notes = [f"{row.name}: {peer} left out: {why}" for row in rows for peer, why in row.left_out.items()]
    return "\n".join([*markdown(head, body), *notes])


def markdown(head: list[str], body: list[list[str]]) -> list[str]:
    """Return the lines of a table. The first two columns are text, the others are numbers."""
    widths = [max(len(row[at]) for row in [head, *body]) for at in range(len(head))]
    words = 2

    def line(cells: list[str]) -> str:
        aligned = [
            cell.ljust(width) if at < words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(aligned)} |"

    rule = [("-" * width) if at < words else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    return [line(head), line(rule), *map(line, body)]
