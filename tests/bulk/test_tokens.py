"""Token counts: a column of numbers, and rows that have too many."""

from __future__ import annotations

import pickle

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from helpers import chat_of, create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.exceptions import PromptPicklingError, TemplateRenderError

NAMES = pa.table({"name": ["Ada", "Ada King Lovelace", "Bo"]})


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.create_prompt_sync(create_text_prompt())
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About {{topic}}."}]
    manager.create_prompt_sync(chat_of(*messages, settings={"model": "gpt-5"}))
    return manager


@pytest.mark.parametrize(
    "rows", [NAMES, NAMES.to_batches()[0], NAMES.to_reader(), NAMES.to_pandas(), pl.DataFrame(NAMES.to_pydict())]
)
def test_a_count_is_added_to_the_tables_of_each_library(manager, rows):
    made = manager.batch("greeting", to="text", tokens=words)(rows)
    assert type(made) is type(rows)
    table = made.read_all() if isinstance(made, pa.RecordBatchReader) else pa.table(made)
    table = table.select(["name", "text", "tokens"])
    assert table["tokens"].to_pylist() == [2, 4, 2]
    assert table.schema.field("tokens").type == pa.int64()


def test_messages_are_counted_text_by_text(manager):
    made = manager.batch("explain", to="messages", tokens=words)(pa.table({"topic": ["tea", "green tea"]}))
    assert made.column_names == ["topic", "messages", "tokens"]
    assert made["tokens"].to_pylist() == [4, 5]


@pytest.mark.parametrize("to", ["openai", "openai-request", "openai-responses-request", "litellm-request"])
def test_a_request_is_counted_as_the_json_that_is_sent(manager, to):
    made = manager.batch("explain", to=to, tokens=len)(pa.table({"topic": ["tea", "日本"]}))
    assert made["tokens"].to_pylist() == [len(text) for text in made["request"].to_pylist()]


@pytest.mark.parametrize("frame", [NAMES, pl.DataFrame(NAMES.to_pydict())])
@pytest.mark.parametrize("to", ["text", "messages"])
def test_a_row_with_too_many_tokens_has_an_error(manager, frame, to):
    greet = manager.batch(
        "greeting" if to == "text" else "explain",
        to=to,
        tokens=words,
        max_tokens=4,
        on_error="column",
        rename={} if to == "text" else {"name": "topic"},
    )
    table = pa.table(greet(frame))
    limit = {"text": [2, 4, 2], "messages": [4, 6, 4]}[to]
    assert table["tokens"].to_pylist() == limit
    expected = (
        [None, None, None]
        if to == "text"
        else [
            None,
            "row 1: the result has 6 tokens, and `max_tokens` is 4",
            None,
        ]
    )
    assert table["error"].to_pylist() == expected
    assert [made is None for made in table[to].to_pylist()] == [error is not None for error in expected]


def test_too_many_tokens_raise_with_the_number_of_the_row(manager):
    greet = manager.batch("greeting", to="text", tokens=words, max_tokens=3)
    with pytest.raises(TemplateRenderError, match="row 1: the result has 4 tokens, and `max_tokens` is 3") as caught:
        greet(NAMES)
    assert caught.value.context["row"] == 1
    reader = pa.Table.from_batches(NAMES.slice(0, 1).to_batches() + NAMES.slice(1).to_batches()).to_reader()
    with pytest.raises(TemplateRenderError, match="row 1: the result has 4 tokens"):
        list(greet.stream(reader))


def test_rows_that_cannot_be_rendered_have_no_count(manager):
    greet = manager.batch("greeting", to="text", tokens=words, max_tokens=3, on_error="column")
    table = greet(pa.table({"name": [None, "Ada"]}))
    assert table["tokens"].to_pylist() == [None, 2]
    assert table["error"][0].as_py().startswith("row 0: ")


def test_a_stream_is_counted_while_it_is_read(manager):
    read = []

    def batches():
        for batch in NAMES.to_batches(max_chunksize=1):
            read.append(batch.num_rows)
            yield batch

    stream = manager.batch("greeting", to="text", tokens=words).stream(
        pa.RecordBatchReader.from_batches(NAMES.schema, batches())
    )
    assert stream.column_names == ["name", "text", "tokens"]
    first = next(stream)
    assert (first["tokens"].to_pylist(), read) == ([2], [1])
    assert pl.DataFrame(stream)["tokens"].to_list() == [4, 2]


def test_without_pyarrow_polars_counts(manager, monkeypatch):
    from prompt_manager.bulk import _counted

    find = _counted.find_spec
    monkeypatch.setattr(_counted, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    greet = manager.batch("greeting", to="text", tokens=words, max_tokens=3, on_error="column")
    table = greet(pl.DataFrame(NAMES.to_pydict()))
    assert table["tokens"].to_list() == [2, 4, 2]
    assert table["text"].to_list() == ["Hello Ada!", None, "Hello Bo!"]
    monkeypatch.setattr(_counted, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match="counting tokens needs pyarrow or polars\n  hint: pip install"):
        greet(pl.DataFrame(NAMES.to_pydict()))


def test_an_encoding_of_tiktoken_counts(manager, monkeypatch):
    tiktoken = pytest.importorskip("tiktoken")
    # The encodings of OpenAI are downloaded at their first use. This one has a token for each byte.
    bytes_only = tiktoken.Encoding(
        "bytes_only",
        pat_str=r".+",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={"<|endoftext|>": 256},
    )
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "bytes_only", bytes_only)
    greet = manager.batch("greeting", to="text", tokens="tiktoken:bytes_only")
    table = pa.table({"name": ["Ada", "日本", "<|endoftext|>"]})
    expected = [len(text.encode()) for text in greet(table)["text"].to_pylist()]
    assert greet(table)["tokens"].to_pylist() == expected
    assert pickle.loads(pickle.dumps(greet))(table)["tokens"].to_pylist() == expected


def test_a_renderer_with_a_function_travels(manager):
    greet = pickle.loads(pickle.dumps(manager.batch("greeting", to="text", tokens=words, max_tokens=9)))
    assert greet(NAMES)["tokens"].to_pylist() == [2, 4, 2]
    with pytest.raises(PromptPicklingError, match="the function for `tokens` cannot be pickled"):
        pickle.dumps(manager.batch("greeting", to="text", tokens=lambda text: len(text) + 1))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"tokens": "o200k_base"}, ValueError, "or a name such as 'tiktoken:o200k_base', not 'o200k_base'"),
        ({"tokens": "tiktoken:"}, ValueError, "or a name such as"),
        ({"tokens": "tiktoken:nothing"}, ValueError, "Unknown encoding nothing"),
        ({"tokens": 3}, TypeError, "not int"),
        ({"max_tokens": 3}, ValueError, "`max_tokens` needs `tokens=`"),
        ({"tokens": words, "max_tokens": 0}, ValueError, "`max_tokens` must be positive"),
    ],
)
def test_what_counts_nothing_is_refused(manager, arguments, error, message):
    with pytest.raises(error, match=message):
        manager.batch("greeting", to="text", **arguments)


def test_a_table_with_a_column_for_tokens_is_refused(manager):
    with pytest.raises(TemplateRenderError, match="already has a column 'tokens'"):
        manager.batch("greeting", to="text", tokens=words)(pd.DataFrame({"name": ["Ada"], "tokens": [1]}))


def fails(text: str) -> int:
    raise LookupError(text)


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (fails, "the tokens cannot be counted: LookupError: Hello Ada!"),
        (lambda _: None, "the function that counts tokens must return their number, and not None"),
        (lambda text: float(len(text)), "must return their number, and not 10.0"),
        (lambda text: -len(text), "must return their number, and not -10"),
        (lambda text: [text], "must return their number, and not list"),
    ],
)
def test_a_function_that_cannot_count_is_the_error_of_its_row(manager, count, message):
    with pytest.raises(TemplateRenderError, match=f"^row 0: .*{message}") as caught:
        manager.batch("greeting", to="text", tokens=count)(NAMES)
    assert caught.value.context["row"] == 0
    made = manager.batch("greeting", to="text", tokens=count, on_error="column")(NAMES)
    assert made["text"].to_pylist() == made["tokens"].to_pylist() == [None] * 3
    assert message in made["error"][0].as_py()


def test_the_numbers_of_numpy_are_counts(manager):
    import numpy as np

    made = manager.batch("greeting", to="text", tokens=lambda text: np.int32(len(text)))(NAMES)
    assert made["tokens"].to_pylist()[0] == 10


@pytest.mark.parametrize("names", [{"column": "tokens"}, {"error_column": "tokens"}, {"error_column": "text"}])
def test_new_columns_have_different_names(manager, names):
    with pytest.raises(ValueError, match="two new columns would have the name"):
        manager.batch("greeting", to="text", tokens=words, on_error="column", **names)
