"""A batch gives what one call for each row gives, for random prompts and tables."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from prompt_manager import Prompt, PromptManager
from prompt_manager.exceptions import PromptManagerError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(["", "<doc>", "Grüße", "日本", "a\nb", "5"])
FLOATS = st.floats(allow_nan=True, width=64) | st.sampled_from([0.0, 1.0, 2.5, 1e16, 1e-7])
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - the clock has no zone

#: The type of each column, and its values.
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "name": (pa.string(), TEXTS),
    "view": (pa.string_view(), TEXTS),
    "large": (pa.large_string(), TEXTS),
    "kind": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""])),
    "n": (pa.int64(), st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)),
    "u": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "f": (pa.float64(), FLOATS),
    "f32": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "b": (pa.bool_(), st.booleans()),
    "none": (pa.null(), st.none()),
    "dec": (pa.decimal128(12, 3), st.decimals(-1000, 1000, places=3)),
    "day": (pa.date32(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
    "at": (pa.timestamp("us"), MOMENTS),
    "utc": (pa.timestamp("ms", "UTC"), MOMENTS.map(lambda at: at.replace(microsecond=0, tzinfo=UTC))),
    "clock": (pa.time64("us"), st.times()),
    "span": (pa.duration("us"), st.timedeltas(timedelta(-400), timedelta(400))),
    "raw": (pa.binary(), st.binary(max_size=4)),
    "tags": (pa.list_(pa.string()), st.lists(TEXTS | st.none(), max_size=3)),
    "grid": (pa.large_list(pa.list_(pa.int32(), 2)), st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2))),
    "user": (
        pa.struct([("name", pa.string()), ("age", pa.int8())]),
        st.fixed_dictionaries({"name": TEXTS | st.none(), "age": st.integers(0, 99) | st.none()}),
    ),
    "docs": (
        pa.list_(pa.struct([("title", pa.string()), ("score", pa.float64())])),
        st.lists(st.fixed_dictionaries({"title": TEXTS, "score": FLOATS}), max_size=3),
    ),
    "sizes": (pa.map_(pa.string(), pa.int64()), st.dictionaries(TEXTS, st.integers(-3, 3), max_size=3)),
}

FRAGMENTS = [
    *(f"{{{{{name}}}}}" for name in COLUMNS),
    *(f"{{{{json {name}}}}}" for name in COLUMNS),
    *(f"{{{{#if {name}}}}}yes{{{{else}}}}no{{{{/if}}}}" for name in COLUMNS),
    *(f"{{{{#with {name}}}}}{{{{json this}}}}{{{{else}}}}-{{{{/with}}}}" for name in COLUMNS),
    *(
        f"{{{{#{name}}}}}[{{{{../n}}}}]{{{{else}}}}-{{{{/{name}}}}}"
        for name in ("name", "tags", "user", "docs", "b", "n")
    ),
    *(f"{{{{length {name}}}}}{{{{{name}.length}}}}" for name in ("name", "tags", "docs", "user", "sizes")),
    *(f"{{{{default {name} 'none'}}}}" for name in ("name", "n", "tags", "none")),
    *(
        f"{{{{eq {a} {b}}}}} "
        for a in ("n", "u", "f", "dec", "name", "b")
        for b in ("n", "dec", "f", "5", "'5'", "kind")
    ),
    *(f"{{{{lt {a} {b}}}}} " for a in ("n", "u", "f", "dec", "f32") for b in ("n", "dec", "f", "u", "2.5")),
    *(f"{{{{add {a} {b}}}}} " for a in ("n", "u", "dec", "f") for b in ("n", "dec", "f", "1")),
    "{{sub dec 1}} {{sub u 1}}",
    "{{#each docs}}{{@index}}/{{@first}}/{{@last}} {{title}}={{score}} {{../name}};{{else}}nothing{{/each}}",
    "{{#each docs as |doc at|}}{{at}}:{{doc.title}}{{/each}}",
    "{{#each user}}{{@key}}={{json this}};{{/each}}",
    "{{#each sizes}}{{@key}}={{this}};{{/each}}",
    "{{#each grid}}{{#each this}}{{this}},{{/each}};{{/each}}",
    "{{#each tags}}{{json this}}{{#unless @last}}, {{/unless}}{{/each}}",
    "{{user.name}} {{user.age}}",
    "{{tags.[0]}} {{grid.[0].[1]}} {{docs.[0].title}}",
    "{{lookup sizes 'a'}} {{lookup tags n}} {{lookup user 'age'}}",
    "{{upper name}}{{lower view}}{{trim large}}{{truncate name 3}}{{indent name 2}}",
    "{{join tags '; '}}",
    "{{date day '%d.%m.%Y'}} {{date at}}",
    "{{#fence 'doc'}}{{name}}{{/fence}} {{fence_tag 'doc'}}",
    "{{json this}}",
    "{{json docs indent=2}}",
    "{{eq tags tags}} {{eq user user}} {{eq day day}} {{eq docs docs}}",
    "{{lt day day}} {{lt at at}} {{gte name view}}",
    "{{> card name=view}}{{> card user}}",
    "{{#if (and b (not n))}}x{{/if}}{{or name 'empty'}}",
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Tables of one to four rows, chunked and sliced, with nulls in every column."""
    count = draw(st.integers(1, 4))
    columns = {}
    for name, (data_type, values) in COLUMNS.items():
        cells = draw(st.lists(values | st.none(), min_size=count + 2, max_size=count + 2))
        columns[name] = pa.array(cells, data_type)
    table = pa.table(columns)
    return pa.concat_tables([table.slice(1, 1), table.slice(2, count - 1)])


def one_by_one(render: Any, rows: list[dict[str, Any]]) -> list[Any]:
    """What a call for each row gives, or the message of its error."""
    results = []
    for at, row in enumerate(rows):
        try:
            results.append(render(row))
        except PromptManagerError as error:
            results.append(f"row {at}: {error.message}")
    return results


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist(maps_as_pydicts="strict")


@settings(max_examples=150, deadline=None)
@given(tables(), st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6), st.booleans())
def test_a_batch_renders_the_text_of_single_renders(table, fragments, has_defaults):
    manager = PromptManager(unknown_variables="ignore")
    manager.template_engine.register_partial("card", "({{name}})")
    variables = {"name": {"type": "any", "required": False, "default": "Ada"}} if has_defaults else None
    declared = {"variables": {**variables, **dict.fromkeys(set(COLUMNS) - {"name"}, "any")}} if variables else {}
    manager.create_prompt_sync(Prompt(id="p", template=" ".join(fragments), **declared))
    batch = manager.batch("p", to="text", on_error="column")
    rendered = batch(table)
    expected = one_by_one(lambda row: manager.render_sync("p", row), rows_of(table))
    given = [text if error is None else error for text, error in zip(*columns(rendered, "text", "error"), strict=True)]
    assert given == expected


def columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS.filter(str.strip)}),
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS | st.none(), st.booleans(), MESSAGES), min_size=1, max_size=4),
    st.sampled_from(["openai", "openai-responses", "anthropic", "litellm"]),
    st.booleans(),
)
def test_a_batch_builds_the_requests_of_single_calls(rows, provider, strict):
    manager = PromptManager()
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "optional": True, "content": "{{#if vip}}A VIP.{{/if}}"},
        {"role": "placeholder", "name": "history", "optional": True},
        {"role": "user", "content": "{{question}}"},
    ]
    config = {"model": "some-model", "max_tokens": 100, "temperature": 0.5}
    manager.create_prompt_sync(Prompt(id="p", messages=messages, settings=config))
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([("question", pa.string()), ("vip", pa.bool_()), ("history", pa.list_(turn))])
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for to, single in [
            (f"{provider}-request", lambda row: manager.build_request_sync("p", row, provider, strict=strict)),
            (provider, lambda row: manager.convert_sync("p", row, provider, strict=strict)),
        ]:
            rendered = manager.batch("p", to=to, on_error="column", strict=strict)(table)
            requests, errors = columns(rendered, "request", "error")
            given = [
                json.loads(made) if failed is None else failed for made, failed in zip(requests, errors, strict=True)
            ]
            assert given == one_by_one(single, table.to_pylist())


def test_every_type_prints_as_python_prints_it():
    """The values on which random tables rarely fall."""
    values = {
        "dec": (pa.decimal256(40, 10), Decimal("0.0000000001")),
        "small": (pa.decimal32(5, 2), Decimal("-1.50")),
        "half": (pa.float16(), 1.5),
        "clock": (pa.time32("s"), time(23, 59, 59)),
        "day": (pa.date64(), date(2024, 2, 29)),
        "berlin": (pa.timestamp("us", "Europe/Berlin"), datetime(2024, 7, 1, 12, tzinfo=UTC)),
        "offset": (pa.timestamp("s", "-03:30"), datetime(2024, 7, 1, 12, tzinfo=UTC)),
        "span": (pa.duration("s"), timedelta(days=-1, seconds=1)),
        "runs": (None, "again"),
        "fixed": (pa.list_(pa.int16(), 2), [1, 2]),
        "views": (pa.list_view(pa.string()), ["a", None]),
        "byte": (pa.bool8(), 1),
    }
    arrays = {name: pa.array([None, value], kind) for name, (kind, value) in values.items() if kind is not None}
    arrays["runs"] = pa.RunEndEncodedArray.from_arrays([1, 2], ["once", "again"])
    table = pa.table(arrays).slice(1)
    manager = PromptManager()
    template = " ".join(f"{{{{json {name}}}}} {{{{#if {name}}}}}{{{{{name}}}}}{{{{/if}}}}" for name in values)
    template = template.replace("{{views}}", "{{length views}}")
    variables = {name: {"type": "boolean" if name == "byte" else "any"} for name in values}
    manager.create_prompt_sync(Prompt(id="p", template=template, variables=variables))
    assert manager.batch("p", to="text")(table)["text"].to_pylist() == [
        manager.render_sync("p", row) for row in rows_of(table)
    ]
