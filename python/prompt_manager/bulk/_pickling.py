"""The state of a pickled batch renderer: its prompt, and what the prompt needs of the engine and the schemas."""

from __future__ import annotations

from prompt_manager.core._pickling import check_engine_picklable, check_picklable
from prompt_manager.core.template import TemplateEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from prompt_manager._native import Batch, CompiledPrompt, Engine

__all__ = ["engine_of", "state_of"]

#: What differs if another process creates the same prompt. The state must not, because ``datasets`` hashes it.
_OF_ONE_PROCESS = ("uid", "created_at", "updated_at")


def state_of(core: CompiledPrompt, engine: Engine, batch: Batch) -> dict[str, Any]:
    """The prompt, the options of its engine, and the partials, helpers, types and schemas that it needs."""
    _, options = engine.__getnewargs_ex__()
    helpers, partials, types = engine.__getstate__()
    included, called = set(batch.partials), set(batch.helpers)
    if batch.runs_python:
        check_engine_picklable(engine)
    prompt = {name: value for name, value in core.to_dict().items() if name not in _OF_ONE_PROCESS}
    return {
        "prompt": prompt,
        "options": options,
        "partials": [(name, source) for name, source in partials if name in included],
        "helpers": [helper for helper in helpers if helper[0] in called],
        "types": types if batch.runs_python else [],
        "schemas": _schemas_of(core, batch),
    }


def _schemas_of(core: CompiledPrompt, batch: Batch) -> tuple[list[Any], list[Any]]:
    """The schemas and models that the prompt refers to, and the functions that their rules call, each with its name."""
    held = batch.schema_set
    schemas = [(name, held.get(name)) for name in batch.schemas]
    functions = [(name, held.function(name)) for name in batch.functions]
    if functions or any(isinstance(schema, type) for _, schema in schemas):
        hint = "use functions and models that are defined at the top of a module"
        check_picklable(f"a schema of prompt '{core.id}'", (schemas, functions), hint)
    return schemas, functions


def engine_of(state: Mapping[str, Any]) -> TemplateEngine:
    """A template engine with what the prompt needs."""
    engine = TemplateEngine(**state["options"])
    engine.__setstate__((state["helpers"], state["partials"], state["types"]))
    return engine
