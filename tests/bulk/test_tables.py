"""A prompt for each row of a table: what goes in, what comes out, and what is refused before the first row."""

from __future__ import annotations

import json
import pickle
import re
import struct

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from helpers import SECRET, chat_of, create_text_prompt, run_python
from prompt_manager import Prompt, PromptManager
from prompt_manager.bulk import BatchRenderer, RenderedTable
from prompt_manager.exceptions import (
    ConversionError,
    PromptError,
    PromptManagerError,
    PromptNotFoundError,
    PromptPicklingError,
    SchemaValidationError,
    TemplateRenderError,
)


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.create_prompt_sync(create_text_prompt())
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About {{topic}}."}]
    manager.create_prompt_sync(chat_of(*messages, settings={"model": "gpt-5"}))
    return manager


NAMES = pa.table({"id": [1, 2], "name": ["Ada", "Grace"]})


def test_the_new_column_follows_those_of_the_table(manager):
    table = manager.batch("greeting", to="text")(NAMES)
    assert table.column_names == ["id", "name", "text"]
    assert table["text"].to_pylist() == ["Hello Ada!", "Hello Grace!"]


def test_messages_are_a_list_of_role_and_content(manager):
    table = manager.batch("explain", to="messages")(pa.table({"topic": ["tea"]}))
    assert table["messages"].to_pylist() == [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About tea."}]
    ]


def test_a_message_that_never_changes_is_stored_once(manager):
    topics = pa.table({"topic": ["tea"] * 100})
    messages = manager.batch("explain", to="messages", threads=1)(topics)["messages"].chunk(0)
    assert messages.flatten().field("content").dictionary.to_pylist().count("Be brief.") == 1
    plain = manager.batch("explain", to="messages", dictionary=False)(topics)["messages"]
    role, content = pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string())
    assert plain.type == pa.list_(pa.field("item", pa.struct([role, content]), nullable=False))


def test_a_request_is_the_json_of_build_request(manager):
    table = manager.batch("explain", to="openai-request", model="gpt-5-mini")(pa.table({"topic": ["tea"]}))
    assert json.loads(table["request"][0].as_py()) == manager.build_request_sync(
        "explain", {"topic": "tea"}, "openai", model="gpt-5-mini"
    )


def test_tool_calls_and_images_of_messages_are_json(manager):
    messages = [
        {"role": "placeholder", "name": "history"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{url}}"}}]},
    ]
    manager.create_prompt_sync(chat_of(*messages, id="tools"))
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    history = [{"role": "assistant", "content": None, "tool_calls": [call], "tool_call_id": None}]
    history.append({"role": "tool", "content": "42", "tool_calls": None, "tool_call_id": "c1"})
    row = {"url": "https://example.com/a.png", "history": history}
    made = manager.batch("tools", to="messages")(pa.Table.from_pylist([row]))["messages"][0].as_py()
    expected = manager.render_messages_sync("tools", row)
    assert json.loads(made[0]["tool_calls"]) == expected[0]["tool_calls"]
    assert (made[1]["content"], made[1]["tool_call_id"]) == ("42", "c1")
    assert json.loads(made[2]["parts"]) == expected[2]["content"]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (NAMES, pa.Table),
        (NAMES.to_batches()[0], pa.RecordBatch),
        (NAMES.to_reader(), pa.RecordBatchReader),
        (NAMES.to_pandas(), pd.DataFrame),
        (pl.DataFrame(NAMES.to_pydict()), pl.DataFrame),
    ],
)
def test_a_table_comes_back_as_a_table_of_its_library(manager, rows, kind):
    made = manager.batch("greeting", to="text")(rows)
    assert type(made) is kind
    read = made.read_all() if kind is pa.RecordBatchReader else made
    assert list(read["text"].to_pylist() if hasattr(read["text"], "to_pylist") else read["text"]) == [
        "Hello Ada!",
        "Hello Grace!",
    ]


def test_other_libraries_get_a_table_with_the_arrow_interface(manager):
    class Export:
        def __arrow_c_stream__(self, requested_schema=None):
            return NAMES.__arrow_c_stream__(requested_schema)

    made = manager.batch("greeting", to="text")(Export())
    assert isinstance(made, RenderedTable)
    assert len(made) == 2
    assert pa.table(made)["text"].to_pylist() == ["Hello Ada!", "Hello Grace!"]


def test_a_polars_query_maps_the_renderer(manager):
    frame = pl.LazyFrame({"name": ["Ada"]})
    greet = manager.batch("greeting", to="text")
    made = frame.map_batches(greet, schema={"name": pl.String, "text": pl.String}).collect()
    assert made["text"].to_list() == ["Hello Ada!"]


def test_pyarrow_is_not_needed():
    code = """
import sys
sys.modules["pyarrow"] = None
import polars as pl
from prompt_manager import Prompt, PromptManager
manager = PromptManager()
manager.create_prompt_sync(Prompt(id="greeting", template="Hello {{name}}!"))
print(manager.batch("greeting", to="text")(pl.DataFrame({"name": ["Ada"]}))["text"][0])
"""
    assert run_python(code).strip() == "Hello Ada!"


def test_a_stream_is_rendered_while_it_is_read(manager):
    read = []

    def batches():
        for name in ["Ada", "Grace", "Alan"]:
            read.append(name)
            yield pa.record_batch({"name": [name]})

    reader = pa.RecordBatchReader.from_batches(pa.schema([("name", pa.string())]), batches())
    stream = iter(manager.batch("greeting", to="text").stream(reader))
    first = pa.table(next(stream))["text"].to_pylist()
    assert (first, read) == (["Hello Ada!"], ["Ada"])
    assert [len(rest) for rest in stream] == [1, 1]


def test_map_batches_renders_one_batch_after_the_other(manager):
    greet = manager.batch("greeting", to="text")
    made = list(greet.map_batches(NAMES.to_batches(max_chunksize=1)))
    assert [batch["text"].to_pylist() for batch in made] == [["Hello Ada!"], ["Hello Grace!"]]


def test_columns_can_have_other_names_than_variables(manager):
    table = pa.table({"who": ["Ada"], "text": [1]})
    made = manager.batch("greeting", to="text", rename={"who": "name"}, column="greeting")(table)
    assert made["greeting"].to_pylist() == ["Hello Ada!"]


def test_a_misspelt_variable_of_a_renamed_column_is_an_error(manager):
    variables = {"ticket": {"type": "string", "default": "none"}}
    manager.create_prompt_sync(create_text_prompt(id="default", template="{{ticket}}", variables=variables))
    batch = manager.batch("default", to="text", rename={"question": "tiket"})
    with pytest.raises(TemplateRenderError, match="to the variable 'tiket'") as caught:
        batch(pa.table({"question": ["Why?"]}))
    assert "hint: did you mean 'ticket'?" in str(caught.value)
    # Under the name of no variable, a column is hidden.
    assert batch(pa.table({"question": ["Why?"], "ticket": ["Late"]}))["text"].to_pylist() == ["Late"]


def test_threads_keep_the_order_of_the_rows(manager):
    names = [f"n{at}" for at in range(5000)]
    made = manager.batch("greeting", to="text", threads=4)(pa.table({"name": names}))
    assert made["text"].to_pylist() == [f"Hello {name}!" for name in names]


def test_the_first_row_that_fails_is_raised_with_its_number(manager):
    names = [*["Ada"] * 3000, None, *["Grace"] * 3000, None]
    for threads in (1, 4):
        with pytest.raises(TemplateRenderError, match="row 3000: ") as caught:
            manager.batch("greeting", to="text", threads=threads)(pa.table({"name": names}))
        assert caught.value.context["row"] == "3000"


def test_rows_that_fail_have_their_error_in_a_column(manager):
    made = manager.batch("greeting", to="text", on_error="column")(pa.table({"name": ["Ada", None, "Alan"]}))
    assert made["text"].to_pylist() == ["Hello Ada!", None, "Hello Alan!"]
    errors = made["error"].to_pylist()
    assert (errors[0], errors[2]) == (None, None)
    assert errors[1].startswith("row 1: ")
    assert "name" in errors[1]


def test_an_error_has_no_value_of_a_row(manager):
    manager.create_prompt_sync(Prompt(id="typed", template="{{n}}", variables={"n": "integer"}))
    with pytest.raises(TemplateRenderError) as caught:
        manager.batch("typed", to="text")(pa.table({"n": [SECRET]}))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"nome": ["Ada"]}), r"no column for the variable 'name'.*\n.*rename=\{\"nome\": \"name\"\}"),
        (pa.table({"name": ["Ada"], "text": ["x"]}), "already has a column 'text'"),
        (pa.table({"name": pa.array([None], pa.month_day_nano_interval())}), "the column 'name' has the type Interval"),
        (pa.table([["Ada"], ["Bob"]], names=["name", "name"]), "two columns"),
        (
            pa.table({"name": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])}),
            "the column 'name' has two members 'a'",
        ),
        (pa.table({"name": pa.array([0], pa.timestamp("s", "Mars/Base"))}), "time zone 'Mars/Base'"),
    ],
)
def test_a_table_that_cannot_be_rendered_is_refused(manager, table, message):
    with pytest.raises(TemplateRenderError) as caught:
        manager.batch("greeting", to="text")(table)
    assert re.search(message, str(caught.value), re.DOTALL)


def test_the_type_of_a_column_is_checked_before_the_first_row(manager):
    manager.create_prompt_sync(Prompt(id="typed", template="{{n}}", variables={"n": "integer"}))
    with pytest.raises(TemplateRenderError, match="must be of type integer") as caught:
        manager.batch("typed", to="text", on_error="column")(pa.table({"n": [1.5]}))
    assert caught.value.context["variable"] == "n"


def test_a_default_stands_in_for_a_missing_column_and_null(manager):
    variables = {"name": {"type": "string", "default": "you"}}
    manager.create_prompt_sync(Prompt(id="polite", template="Hello {{name}}!", variables=variables))
    polite = manager.batch("polite", to="text")
    assert polite(pa.table({"other": [1]}))["text"].to_pylist() == ["Hello you!"]
    assert polite(pa.table({"name": pa.array([None], pa.null())}))["text"].to_pylist() == ["Hello you!"]


def test_an_input_schema_converts_and_refuses_rows(manager):
    schema = {
        "name": "order",
        "fields": [{"name": "n", "type": "integer", "validators": [{"type": "range", "max_value": 9}]}],
    }
    manager.register_schema("order", schema)
    manager.create_prompt_sync(Prompt(id="order", template="{{add n 1}}", input_schema="order"))
    order = manager.batch("order", to="text")
    assert not order.explain().runs_python
    assert order(pa.table({"n": ["7"]}))["text"].to_pylist() == ["8"]
    with pytest.raises(SchemaValidationError, match="row 1: "):
        order(pa.table({"n": ["7", "70"]}))


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_may_have_few_rows(manager, rows):
    made = manager.batch("greeting", to="text", on_error="column")(NAMES.slice(0, rows))
    assert made.column_names == ["id", "name", "text", "error"]
    assert made.num_rows == rows


def test_dictionaries_of_chunks_may_differ(manager):
    chunks = [pa.array(["Ada", None], pa.string()).dictionary_encode(), pa.array(["Alan"]).dictionary_encode()]
    table = pa.table({"name": pa.chunked_array(chunks)})
    made = manager.batch("greeting", to="text", on_error="column")(table)
    assert made["text"].to_pylist() == ["Hello Ada!", None, "Hello Alan!"]
    nulls = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["Ada", None]))
    made = manager.batch("greeting", to="text", on_error="column")(pa.table({"name": nulls}))
    assert made["text"].to_pylist() == ["Hello Ada!", None]


def test_a_row_may_be_large(manager):
    made = manager.batch("greeting", to="text")(pa.table({"name": ["x" * 100_000_000]}))
    assert pa.compute.binary_length(made["text"]).to_pylist() == [100_000_007]


def in_lists(values):
    """Each value as the only item of a list."""
    return pa.ListArray.from_arrays(pa.array(range(len(values) + 1), pa.int32()), values)


def test_bytes_are_no_text(manager):
    with pytest.raises(TemplateRenderError, match="row 0: "):
        manager.batch("greeting", to="text")(pa.table({"name": [b"\xff"]}))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("wrap", [lambda names: names, lambda names: names.dictionary_encode(), in_lists])
def test_a_text_that_is_not_utf_8_is_the_error_of_its_row(manager, kind, wrap):
    binary = {pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}.get(kind, pa.binary())
    names = pa.array([b"Ada", b"Gr\xffce", b"", b"Al\xed\xa0\x80n", "Зоя".encode()], binary).cast(kind, safe=False)
    greet = manager.batch("greeting", to="text", on_error="column")
    made = greet(pa.table({"name": wrap(names)}))
    assert made["text"].to_pylist() == ["Hello Ada!", None, "Hello !", None, "Hello Зоя!"]
    assert [error is None for error in made["error"].to_pylist()] == [True, False, True, False, True]


def test_types_may_be_nested_as_deeply_as_arrow_allows(manager):
    nested = pa.array(["Ada"])
    for _ in range(3_000):
        nested = in_lists(nested)
    with pytest.raises(TypeError, match="on more than 64 levels"):
        manager.batch("greeting", to="text")(pa.table({"name": ["Ada"], "nested": nested}))


def test_a_stream_that_fails_half_way_says_after_which_row(manager):
    def batches():
        yield pa.record_batch({"name": ["Ada", "Grace"]})
        raise OSError("the disk is gone")

    schema = pa.schema([("name", pa.string())])

    class Source:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.RecordBatchReader.from_batches(schema, batches()).__arrow_c_stream__()

    with pytest.raises(PromptManagerError, match="after 2 rows"):
        manager.batch("greeting", to="text")(Source())


SLOW = """
import signal, tempfile
import pyarrow as pa
from prompt_manager import Prompt, PromptManager
from prompt_manager.bulk import write_jsonl

manager = PromptManager()
loops = "{{#each x}}{{#each ../x}}{{/each}}{{/each}}"
manager.create_prompt_sync(Prompt(id="slow", template=loops, settings={"model": "m"}))
rows = pa.table({"x": [list(range(1_000))] * 500})
batch = manager.batch("slow", to="openai-request", on_error="column", threads=1)
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    """


@pytest.mark.parametrize(
    "call",
    [
        "batch(rows)",
        "list(batch.stream(rows))",
        "batch(rows.to_reader()).read_all()",
        "write_jsonl(batch.stream(rows), tempfile.gettempdir() + '/slow.jsonl', provider='openai')",
    ],
)
def test_ctrl_c_is_a_keyboard_interrupt_wherever_the_rows_go(call):
    code = SLOW + call + "\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    assert run_python(code) == "interrupted\n"


def test_ctrl_c_is_not_lost_in_an_error_of_another_library():
    # pyarrow raises an error of its own, and the interpreter hears of the interrupt afterwards.
    retry = """
def retry():
    while True:
        try:
            pa.table(batch.stream(rows))
        except pa.ArrowInvalid:
            pass
"""
    code, _, _ = SLOW.rpartition("try:")
    run = "try:\n    retry()\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    assert run_python(f"{code}{retry}{run}") == "interrupted\n"


def test_a_reader_raises_the_error_of_a_row(manager):
    reader = manager.batch("greeting", to="text")(pa.table({"name": ["Ada", None]}).to_reader())
    with pytest.raises(TemplateRenderError, match="row 1: ") as caught:
        reader.read_all()
    assert caught.value.context["row"] == "1"


def test_nothing_follows_a_row_that_failed(manager):
    schema = pa.schema([("name", pa.string())])
    batches = [pa.record_batch({"name": [name]}, schema=schema) for name in ("Ada", None, "Alan")]
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    stream = iter(manager.batch("greeting", to="text").stream(reader))
    next(stream)
    with pytest.raises(TemplateRenderError, match="row 1: "):
        next(stream)
    assert list(stream) == []


def test_a_record_batch_of_other_types_than_its_stream_is_an_error(manager):
    batches = [pa.record_batch({"name": ["Ada"]}), pa.record_batch({"name": [None]})]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    with pytest.raises(
        PromptManagerError, match="after 1 rows: a record batch is not as the schema of its stream says"
    ):
        list(manager.batch("greeting", to="text").stream(reader))


def test_explain_reads_a_stream_once(manager):
    reader = pa.RecordBatchReader.from_batches(NAMES.schema, NAMES.to_batches())
    plan = manager.batch("greeting", to="text").explain(reader)
    assert plan.columns == ["name"]
    assert plan.bytes_per_row > 0


def test_a_stream_that_was_read_cannot_be_exported(manager):
    stream = manager.batch("greeting", to="text").stream(NAMES)
    assert len(list(stream)) == 1
    with pytest.raises(ValueError, match="read already"):
        pa.table(stream)


class ByArray:
    """Rows of a library that exports one array, by what a function returns."""

    def __init__(self, export):
        self.export = export

    def __arrow_c_array__(self, requested_schema=None):
        return self.export()


class ByStream(ByArray):
    def __arrow_c_stream__(self, requested_schema=None):
        return self.export()


def test_a_library_may_export_one_array(manager):
    rows = pa.record_batch({"name": ["Ada", "Grace"]}).slice(1).replace_schema_metadata({"source": "test"})
    rendered = pa.table(manager.batch("greeting", to="text")(ByArray(rows.__arrow_c_array__)))
    assert rendered["text"].to_pylist() == ["Hello Grace!"]
    assert rendered.schema.metadata == {b"source": b"test"}


NAME = pa.struct([("name", pa.string())])
STRUCTS = {
    "{{cell.who.name}}": pa.array([{"who": {"name": name}} for name in "abcd"]),
    "{{#each cell}}{{name}}{{/each}}": pa.array(
        [[{"name": name}, {"name": "x"}] for name in "abcd"], pa.list_(NAME, 2)
    ),
    "{{#each cell}}{{who.name}}{{/each}}": pa.array([[{"who": {"name": name}}] for name in "abcd"]).slice(0),
    "{{#each cell.all}}{{who.name}}{{/each}}": pa.array(
        [{"all": [{"who": {"name": name}}]} for name in "abcd"],
        pa.struct([("all", pa.list_(pa.struct([("who", NAME)]), 1))]),
    ),
    "{{#if cell.who}}{{cell.who.name}}{{else}}none{{/if}}": pa.array([{"who": None}, {"who": {"name": "b"}}] * 2),
}


@pytest.mark.parametrize(("start", "length"), [(0, 4), (0, 2), (1, 3), (1, 2), (3, 1), (4, 0)])
@pytest.mark.parametrize(("template", "cells"), STRUCTS.items())
def test_structs_within_structs_of_a_slice_are_read(template, cells, start, length):
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="cells", template=template))
    table = pa.table({"cell": cells}).slice(start, length)
    expected = [manager.render_sync("cells", row) for row in table.to_pylist()]
    render = manager.batch("cells", to="text")
    assert render(table)["text"].to_pylist() == expected
    assert pa.table(render.stream(table))["text"].to_pylist() == expected
    for batch in table.to_batches():
        assert pa.table(render(ByArray(batch.__arrow_c_array__)))["text"].to_pylist() == expected


def array_of_names():
    return NAMES.to_batches()[0].__arrow_c_array__()[1]


def reused(capsules):
    """An export that gives the same capsules again."""
    return lambda: capsules


@pytest.mark.parametrize(
    ("rows", "kind", "message"),
    [
        (ByArray(pa.array(["Ada"]).__arrow_c_array__), TypeError, "expected a table of Arrow, found a column"),
        (ByStream(pa.chunked_array([["Ada"]]).__arrow_c_stream__), TypeError, "found a column\n  hint: pass the table"),
        (ByArray(pa.array([{"name": "Ada"}, None]).__arrow_c_array__), ValueError, "a row is null"),
        (ByArray(NAMES.__arrow_c_stream__), TypeError, "tuple"),
        (ByArray(lambda: ()), ValueError, "tuple"),
        (ByArray(lambda: (1, 2)), TypeError, "PyCapsule"),
        (ByStream(lambda: None), TypeError, "PyCapsule"),
        (
            ByArray(lambda: (pa.struct({"a": pa.int8()}).__arrow_c_schema__(), array_of_names())),
            TypeError,
            "one that cannot be read",
        ),
        # Capsules of other names are not what the interface asks for.
        (ByStream(NAMES.schema.__arrow_c_schema__), ValueError, "name"),
        (ByArray(lambda: NAMES.to_batches()[0].__arrow_c_array__()[::-1]), ValueError, "name"),
        (ByStream(lambda: 1 / 0), ZeroDivisionError, "division"),
    ],
)
def test_what_is_no_table_is_refused(manager, rows, kind, message):
    with pytest.raises(kind, match=message):
        manager.batch("greeting", to="text")(rows)


@pytest.mark.parametrize(("kind", "code"), [(pa.string(), "i"), (pa.large_string(), "q"), (pa.list_(pa.int8()), "i")])
def test_buffers_need_not_be_aligned(manager, kind, code):
    offsets = pa.py_buffer(b"\0" + struct.pack(f"<3{code}", 0, 1, 3))[1:]
    if pa.types.is_list(kind):
        items = pa.array([1, 2, 3], pa.int8())
        names = pa.Array.from_buffers(kind, 2, [None, offsets], children=[items])
    else:
        names = pa.Array.from_buffers(kind, 2, [None, offsets, pa.py_buffer(b"abc")])
    manager.create_prompt_sync(create_text_prompt(id="names", template="{{json name}}"))
    rendered = pa.table(manager.batch("names", to="text")(pa.table({"name": names})))
    assert [json.loads(text) for text in rendered["text"].to_pylist()] == names.to_pylist()


def test_polars_columns_of_objects_are_refused(manager):
    rows = pl.DataFrame({"name": ["Ada"], "thing": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(TypeError, match="the column 'thing' has Python objects"):
        manager.batch("greeting", to="text")(rows)


def test_polars_columns_of_nulls_only(manager):
    manager.create_prompt_sync(create_text_prompt(id="any", template="{{json this}}"))
    rows = pl.DataFrame({"a": [None, None], "b": [[], [None]], "c": [{"d": None}, None]})
    batch = manager.batch("any", to="text")
    rendered = batch(rows)
    assert rendered.drop("text").equals(rows)
    assert rendered.drop("text").schema == rows.schema
    assert [json.loads(text) for text in rendered["text"]] == rows.to_dicts()
    assert batch.explain(rows).columns == ["a", "b", "c"]
    assert pa.table(next(iter(batch.stream(rows))))["text"].to_pylist() == rendered["text"].to_list()


def test_what_was_read_cannot_be_read_again(manager):
    batch = manager.batch("greeting", to="text")
    for rows in (
        ByStream(reused(NAMES.__arrow_c_stream__())),
        ByArray(reused(NAMES.to_batches()[0].__arrow_c_array__())),
    ):
        assert len(batch(rows)) == NAMES.num_rows
        with pytest.raises(ValueError, match="read already, and can be read once"):
            batch(rows)


def test_rows_of_python_are_refused_with_the_way_to_do_it(manager):
    with pytest.raises(TypeError, match="render_batch"):
        manager.batch("greeting", to="text")([{"name": "Ada"}])
    with pytest.raises(TypeError, match="map_batches"):
        manager.batch("greeting", to="text")(pl.LazyFrame({"name": ["Ada"]}))


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"to": "mesages"}, ValueError, "did you mean 'messages'"),
        ({"to": "text", "on_error": "skip"}, ValueError, "'raise' or 'column'"),
        ({"to": "text", "version": "9.0.0"}, PromptNotFoundError, "9.0.0"),
        ({"to": "messages"}, PromptError, "no messages"),
        ({"to": "anthropic"}, PromptError, "requires CHAT format"),
        ({"to": None}, TypeError, "`to` must be a text"),
        ({"to": "text", "column": 3}, TypeError, "`column` must be a text"),
        ({"to": "text", "error_column": None, "on_error": "column"}, TypeError, "`error_column` must be a text"),
        ({"to": "text", "threads": 0}, ValueError, "`threads` must be positive"),
        ({"to": "text", "threads": "2"}, TypeError, "`threads` must be an integer"),
        ({"to": "text", "rename": ["name"]}, TypeError, "`rename` must be a mapping from columns to variables"),
        ({"to": "text", "rename": {"name": 1}}, TypeError, "a variable of `rename` must be a text"),
    ],
)
def test_options_are_checked_when_the_renderer_is_made(manager, options, kind, message):
    kind = Exception if options["to"] == "anthropic" else kind
    with pytest.raises(kind, match=message):
        manager.batch("greeting", **options)


def test_a_provider_refuses_a_row_as_a_single_call_does(manager):
    with pytest.raises(ConversionError, match="row 0: Failed to convert prompt 'explain' to OpenAI format"):
        manager.batch("explain", to="openai-request")(pa.table({"topic": [None]}))


def shout(text):
    return text.upper()


def test_helpers_in_python_are_called_and_named(manager):
    manager.template_engine.register_helper("shout", shout)
    manager.create_prompt_sync(Prompt(id="loud", template="{{shout name}} {{> tail}}"))
    manager.template_engine.register_partial("tail", "{{id}}")
    loud = manager.batch("loud", to="text")
    plan = loud.explain(NAMES)
    assert (plan.helpers, plan.runs_python, plan.threads, plan.columns) == (["shout"], True, 1, ["id", "name"])
    assert loud(NAMES)["text"].to_pylist() == ["ADA 1", "GRACE 2"]
    assert pickle.loads(pickle.dumps(loud))(NAMES)["text"].to_pylist() == ["ADA 1", "GRACE 2"]


def test_explain_estimates_the_size_of_few_rows(manager):
    plan = manager.batch("greeting", to="text").explain(pa.table({"name": ["Ada", "Eva"]}))
    assert len("Hello Ada!") <= plan.bytes_per_row <= len("Hello Ada!") + 10


def test_explain_names_the_columns_that_are_read(manager):
    plan = manager.batch("greeting", to="text").explain(NAMES)
    assert (plan.columns, plan.output, plan.helpers, plan.runs_python) == (["name"], "text", [], False)
    assert plan.bytes_per_row > 0


def test_a_pickled_renderer_carries_only_what_its_prompt_needs(manager):
    for at in range(50):
        manager.template_engine.register_partial(f"unused{at}", "x" * 1000)
    manager.template_engine.register_helper("lambda_helper", lambda: 1)
    manager.template_engine.register_partial("sign", "from {{company}}")
    manager.create_prompt_sync(Prompt(id="signed", template="Hello {{name}}! {{> sign}}"))
    signed = manager.batch("signed", to="text")
    pickled = pickle.dumps(signed)
    assert len(pickled) < 3000
    assert pickle.dumps(signed) == pickled
    copy = pickle.loads(pickled)
    assert isinstance(copy, BatchRenderer)
    assert copy.content_hash == signed.content_hash
    table = pa.table({"name": ["Ada"], "company": ["Acme"]})
    assert copy(table)["text"].to_pylist() == ["Hello Ada! from Acme"]


def test_a_renderer_with_a_lambda_cannot_be_pickled(manager):
    manager.template_engine.register_helper("twice", lambda text: text * 2)
    manager.create_prompt_sync(Prompt(id="echo", template="{{twice name}}"))
    with pytest.raises(PromptPicklingError, match="twice"):
        pickle.dumps(manager.batch("echo", to="text"))


def test_observers_hear_of_a_batch_once(manager):
    heard = []

    class Batches:
        def on_batch_complete(self, batch):
            heard.append((batch.prompt_id, batch.rows, batch.errors, batch.target))

    manager.add_observer(Batches())
    manager.batch("greeting", to="text", on_error="column")(pa.table({"name": ["Ada", None]}))
    assert heard == [("greeting", 1, 1, None)]


def test_datasets_find_the_result_of_an_earlier_map_again(manager):
    from datasets import Dataset
    from datasets.fingerprint import Hasher

    greet = manager.batch("greeting", to="text")
    assert Hasher.hash(greet) == Hasher.hash(pickle.loads(pickle.dumps(greet)))
    rows = Dataset.from_dict({"name": ["Ada", "Grace"]}).with_format("arrow")
    first = rows.map(greet, batched=True)
    assert first.with_format(None)["text"][:] == ["Hello Ada!", "Hello Grace!"]
    assert rows.map(greet, batched=True)._fingerprint == first._fingerprint


def test_datasets_find_the_result_of_another_process(tmp_path):
    code = f"""
from datasets import Dataset
from prompt_manager import Prompt, PromptManager
manager = PromptManager()
manager.create_prompt_sync(Prompt(id="p", template="Hello {{{{name}}}}!", metadata={{"tags": ["a", "b"]}}))
Dataset.from_dict({{"name": ["Ada"]}}).to_parquet({str(tmp_path / "in.parquet")!r}) if RUN == 1 else None
rows = Dataset.from_parquet({str(tmp_path / "in.parquet")!r}, cache_dir={str(tmp_path / "cache")!r})
made = rows.with_format("arrow").map(manager.batch("p", to="text"), batched=True)
print([file["filename"] for file in made.cache_files])
"""
    first, second = (run_python(f"RUN = {run}\n{code}") for run in (1, 2))
    assert "cache-" in first
    assert second == first
