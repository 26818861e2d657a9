"""Records of renders: whatever is read first, a record is whole."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pydantic
import pytest

from prompt_manager import Prompt, PromptManager
from prompt_manager.core.models import PromptExecution

FIELDS = [
    *("execution_id", "prompt_id", "prompt_version", "timestamp", "variables", "rendered_content", "success"),
    *("duration_ms", "error", "target", "cache_hit", "metadata"),
]


def record_of_a_render() -> PromptExecution:
    records = []

    class Keeping:
        def on_render_complete(self, prompt_id, version, execution):
            records.append(execution)

    manager = PromptManager(observers=[Keeping()])
    manager.create_prompt_sync(Prompt(id="greeting", status="active", template="Hello {{name}}!"))
    manager.render_sync("greeting", {"name": "Ada"})
    return records[0]


class Holder(pydantic.BaseModel):
    record: PromptExecution


READS = {
    "model_dump": lambda record: record.model_dump(),
    "model_dump_json": lambda record: pydantic.TypeAdapter(dict).validate_json(record.model_dump_json()),
    "in another model": lambda record: Holder(record=record).model_dump()["record"],
    "a type adapter": lambda record: pydantic.TypeAdapter(PromptExecution).dump_python(record),
    "iteration": dict,
    "vars": lambda record: dict(vars(record)),
    "copy": lambda record: dict(copy.copy(record)),
    "deepcopy": lambda record: dict(copy.deepcopy(record)),
    "model_copy": lambda record: dict(record.model_copy()),
    "pickle": lambda record: dict(pickle.loads(pickle.dumps(record))),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_every_field_is_there_in_its_order(read):
    fields = read(record_of_a_render())
    assert list(fields) == FIELDS
    assert (fields["prompt_id"], fields["rendered_content"], fields["metadata"]) == ("greeting", "Hello Ada!", {})
    assert None not in (fields["execution_id"], fields["timestamp"])


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_can_be_the_first_that_is_read(name):
    record = record_of_a_render()
    assert getattr(record, name) == dict(record)[name]


def test_what_pydantic_knows_of_a_model_can_be_the_first_that_is_read():
    given = {"prompt_id", "prompt_version", "variables", "rendered_content", "success", "duration_ms"}
    assert record_of_a_render().model_fields_set == given
    assert record_of_a_render().model_extra == {}
    assert set(record_of_a_render().model_dump(exclude_unset=True)) == given
    assert "execution_id=UUID(" in repr(record_of_a_render())
    assert record_of_a_render() != record_of_a_render()
    record = record_of_a_render()
    assert record == copy.copy(record)


def test_a_name_that_a_record_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'PromptExecution' object has no attribute 'tokens'"):
        _ = record_of_a_render().tokens
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        record_of_a_render().success = False


def test_threads_that_read_a_record_at_once_find_the_same_fields():
    def read(record, barrier):
        barrier.wait()
        return record.execution_id, record.metadata

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(3) as threads:
            for _ in range(1000):
                record, barrier = record_of_a_render(), threading.Barrier(3)
                (first_id, metadata), *others = threads.map(read, [record] * 3, [barrier] * 3)
                assert all(read_id == first_id and found is metadata for read_id, found in others)
    finally:
        sys.setswitchinterval(interval)


def test_the_time_is_that_of_the_render_and_not_of_the_reading():
    before = dt.datetime.now(dt.UTC)
    record = record_of_a_render()
    after = dt.datetime.now(dt.UTC)
    time.sleep(0.02)
    assert before <= record.timestamp <= after
    assert record.timestamp is record.timestamp
