"""Conversations that break a rule of the provider: the API would refuse them, and so do we, saying what and where."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from providers import broken
from providers.apis import APIS
from providers.conversations import conversations
from providers.refusal import Refused
from providers.samples import HISTORY

pytestmark = pytest.mark.integration

ENGINE = TemplateEngine()

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def check_refused(provider, rule, draw, messages):
    """Breaks the rule; the API refuses that, and so does the conversion."""
    api = APIS[provider]
    messages = copy.deepcopy(messages)
    at = rule(draw, messages)
    if rule not in broken.STRICTER.get(provider, ()):
        with pytest.raises(Refused):
            api.check(api.plainly(messages))
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
def test_what_breaks_a_rule_is_refused_with_its_place_and_a_remedy(provider, rule):
    @settings(max_examples=5, suppress_health_check=SLOW)
    @given(st.data())
    def holds(data):
        check_refused(provider, rule, data.draw, broken.FULL)

    holds()


@pytest.mark.parametrize("provider", APIS)
def test_a_rule_is_enforced_wherever_a_conversation_breaks_it(provider):
    @settings(max_examples=100, suppress_health_check=SLOW)
    @given(st.data())
    def holds(data):
        rule = data.draw(st.sampled_from(broken.RULES[provider]))
        check_refused(provider, rule, data.draw, data.draw(conversations(provider)))

    holds()
