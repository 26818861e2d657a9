"""Random conversations for each provider: valid ones convert completely, and invalid ones are rejected."""

from __future__ import annotations

import copy
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import chat_of
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import PromptConversionWarning
from providers import reference
from providers.apis import APIS
from providers.broken import mutated
from providers.checks import RequestError
from providers.conversations import conversations, prompts
from providers.samples import HISTORY

pytestmark = pytest.mark.integration

ENGINE = TemplateEngine()

random = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("provider", APIS)
def test_a_valid_conversation_converts_fully_and_is_accepted(provider):
    api = APIS[provider]

    @random
    @given(st.data())
    def holds(data):
        messages = data.draw(conversations(provider))
        written, variables = data.draw(prompts(messages))
        form = api.integration(ENGINE).convert_sync(chat_of(*written), variables)
        api.check(form)
        assert reference.normalized(form) == reference.normalized(api.convert_unchecked(messages))

    holds()


def is_accepted(api, form):
    try:
        api.check(form)
    except RequestError:
        return False
    return True


@pytest.mark.parametrize("provider", APIS)
def test_strict_mode_accepts_only_what_the_api_accepts(provider):
    api = APIS[provider]

    @random
    @given(st.data())
    def holds(data):
        messages = mutated(data.draw, data.draw(conversations(provider)))
        try:
            form = api.integration(ENGINE).convert_sync(HISTORY, {"history": messages})
        except ConversionError:
            assert not is_accepted(api, api.convert_unchecked(messages)) or api.is_stricter(messages)
        else:
            api.check(form)

    holds()


def texts_in(value, key=None):
    """Iterate over the pieces of content of a converted conversation."""
    if isinstance(value, str):
        return [value] if key in ("content", "system", "text") else []
    pairs = value.items() if isinstance(value, dict) else ((key, each) for each in value)
    return [text for inner, each in pairs if isinstance(each, str | dict | list) for text in texts_in(each, inner)]


@pytest.mark.parametrize("provider", APIS)
def test_non_strict_mode_repairs_with_a_warning_or_raises(provider):
    api = APIS[provider]
    lenient = api.integration(ENGINE, strict_validation=False)

    @random
    @given(st.data())
    def holds(data):
        messages = mutated(data.draw, data.draw(conversations(provider)))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                form = lenient.convert_sync(HISTORY, {"history": copy.deepcopy(messages)})
            except ConversionError:
                return
        assert all(warning.category is PromptConversionWarning for warning in warned)
        said = [str(warning.message) for warning in warned]
        if not any("sent unchanged" in text for text in said):
            api.check(form)
        if not said:
            whole = "\n".join(texts_in(form))
            assert all(text in whole for text in texts_in(api.convert_unchecked(messages)))

    holds()
