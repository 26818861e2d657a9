"""Rendering a prompt for every row of a table: Arrow in, Arrow out.

>>> from prompt_manager import Prompt, PromptManager
>>> manager = PromptManager()
>>> _ = manager.create_prompt_sync(Prompt(id="greeting", template="Hello {{name}}!"))
>>> import pyarrow as pa
>>> greet = manager.batch("greeting", to="text")
>>> greet(pa.table({"name": ["Ada", "Grace"]}))["text"].to_pylist()
['Hello Ada!', 'Hello Grace!']
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager._native import RenderedStream, RenderedTable
    from prompt_manager.bulk._bedrock import bedrock_request
    from prompt_manager.bulk._jsonl import WrittenRequests, write_jsonl
    from prompt_manager.bulk._renderer import BatchPlan, BatchRenderer

__all__ = [
    "BatchPlan",
    "BatchRenderer",
    "RenderedStream",
    "RenderedTable",
    "WrittenRequests",
    "bedrock_request",
    "write_jsonl",
]

_MODULES = {
    "BatchPlan": "_renderer",
    "BatchRenderer": "_renderer",
    "RenderedStream": "_tables",
    "RenderedTable": "_tables",
    "WrittenRequests": "_jsonl",
    "bedrock_request": "_bedrock",
    "write_jsonl": "_jsonl",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
