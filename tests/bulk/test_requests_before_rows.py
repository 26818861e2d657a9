"""What all requests of a batch have is checked before the first row."""

from __future__ import annotations

import pyarrow as pa
import pytest

from prompt_manager import Prompt, PromptManager
from prompt_manager._providers import PROVIDERS
from prompt_manager.exceptions import ConversionError

TABLE = pa.table({"name": ["Ada", "Bo"]})
TOOL = {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {"a": {}}}}


def manager_of(**fields):
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="hi", template="Hi {{name}}", **fields))
    return manager


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_without_a_model_is_one_error_before_the_first_row(provider):
    called = []

    def rows():
        called.append(1)
        yield TABLE

    batch = manager_of(settings={"max_tokens": 5}).batch("hi", to=f"{provider}-request", on_error="column")
    for table in (TABLE, TABLE.slice(0, 0)):
        with pytest.raises(ConversionError, match="no model is given") as caught:
            batch(table)
        assert "row" not in caught.value.message
        assert "\n  hint: pass model=..., or set `model` in the prompt's settings" in str(caught.value)
    with pytest.raises(ConversionError, match="no model is given"):
        list(batch.map_batches(rows()))


def test_a_tool_and_a_setting_that_the_provider_refuses_are_one_error_too():
    batch = manager_of(tools=[TOOL]).batch("hi", to="openai-request", model="m", on_error="column")
    with pytest.raises(ConversionError, match="tool `f` cannot be strict"):
        batch(TABLE)
    batch = manager_of().batch("hi", to="anthropic-request", model="m", on_error="column")
    with pytest.raises(ConversionError, match="Anthropic requires `max_tokens`"):
        batch(TABLE)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_depends_on_the_row_is_an_error_of_the_row(provider):
    manager = manager_of(settings={"max_tokens": 5}, variables={"name": "string"})
    made = manager.batch("hi", to=f"{provider}-request", model="m", on_error="column")(
        pa.table({"name": ["Ada", None]})
    )
    first, second = made["error"].to_pylist()
    assert first is None
    assert second.startswith("row 1: ")
