"""Batch files of providers: written from requests, and read when the provider has answered them."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import warn

from prompt_manager._encodable import check_encodable
from prompt_manager._native import encoding_problem, text_table, write_requests
from prompt_manager.bulk._checks import check_count
from prompt_manager.bulk._tables import exportable
from prompt_manager.exceptions import PromptManagerError, StorageReadError
from prompt_manager.integrations._batch_lines import left_out
from prompt_manager.integrations.base import PromptConversionWarning
from prompt_manager.validation.output import read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Literal

    from prompt_manager._native import CompiledPrompt, RenderedTable

__all__ = ["WrittenRequests", "read_results", "write_jsonl"]

#: OpenAI's limits. Those of Anthropic and Google are higher.
MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000


class WrittenRequests(NamedTuple):
    """What :func:`write_jsonl` wrote."""

    #: The files, in order.
    paths: list[Path]
    #: How many requests they have.
    requests: int
    #: How many rows had no request, because they could not be rendered.
    skipped: int


def write_jsonl(
    rows: Any,
    path: str | os.PathLike[str],
    *,
    provider: Literal["openai", "openai-responses", "anthropic", "gemini"],
    custom_id: str | None = None,
    column: str = "request",
    max_requests: int = MAX_REQUESTS,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int], object] | None = None,
) -> WrittenRequests:
    """Write requests as files for a provider's batch API.

    Arguments of the call itself, such as ``timeout``, are left out with a warning.

    A file that reaches a limit is completed, and the next one begins: ``batch.jsonl``, ``batch-2.jsonl``, … Each file
    appears when it is complete. If writing fails, the complete files stay, and nothing else does.

    Args:
        rows: The table or stream of ``manager.batch(id, to="openai-request")``.
        path: The first file. A file that exists is replaced.
        provider: The provider that the requests were rendered for. A line for Gemini has the body of
            ``generateContent``; its model is an argument of the batch.
        custom_id: The column with the id of each request, by which its answer is found: a text or an integer. By
            default ``row-0``, ``row-1``, … An id that is twice in a file is an error. Two files are not compared, but
            their results can be told apart only if no id is in both.
        column: The column with the requests.
        max_requests: The maximum number of requests in a file.
        max_bytes: The maximum size of a file, in bytes.
        progress: Called with the number of rows so far after each record batch, for a progress bar of rich or tqdm.

    Raises:
        StorageWriteError: a file cannot be written, a column is missing, a request is longer than a file may be, asks
            for a stream or is for another provider, or the provider would refuse an id.
        ValueError: the provider has no batch files, or a limit is not positive.

    >>> import pyarrow as pa, tempfile
    >>> from prompt_manager import Prompt, PromptManager
    >>> manager = PromptManager()
    >>> _ = manager.create_prompt_sync(Prompt(id="greeting", template="Hello {{name}}!", settings={"model": "gpt-5"}))
    >>> requests = manager.batch("greeting", to="openai-request")(pa.table({"name": ["Ada"]}))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     written = write_jsonl(requests, f"{directory}/batch.jsonl", provider="openai")
    ...     print(written.paths[0].read_text()[:70])
    {"custom_id":"row-0","method":"POST","url":"/v1/chat/completions","bod
    """
    check_count(max_requests, "`max_requests`")
    check_count(max_bytes, "`max_bytes`")
    if progress is not None and not callable(progress):
        raise TypeError(f"`progress` must be a function, such as `bar.update`, not {type(progress).__name__}")
    paths, requests, skipped, lost = write_requests(
        exportable(rows),
        path,
        provider=provider,
        column=column,
        custom_id=custom_id,
        max_requests=max_requests,
        max_bytes=max_bytes,
        progress=progress,
    )
    for name in lost:
        warn(left_out(name), PromptConversionWarning, stacklevel=2)
    return WrittenRequests(paths, requests, skipped)


def read_results(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    prompt: CompiledPrompt,
    *,
    ids: Iterable[str] | None = None,
) -> RenderedTable:
    """Read the answers of a provider's batch API; see :meth:`prompt_manager.PromptManager.read_results`."""
    from os import PathLike

    files = [paths] if isinstance(paths, (str, PathLike)) else _items(paths, "`paths` must be a path or several")
    wanted = None if ids is None else _items(ids, "`ids` must be the ids of the requests")
    found: dict[str, _Result] = {}
    has_schema = prompt.to_dict().get("output_schema") is not None
    for file in files:
        check_encodable(str(file), "the path", StorageReadError)
        for result in _results(file, prompt if has_schema else None):
            found[result.custom_id] = result
    wanted = list(found) if wanted is None else [str(each) for each in wanted]
    missing = "the provider's files have no result for this id"
    results = [found.get(each) or _Result(each, error=missing) for each in wanted]
    return text_table([(name, [getattr(result, name) for result in results]) for name in _Result._fields])


def _items(given: Any, expected: str) -> list[Any]:
    """The items of an iterable that is no text."""
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise TypeError(f"{expected}, not {type(given).__name__}")
    return list(given)


class _Result(NamedTuple):
    """The answer to one request."""

    custom_id: str
    #: The text of the answer.
    text: str | None = None
    #: The data of the answer as JSON, if the prompt has an output schema.
    output: str | None = None
    error: str | None = None


def _results(file: str | os.PathLike[str], prompt: CompiledPrompt | None) -> Iterator[_Result]:
    try:
        with Path(file).open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _result(_line(file, number, line), prompt)
    except OSError as error:
        raise StorageReadError(f"cannot read {file}: {error.strerror}", path=str(file)) from error
    except UnicodeDecodeError as error:
        raise StorageReadError(f"{file} is not UTF-8", path=str(file)) from error


def _line(file: str | os.PathLike[str], number: int, line: str) -> dict[str, Any]:
    """The object of a line."""
    try:
        made = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise StorageReadError(f"line {number} of {file} is not JSON", path=str(file), line=number) from error
    custom_id = _id_of(made) if isinstance(made, dict) else None
    if not isinstance(custom_id, str):
        raise StorageReadError(f"line {number} of {file} has no `custom_id`", path=str(file), line=number)
    check_encodable(custom_id, f"the `custom_id` in line {number} of {file}", StorageReadError)
    return made  # type: ignore[no-any-return] # an object of JSON


def _id_of(line: Mapping[str, Any]) -> Any:
    """The id of a request, which Google calls ``key``."""
    return line.get("custom_id", line.get("key"))


def _result(line: Mapping[str, Any], prompt: CompiledPrompt | None) -> _Result:
    custom_id = _id_of(line)
    text, error = _answer(line)
    # A model that stops inside a character leaves half a surrogate pair, which no text of Arrow can hold.
    if broken := encoding_problem(error if text is None else text, "the answer"):
        return _Result(custom_id, error=broken)
    if text is None:
        return _Result(custom_id, error=error)
    if prompt is None:
        return _Result(custom_id, text)
    try:
        data = read_text(prompt, text, strict=False).data
        return _Result(custom_id, text, _json(data))
    except PromptManagerError as problem:
        return _Result(custom_id, text, error=problem.message)
    except UnicodeEncodeError:
        return _Result(custom_id, text, error="the answer holds half a surrogate pair, which is not a character")


def _json(data: Any) -> str:
    """The JSON of an answer's data, which may be an instance of a model."""
    dump = getattr(data, "model_dump_json", None)
    text = dump() if dump is not None else json.dumps(data, ensure_ascii=False, default=str)
    # Raises the error of half a surrogate pair here.
    text.encode()
    return text


def _answer(line: Mapping[str, Any]) -> tuple[str | None, str]:
    """The text of an answer, or why there is none. Any part of the line may be missing or have another type."""
    result = line.get("result")
    if isinstance(result, dict):
        if result.get("type") == "succeeded":
            return _text_of(_part(result, "message"))
        detail = _part(_part(result, "error"), "error") or _part(result, "error")
        return None, _problem(str(result.get("type") or "failed"), detail)
    if line.get("error"):
        return None, _problem("failed", _part(line, "error"))
    response = _part(line, "response")
    if "custom_id" not in line:
        return _text_of_gemini(response)
    body = _part(response, "body")
    if response.get("status_code") != HTTPStatus.OK:
        return None, _problem(f"status {response.get('status_code')}", _part(body, "error"))
    return _text_of(body)


def _part(of: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def _problem(kind: str, detail: Mapping[str, Any]) -> str:
    message = detail.get("message") or detail.get("code") or detail.get("type")
    return f"{kind}: {message}" if message else kind


def _text_of(body: Mapping[str, Any]) -> tuple[str | None, str]:
    """The text of a reply of Chat Completions, Messages or Responses."""
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = _part(choices[0], "message")
        if isinstance(message.get("content"), str):
            return message["content"], ""
        return None, _problem("refused", {"message": message.get("refusal") or "the answer has no text"})
    blocks = _blocks(body.get("content"), "text") or [
        text for item in _dicts(body.get("output")) for text in _blocks(item.get("content"), "output_text")
    ]
    return ("".join(blocks), "") if blocks else (None, "the answer has no text")


def _text_of_gemini(response: Mapping[str, Any]) -> tuple[str | None, str]:
    """The text of a reply of ``generateContent``, without the model's thoughts."""
    candidate = next(iter(_dicts(response.get("candidates"))), {})
    parts = _dicts(_part(candidate, "content").get("parts"))
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str) and not part.get("thought")]
    if texts:
        return "".join(texts), ""
    feedback = _part(response, "promptFeedback") or _part(response, "prompt_feedback")
    blocked = feedback.get("blockReason") or feedback.get("block_reason")
    return None, f"blocked: {blocked}" if blocked else "the answer has no text"


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _blocks(value: Any, kind: str) -> list[str]:
    """The texts of the content blocks of one type."""
    blocks = _dicts(value)
    return [block["text"] for block in blocks if block.get("type") == kind and isinstance(block.get("text"), str)]
