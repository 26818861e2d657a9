"""Many Python rows in one call."""

from __future__ import annotations

import pickle

import pytest

from helpers import chat_of, create_text_prompt
from prompt_manager import PromptManager, TemplateEngine
from prompt_manager.exceptions import PromptManagerError, TemplateRenderError


@pytest.fixture
def manager():
    manager = PromptManager()
    manager.create_prompt_sync(create_text_prompt())
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About {{topic}}."}]
    manager.create_prompt_sync(chat_of(*messages, settings={"model": "gpt-5"}))
    return manager


@pytest.mark.parametrize(
    ("to", "single"),
    [
        ("text", lambda manager, row: manager.render_sync("explain", row)),
        ("messages", lambda manager, row: manager.render_messages_sync("explain", row)),
        ("openai", lambda manager, row: manager.convert_sync("explain", row, "openai")),
        ("openai-request", lambda manager, row: manager.build_request_sync("explain", row, "openai")),
        (
            "openai-responses-request",
            lambda manager, row: manager.build_request_sync("explain", row, "openai-responses"),
        ),
    ],
)
def test_each_row_gives_what_a_single_call_gives(manager, to, single):
    rows = [{"topic": "tea"}, {"topic": "rain"}]
    assert manager.render_batch("explain", rows, to=to) == [single(manager, row) for row in rows]


def test_the_first_row_that_fails_is_raised_with_its_number(manager):
    with pytest.raises(TemplateRenderError, match="row 1: Missing variable 'name'") as caught:
        manager.render_batch("greeting", [{"name": "Ada"}, {}])
    assert caught.value.context["row"] == 1
    assert isinstance(caught.value.__cause__, TemplateRenderError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_errors_can_be_returned_among_the_results(manager):
    first, second, third = manager.render_batch("greeting", [{"name": "Ada"}, {}, {"name": "Alan"}], on_error="return")
    assert (first, third) == ("Hello Ada!", "Hello Alan!")
    assert isinstance(second, PromptManagerError)


def test_rows_are_read_when_their_results_are_asked_for(manager):
    read = []

    def rows():
        for name in ["Ada", "Grace"]:
            read.append(name)
            yield {"name": name}

    results = manager.iter_batch("greeting", rows())
    assert (next(results), read) == ("Hello Ada!", ["Ada"])


def test_observers_hear_of_a_batch_once_and_of_no_render(manager):
    heard = []

    class Batches:
        def on_render_complete(self, execution):
            heard.append(execution)

        def on_batch_complete(self, batch):
            heard.append((batch.prompt_id, batch.rows, batch.errors))

    manager.add_observer(Batches())
    manager.render_batch("greeting", [{"name": "Ada"}, {}], on_error="return")
    assert heard == [("greeting", 1, 1)]


def test_an_engine_of_the_application_renders_the_rows():
    class Loud(TemplateEngine):
        async def render(self, template, variables, *, partials=None, data=None):  # noqa: ARG002 - as the protocol has it
            return template.upper()

    manager = PromptManager(template_engine=Loud())
    manager.create_prompt_sync(create_text_prompt(template="Hello {name}"))
    assert manager.render_batch("greeting", [{"name": "Ada"}]) == ["HELLO {NAME}"]
    with pytest.raises(ValueError, match="Loud"):
        manager.batch("greeting", to="text")


@pytest.mark.parametrize(
    ("options", "message"), [({"to": "txet"}, "did you mean 'text'"), ({"on_error": "column"}, "'raise' or 'return'")]
)
def test_options_are_checked_at_once(manager, options, message):
    with pytest.raises(ValueError, match=message):
        manager.iter_batch("greeting", [], **options)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"name": "Ada"}, "not one mapping\n  hint: pass a list of one dict"),
        ("Ada", "an iterable of mappings, not str"),
        (None, "an iterable of mappings, not NoneType"),
        ([{"name": "Ada"}, 5], "^row 1: variables must be a mapping"),
    ],
)
def test_what_is_no_row_is_refused(manager, rows, message):
    with pytest.raises(TypeError, match=message):
        manager.render_batch("greeting", rows)
