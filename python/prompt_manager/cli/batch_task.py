"""What decides about the content of a batch's output, so that a run goes on only with what the earlier run had."""

from __future__ import annotations

import hashlib
import inspect
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prompt_manager.cli.batch_jobs import RowJob, TableJob

__all__ = ["task_of"]

#: The fields of the options that decide about the result of a row, by the options of the command.
_OPTIONS = {
    "--to": "to",
    "--model": "model",
    "--rename": "rename",
    "--column": "column",
    "--error-column": "error_column",
    "--on-error": "on_error",
    "--not-strict": "strict",
    "--no-output-instructions": "output_instructions",
    "--no-structured-output": "structured_output",
    "--max-tokens": "max_tokens",
}


def task_of(job: RowJob | TableJob, tokens: str | None) -> dict[str, Any]:
    """What the output depends on, as JSON values. The keys complete the sentence "made with another ..."."""
    prompt, options, status = job.prompt, job.options, job.source.path.stat()
    counter = options.tokens
    return {
        "version of the prompt": [prompt.id, prompt.version, prompt.content_hash],
        "partial, schema or helper": _digest(_needs(job)),
        "input": [status.st_size, status.st_mtime_ns],
        "value of --batch-size": job.source.size,
        "value of --tokens": tokens,
        "function for --tokens": _digest(_code(counter)) if callable(counter) else None,
        **{f"value of {option}": getattr(options, name) for option, name in _OPTIONS.items()},
    }


def _needs(job: RowJob | TableJob) -> list[Any]:
    """What the prompt needs of its template engine and its schemas. Python code counts by its text."""
    batch, engine = job.renderer._batch, job.renderer._engine
    helpers, partials, _ = engine.__getstate__()
    held = batch.schema_set
    return [
        engine.__getnewargs_ex__()[1],
        sorted((name, source) for name, source in partials if name in batch.partials),
        sorted((name, _code(function)) for name, function, *_ in helpers if name in batch.helpers),
        sorted((name, _digest(_schema(held.get(name)))) for name in batch.schemas),
        sorted((name, _code(held.function(name))) for name in batch.functions),
    ]


def _schema(schema: Any) -> Any:
    """A JSON Schema, or that of a model and the code of the model.

    A model with a type that JSON does not have has no JSON Schema: the types of its fields and its bases count instead.
    """
    if not hasattr(schema, "model_json_schema"):
        return schema
    from pydantic.errors import PydanticUserError

    try:
        return [schema.model_json_schema(), _code(schema)]
    except PydanticUserError:
        fields = {name: inspect.formatannotation(field.annotation) for name, field in schema.model_fields.items()}
        return [fields, [_code(each) for each in schema.__mro__]]


def _code(value: Any) -> str:
    """The Python code of a function, or of the class of an object that can be called; without code, the name."""
    value = inspect.unwrap(value)
    for each in (value, type(value)):
        try:
            return inspect.getsource(each)
        except (OSError, TypeError):
            continue
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=lambda each: type(each).__qualname__)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
