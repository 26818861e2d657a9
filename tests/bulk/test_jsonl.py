"""Batch files of providers, written and read."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import warnings

import pyarrow as pa
import pytest

from helpers import run_python
from prompt_manager import Prompt, PromptManager
from prompt_manager.bulk import bedrock_request, write_jsonl
from prompt_manager.exceptions import StorageReadError, StorageWriteError
from prompt_manager.integrations import PromptConversionWarning


@pytest.fixture
def manager():
    manager = PromptManager()
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"]}
    manager.create_prompt_sync(
        Prompt(
            id="mood",
            messages=[{"role": "user", "content": "The mood of: {{text}}"}],
            settings={"model": "some-model", "max_tokens": 50},
            output_schema=schema,
        )
    )
    return manager


def requests(manager, count=3, provider="openai"):
    table = pa.table({"key": [f"k{at}" for at in range(count)], "text": [f"line {at}\n" for at in range(count)]})
    return manager.batch("mood", to=f"{provider}-request", on_error="column")(table)


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic", "gemini"])
def test_each_line_is_a_request_of_the_batch_api(manager, tmp_path, provider):
    path = tmp_path / "batch.jsonl"
    written = write_jsonl(requests(manager, provider=provider), path, provider=provider, custom_id="key")
    assert (written.paths, written.requests, written.skipped) == ([path], 3, 0)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["key" if provider == "gemini" else "custom_id"] for line in lines] == ["k0", "k1", "k2"]
    assert lines[1] == manager.build_batch_line_sync("mood", {"text": "line 1\n"}, provider, custom_id="k1")
    body = lines[1][{"anthropic": "params", "gemini": "request"}.get(provider, "body")]
    if provider != "gemini":
        assert body == manager.build_request_sync("mood", {"text": "line 1\n"}, provider)
    assert (
        lines[0].get("url")
        == {
            "openai": "/v1/chat/completions",
            "openai-responses": "/v1/responses",
            "anthropic": None,
            "gemini": None,
        }[provider]
    )


GEMINI = {
    "model": "some-model",
    "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    "config": {
        "temperature": 0.10,
        "seed": 123456789012345678901234567890,
        "system_instruction": 'Be "brief"',
        "tools": [{"google_search": {}}],
        "tool_config": {"function_calling_config": {"mode": "AUTO"}},
        "safety_settings": [],
        "cached_content": "cachedContents/1",
        "http_options": {"timeout": 3, "extra_body": {"newThing": [1], "tools": []}},
        "automatic_function_calling": {"disable": True},
    },
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"config": None},
        {"config": {}},
        {"config": {"http_options": None, "system_instruction": {"parts": [{"text": "S"}]}}},
        {"config": {"http_options": {"extra_body": None}, "system_instruction": None}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_line_for_gemini_is_that_of_build_batch_line(tmp_path, changes, indent):
    from prompt_manager.integrations._batch_lines import batch_line

    request = {**GEMINI, **changes}
    rows = pa.table({"request": [json.dumps(request, indent=indent)]})
    with warnings.catch_warnings(record=True) as of_file:
        warnings.simplefilter("always")
        written = write_jsonl(rows, tmp_path / "batch.jsonl", provider="gemini")
    [line] = written.paths[0].read_text().splitlines()
    with warnings.catch_warnings(record=True) as of_line:
        warnings.simplefilter("always")
        assert json.loads(line) == batch_line("gemini", request, "row-0")
    assert [str(warning.message) for warning in of_file] == [str(warning.message) for warning in of_line]
    if not changes:
        assert '"seed":123456789012345678901234567890' in line.replace(" ", "")


@pytest.mark.parametrize("settings", ["generation_config", "generationConfig"])
def test_members_that_are_not_checked_are_merged_with_the_body_of_gemini(tmp_path, settings):
    more = {settings: {"topK": 1, "temperature": 0.7}, "labels": None}
    config = {"temperature": 0.5, "max_output_tokens": 9, "http_options": {"extra_body": more}}
    rows = pa.table({"request": [json.dumps({"contents": [], "config": config})]})
    written = write_jsonl(rows, tmp_path / "batch.jsonl", provider="gemini")
    assert json.loads(written.paths[0].read_text())["request"] == {
        "contents": [],
        "generation_config": {"temperature": 0.7, "max_output_tokens": 9, "topK": 1},
        "labels": None,
    }


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
def test_a_request_that_streams_is_the_error_of_its_row(tmp_path, provider):
    requests = [{"model": "m", "stream": False, "text": "stream"}, {"model": "m", "stream": True}]
    rows = pa.table({"request": list(map(json.dumps, requests))})
    with pytest.raises(StorageWriteError, match=r"^row 1: the request asks for a stream"):
        write_jsonl(rows, tmp_path / "batch.jsonl", provider=provider)
    written = write_jsonl(rows.slice(0, 1), tmp_path / "batch.jsonl", provider=provider)
    line = json.loads(written.paths[0].read_text())
    assert line.get("body", line.get("params")) == {"model": "m", "text": "stream"}


@pytest.mark.parametrize(
    ("to", "provider"),
    [
        ("gemini", "openai"),
        ("bedrock", "anthropic"),
        ("openai", "gemini"),
        ("openai", "openai-responses"),
        ("openai", "anthropic"),
        ("openai-responses", "openai"),
        ("openai-responses", "anthropic"),
        ("anthropic", "openai-responses"),
        ("anthropic", "openai"),
    ],
)
def test_a_request_for_another_provider_is_refused(manager, tmp_path, to, provider):
    with pytest.raises(StorageWriteError, match=r"^row 0: the request is for another provider"):
        write_jsonl(requests(manager, provider=to), tmp_path / "batch.jsonl", provider=provider)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("provider", ["bedrock", "litellm"])
def test_a_provider_without_batch_files_is_refused(manager, tmp_path, provider):
    with pytest.raises(ValueError, match="has no batch files of requests\n  hint: those that have are openai, "):
        write_jsonl(requests(manager), tmp_path / "batch.jsonl", provider=provider)


def test_a_file_that_is_full_is_followed_by_the_next(manager, tmp_path):
    path = tmp_path / "batch.jsonl"
    written = write_jsonl(requests(manager, 5), path, provider="openai", max_requests=2)
    assert [path.name for path in written.paths] == ["batch.jsonl", "batch-2.jsonl", "batch-3.jsonl"]
    assert [len(path.read_text().splitlines()) for path in written.paths] == [2, 2, 1]
    size = len((tmp_path / "batch.jsonl").read_bytes())
    by_size = write_jsonl(requests(manager, 5), path, provider="openai", max_bytes=size + 10)
    assert [len(path.read_text().splitlines()) for path in by_size.paths] == [2, 2, 1]


def test_rows_without_a_request_are_skipped_and_counted(manager, tmp_path):
    table = manager.batch("mood", to="openai-request", on_error="column")(pa.table({"text": ["a", None, "c"]}))
    written = write_jsonl(table, tmp_path / "batch.jsonl", provider="openai")
    assert (written.requests, written.skipped) == (2, 1)
    ids = [json.loads(line)["custom_id"] for line in (tmp_path / "batch.jsonl").read_text().splitlines()]
    assert ids == ["row-0", "row-2"]


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"text": ["a"]}, {}, "no column 'request'"),
        ({"request": ["{}"]}, {"custom_id": "key"}, "no column 'key'"),
        ({"request": ["{}", "{}"], "key": ["a", "a"]}, {"custom_id": "key"}, "row 1: another request"),
        (
            {"request": ["{}"], "key": ["a b"]},
            {"custom_id": "key", "provider": "anthropic"},
            "row 0: Anthropic does not accept the id",
        ),
        ({"request": ["{}"], "key": [1.5]}, {"custom_id": "key"}, "row 0: the id is neither"),
        ({"request": ["no JSON"]}, {}, "row 0: the request is no JSON"),
        ({"request": ['{"a":']}, {}, "row 0: the request is no JSON"),
        ({"request": ['[{"role": "user"}]']}, {}, "no JSON object\n  hint: render requests first"),
        ({"request": ['{"timeout": ']}, {}, "row 0: the request is no JSON"),
        ({"request": ['{"a": "' + "x" * 100 + '"}']}, {"max_bytes": 99}, "row 0: the request is longer"),
    ],
)
def test_what_the_provider_would_refuse_is_an_error(tmp_path, table, options, message):
    with pytest.raises(StorageWriteError, match=message):
        write_jsonl(pa.table(table), tmp_path / "batch.jsonl", **{"provider": "openai", **options})
    assert list(tmp_path.iterdir()) == []


def test_arguments_of_the_client_are_not_in_the_body(tmp_path):
    request = {"model": "m", "timeout": 3, "extra_headers": {"a": "b"}, "extra_query": {}, "extra_body": {"top_k": 4}}
    rows = pa.table({"request": [json.dumps(request)] * 2})
    with pytest.warns(PromptConversionWarning, match="is for a call, and a line of a batch has no such") as caught:
        written = write_jsonl(rows, tmp_path / "batch.jsonl", provider="openai")
    # Once for each argument, whatever the number of rows.
    assert [str(warning.message).split()[0] for warning in caught] == ["`extra_headers`", "`timeout`"]
    for line in written.paths[0].read_text().splitlines():
        assert json.loads(line)["body"] == {"model": "m", "top_k": 4}


def test_a_request_keeps_every_digit(tmp_path):
    request = ' {"seed":123456789012345678901234567890,\n"extra_body": {"price": 0.10, "model": "m"}, "model": "n"}'
    written = write_jsonl(pa.table({"request": [request]}), tmp_path / "batch.jsonl", provider="openai")
    [line] = written.paths[0].read_text().splitlines()
    assert line.endswith('"body":{"seed":123456789012345678901234567890,"model":"m","price":0.10}}')


def test_half_a_surrogate_pair_is_the_error_of_its_row(manager, tmp_path):
    def line(custom_id, content):
        body = {"choices": [{"message": {"content": content}}]}
        return json.dumps({"custom_id": custom_id, "response": {"status_code": 200, "body": body}})

    contents = {"a": "cut \ud83d", "b": '{"mood": "\\ud83d"}', "c": '{"mood": "calm"}'}
    (tmp_path / "output.jsonl").write_text("\n".join(line(*item) for item in contents.items()))
    rows = pa.table(manager.read_results(tmp_path / "output.jsonl", "mood")).to_pylist()
    assert [row["output"] for row in rows][2] == '{"mood": "calm"}'
    assert all("surrogate" in row["error"] for row in rows[:2])
    (tmp_path / "output.jsonl").write_text(line("\ud83d", "text"))
    with pytest.raises(StorageReadError, match="line 1 of"):
        manager.read_results(tmp_path / "output.jsonl", "mood")


def test_a_full_disk_leaves_what_was_complete_and_nothing_else(manager, tmp_path):
    line = len(write_jsonl(requests(manager, 1), tmp_path / "one.jsonl", provider="openai").paths[0].read_bytes())
    (tmp_path / "one.jsonl").unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # The third file does not fit.
        resource.setrlimit(resource.RLIMIT_FSIZE, (line * 2, limits[1]))
        table = pa.concat_tables([requests(manager, 2), requests(manager, 200)])
        with pytest.raises(StorageWriteError, match="cannot write"):
            write_jsonl(table.drop_columns("key"), tmp_path / "b.jsonl", provider="openai", max_bytes=line * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_a_device_or_a_pipe_is_not_replaced(manager, tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(StorageWriteError, match="it is a device or a pipe"):
        write_jsonl(requests(manager), tmp_path / "pipe.jsonl", provider="openai")
    assert [stat.S_ISFIFO(path.stat().st_mode) for path in tmp_path.iterdir()] == [True]


def test_a_link_leads_to_the_file_that_is_written(manager, tmp_path):
    target = tmp_path / "disk" / "target.jsonl"
    target.parent.mkdir()
    target.touch()
    link = tmp_path / "link.jsonl"
    link.symlink_to(target)
    assert write_jsonl(requests(manager), link, provider="openai").paths == [link]
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_requests": "6"}, TypeError, "`max_requests` must be an integer, not str"),
        ({"max_bytes": 0}, ValueError, "`max_bytes` must be positive"),
        ({"progress": 5}, TypeError, "`progress` must be a function"),
    ],
)
def test_options_are_checked_before_the_first_row(manager, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        write_jsonl(requests(manager), tmp_path / "batch.jsonl", provider="openai", **options)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_after_each_record_batch(manager, tmp_path):
    told = []
    table = pa.Table.from_batches(requests(manager, 4).to_batches(max_chunksize=2))
    write_jsonl(table, tmp_path / "batch.jsonl", provider="openai", progress=told.append)
    assert told == [2, 4]


def openai_line(custom_id, content, status=200):
    body = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    return {"custom_id": custom_id, "response": {"status_code": status, "body": body}, "error": None}


def test_results_come_back_in_the_order_of_the_rows(manager, tmp_path):
    lines = [openai_line("b", '```json\n{"mood": "sad",}\n```'), openai_line("a", '{"mood": "glad"}')]
    path = tmp_path / "output.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    table = pa.table(manager.read_results(path, "mood", ids=["a", "b", "c"]))
    assert table["custom_id"].to_pylist() == ["a", "b", "c"]
    assert table["output"].to_pylist() == ['{"mood": "glad"}', '{"mood": "sad"}', None]
    assert table["error"].to_pylist() == [None, None, "the provider's files have no result for this id"]


@pytest.mark.parametrize(
    ("line", "text", "error"),
    [
        (openai_line("a", '{"mood": 1}'), '{"mood": 1}', "mood"),
        (openai_line("a", "{}", 500), None, "status 500"),
        ({"custom_id": "a", "response": None, "error": {"message": "too slow"}}, None, "failed: too slow"),
        ({"custom_id": "a", "result": {"type": "expired"}}, None, "expired"),
        (
            {"custom_id": "a", "result": {"type": "errored", "error": {"error": {"message": "bad"}}}},
            None,
            "errored: bad",
        ),
        (
            {
                "custom_id": "a",
                "result": {"type": "succeeded", "message": {"content": [{"type": "text", "text": "?"}]}},
            },
            "?",
            "answer",
        ),
    ],
)
def test_an_answer_that_is_no_result_has_an_error(manager, tmp_path, line, text, error):
    path = tmp_path / "output.jsonl"
    path.write_text(json.dumps(line))
    row = pa.table(manager.read_results(path, "mood")).to_pylist()[0]
    assert (row["text"], row["output"]) == (text, None)
    assert error in row["error"]


def test_replies_of_the_responses_api_are_read(manager, tmp_path):
    message = {"type": "message", "content": [{"type": "output_text", "text": '{"mood": "calm"}'}]}
    body = {"output": [{"type": "reasoning", "summary": []}, message]}
    line = {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    (tmp_path / "output.jsonl").write_text(json.dumps(line))
    row = pa.table(manager.read_results([tmp_path / "output.jsonl"], "mood")).to_pylist()[0]
    assert row == {"custom_id": "a", "text": '{"mood": "calm"}', "output": '{"mood": "calm"}', "error": None}


@pytest.mark.parametrize(
    ("result", "text", "error"),
    [
        (
            {
                "response": {
                    "candidates": [
                        {
                            "content": {
                                "parts": [{"text": "Hm", "thought": True}, {"text": '{"mood"'}, {"text": ': "calm"}'}]
                            }
                        }
                    ]
                }
            },
            '{"mood": "calm"}',
            None,
        ),
        ({"response": {"promptFeedback": {"blockReason": "SAFETY"}}}, None, "blocked: SAFETY"),
        ({"response": {"candidates": [{"finishReason": "MAX_TOKENS"}]}}, None, "the answer has no text"),
        ({"error": {"code": 8, "message": "no quota"}}, None, "failed: no quota"),
    ],
)
def test_replies_of_gemini_are_read(manager, tmp_path, result, text, error):
    (tmp_path / "output.jsonl").write_text(json.dumps({"key": "a", **result}))
    row = pa.table(manager.read_results(tmp_path / "output.jsonl", "mood")).to_pylist()[0]
    assert row == {"custom_id": "a", "text": text, "output": text, "error": error}


def test_of_several_results_for_an_id_the_last_counts(manager, tmp_path):
    lines = [openai_line("a", "old"), openai_line("b", "once"), openai_line("a", '{"mood": "new"}')]
    for name, few in (("first", lines[:2]), ("retry", lines[2:])):
        # Editors of Windows write a byte order mark.
        (tmp_path / name).write_text("".join(f"{json.dumps(line)}\n" for line in few), encoding="utf-8-sig")
    results = pa.table(manager.read_results([tmp_path / "first", tmp_path / "retry"], "mood"))
    assert results["text"].to_pylist() == ['{"mood": "new"}', "once"]


@pytest.mark.parametrize(
    ("paths", "ids", "message"),
    [
        (5, None, "`paths` must be a path or several, not int"),
        ([], "ab", "`ids` must be the ids of the requests, not str"),
    ],
)
def test_what_is_no_file_or_id_is_refused(manager, paths, ids, message):
    with pytest.raises(TypeError, match=message):
        manager.read_results(paths, "mood", ids=ids)


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"id": 1}', pytest.param("[" * 100_000, id="deep")])
def test_a_file_that_has_no_results_is_an_error_with_its_line(manager, tmp_path, content):
    (tmp_path / "output.jsonl").write_text(f"\n{content}\n")
    with pytest.raises(StorageReadError, match="line 2 of"):
        manager.read_results(tmp_path / "output.jsonl", "mood")


def test_a_results_file_that_cannot_be_read_is_an_error(manager, tmp_path):
    with pytest.raises(StorageReadError, match=r"cannot read .*missing\.jsonl: No such file or directory"):
        manager.read_results(tmp_path / "missing.jsonl", "mood")
    (tmp_path / "latin.jsonl").write_bytes(b'{"custom_id": "caf\xe9"}')
    with pytest.raises(StorageReadError, match=r"latin\.jsonl is not UTF-8"):
        manager.read_results(tmp_path / "latin.jsonl", "mood")


def test_a_killed_process_leaves_no_half_written_file(tmp_path):
    code = f"""
import os, pyarrow as pa
from prompt_manager.bulk import bedrock_request, write_jsonl
rows = pa.table({{"request": ['{{"a": 1}}'] * 10}})
write_jsonl(rows, {str(tmp_path / "b.jsonl")!r}, provider="openai", max_requests=4, progress=lambda done: os._exit(0))
"""
    run_python(code)
    complete = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert complete == ["b-2.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("no JSON", "the request is not JSON"),
        ("[]", "a request is a JSON object, not list"),
        (5, "a request is a JSON object, not int"),
        ({"messages": [{"content": [{"image": {"source": {"bytes": "?"}}}]}]}, "`bytes` of the request is not base64"),
    ],
)
def test_what_is_no_request_for_bedrock_is_an_error(request_, message):
    with pytest.raises(ValueError, match=message):
        bedrock_request(request_)
