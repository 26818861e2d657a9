"""Conversations that break a rule of a provider: the API and the conversion both reject them."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from providers import broken
from providers.apis import APIS
from providers.checks import RequestError
from providers.conversations import conversations
from providers.samples import HISTORY

pytestmark = pytest.mark.integration

ENGINE = TemplateEngine()

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def check_refused(provider, rule, draw, messages):
    """Check that the API and the conversion both reject a conversation that breaks the rule."""
    api = APIS[provider]
    messages = copy.deepcopy(messages)
    at = rule(draw, messages)
    if rule not in broken.STRICTER.get(provider, ()):
        with pytest.raises(RequestError):
            api.check(api.convert_unchecked(messages))
    with pytest.raises(ConversionError) as caught:
        api.integration(ENGINE).convert_sync(HISTORY, {"history": messages})
    error = caught.value
    assert error.message.startswith(f"Failed to convert prompt 'explain' to {api.name} format: ")
    assert error.context["prompt_id"] == "explain"
    assert error.context["hint"]
    if at is not broken.WHOLE:
        assert f"message {at} ({messages[at]['role']})" in error.message


@pytest.mark.parametrize(
    ("provider", "rule"),
    [pytest.param(name, rule, id=f"{name}-{rule.__name__}") for name, rules in broken.RULES.items() for rule in rules],
)
def test_a_broken_rule_has_an_error_with_position_and_hint(provider, rule):
    @settings(max_examples=5, suppress_health_check=SLOW)
    @given(st.data())
    def holds(data):
        check_refused(provider, rule, data.draw, broken.full(provider))

    holds()


@pytest.mark.parametrize("provider", APIS)
def test_a_rule_is_checked_anywhere_in_a_conversation(provider):
    @settings(max_examples=100, suppress_health_check=SLOW)
    @given(st.data())
    def holds(data):
        rule = data.draw(st.sampled_from(broken.RULES[provider]))
        check_refused(provider, rule, data.draw, data.draw(conversations(provider)))

    holds()
