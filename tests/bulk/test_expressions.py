"""A batch gives what single renders give, for every pair of values and in both dialects."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import PromptManagerError

DOC = pa.struct([("title", pa.string()), ("score", pa.float64())])
DAY, OTHER_DAY = date(2024, 2, 29), date(1999, 12, 31)
AT, OTHER_AT = datetime(2024, 2, 29, 12, 30, 5, 250), datetime(1969, 12, 31, 23, 59, 59)  # noqa: DTZ001 - no zone

#: The type of each column, and its values in three rows.
CELLS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "name": (pa.string(), ["Grüße", "5", None]),
    "words": (pa.large_string(), ["Grüße", "", "日本"]),
    "n": (pa.int64(), [5, -3, None]),
    "f": (pa.float64(), [5.0, 0.1, float("nan")]),
    "dec": (pa.decimal128(6, 2), [Decimal("5.00"), Decimal("-0.10"), None]),
    "b": (pa.bool_(), [True, False, None]),
    "day": (pa.date32(), [DAY, OTHER_DAY, None]),
    "days": (pa.date32(), [DAY, DAY, DAY]),
    "at": (pa.timestamp("us"), [AT, OTHER_AT, None]),
    "ats": (pa.timestamp("us"), [AT, AT, AT]),
    "utc": (pa.timestamp("us", "UTC"), [AT.replace(tzinfo=UTC), OTHER_AT.replace(tzinfo=UTC), None]),
    "clock": (pa.time64("us"), [time(12, 30), time(23, 59, 59, 1), None]),
    "clocks": (pa.time64("us"), [time(12, 30), time(1), time(2)]),
    "span": (pa.duration("us"), [timedelta(1), timedelta(microseconds=-5), None]),
    "raw": (pa.binary(), [b"a", b"\xff", None]),
    "tags": (pa.list_(pa.string()), [["a", "b"], ["a", None], []]),
    "others": (pa.list_(pa.string()), [["a", "b"], ["a", "c"], ["a"]]),
    "grid": (pa.list_(pa.list_(pa.int32())), [[[1], [2, 3]], [[]], None]),
    "pair": (pa.list_(pa.int8(), 2), [[1, 2], [3, 4], None]),
    "user": (DOC, [{"title": "a", "score": 1.0}, {"title": None, "score": 2.5}, None]),
    "doc": (DOC, [{"title": "a", "score": 1.0}, {"title": "b", "score": 2.5}, {"title": None, "score": None}]),
    "docs": (pa.list_(DOC), [[{"title": "a", "score": 1.0}], [], None]),
    "sizes": (pa.map_(pa.string(), pa.int64()), [{"a": 1, "b": 2}, {"10": 1, "9": 2, "x": 3}, {}]),
    "weights": (pa.map_(pa.string(), pa.int64()), [{"b": 2, "a": 1}, {"10": 1}, {"y": 3}]),
}
TABLE = pa.table({name: pa.array(values, data_type) for name, (data_type, values) in CELLS.items()})

#: Columns whose values can be compared, and columns that all others are compared with.
ALIKE = [
    "name words",
    "n f dec",
    "day days",
    "at ats utc",
    "clock clocks",
    "tags others grid pair",
    "user doc",
    "sizes weights",
]
OTHERS = ["name", "n", "day", "tags", "user"]
PAIRS = [(a, b) for group in ALIKE for a in group.split() for b in group.split()]
PAIRS += [(a, b) for a in CELLS for b in OTHERS if (a, b) not in PAIRS]

EXPRESSIONS = [
    *(f"{{{{{helper} {a} {b}}}}}" for helper in ("eq", "lt") for a, b in PAIRS),
    *(f"{{{{json {name}}}}}" for name in CELLS),
    *(f"{{{{{name}}}}}" for name in CELLS),
    *(f"{{{{#if {name}}}}}yes{{{{else}}}}no{{{{/if}}}}" for name in CELLS),
    *(
        f"{{{{#each {name}}}}}{{{{@index}}}}/{{{{@key}}}}={{{{json this}}}};{{{{else}}}}-{{{{/each}}}}"
        for name in CELLS
    ),
    *(f"{{{{#{name}}}}}[{{{{json this}}}}]{{{{else}}}}-{{{{/{name}}}}}" for name in CELLS),
    *(f"{{{{length {name}}}}}" for name in CELLS),
    *(f"{{{{{name}.length}}}}{{{{{name}.[0]}}}}{{{{{name}.title}}}}" for name in CELLS),
    *(f"{{{{lookup {name} 'a'}}}}{{{{lookup {name} n}}}}" for name in CELLS),
    *(f"{{{{join {name} ', '}}}}" for name in CELLS),
    *(f"{{{{date {name} '%d.%m.%Y %H:%M:%S'}}}}" for name in CELLS),
    *(f"{{{{> card {name}}}}}{{{{> card {name} title='x'}}}}" for name in CELLS),
    *(f"{{{{upper {name}}}}}{{{{default {name} 'none'}}}}" for name in CELLS),
    *(f"{{{{add {name} 1}}}}{{{{sub n {name}}}}}" for name in CELLS),
]


def results(table: pa.Table, manager: PromptManager) -> tuple[list[str], list[str]]:
    """What a batch gives for each row, and what single renders give: the text, or the message of the error."""
    made = manager.batch("p", to="text", on_error="column", column="made")(table)
    pairs = zip(made["made"].to_pylist(), made["error"].to_pylist(), strict=True)
    single = []
    for at, row in enumerate(table.to_pylist(maps_as_pydicts="strict")):
        try:
            single.append(manager.render_sync("p", row))
        except PromptManagerError as error:
            single.append(f"row {at}: {error.message}")
    return [error if text is None else text for text, error in pairs], single


@pytest.mark.parametrize("dialect", ["prompt", "handlebars"])
def test_every_expression_gives_the_same(dialect):
    manager = PromptManager(template_engine=TemplateEngine(dialect=dialect), unknown_variables="ignore")
    manager.template_engine.register_partial("card", "({{title}} {{score}})")
    different = {}
    for template in EXPRESSIONS:
        manager.create_prompt_sync(Prompt(id="p", template=template))
        found, expected = results(TABLE, manager)
        if found != expected:
            different[template] = (found, expected)
        manager.delete_prompt_sync("p")
    assert different == {}
