"""Times of conversions, for pytest-benchmark. ``make test-benchmark`` runs them; they assert results and no time.

``make bench`` compares with other engines.
"""

from __future__ import annotations

import asyncio

import pytest

from helpers import create_chat_prompt
from prompt_manager import TemplateEngine
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration

pytest.importorskip("pytest_benchmark", reason="run `make test-benchmark`")
pytestmark = pytest.mark.benchmark

VARIABLES = {"topic": "parsers"}
INTEGRATIONS = [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration]
by_integration = pytest.mark.parametrize("integration", INTEGRATIONS, ids=lambda each: each.__name__)


def question(converted):
    messages = converted["messages"] if isinstance(converted, dict) else converted
    return messages[-1]["content"]


@by_integration
def test_conversion_performance(benchmark, integration):
    converter, prompt = integration(TemplateEngine()), create_chat_prompt()
    converted = benchmark(converter.convert_sync, prompt, VARIABLES)
    assert question(converted) == "Tell me about parsers."


@by_integration
def test_awaited_conversion_performance(benchmark, integration):
    """The coroutine is awaited to its end, each time in the same event loop."""
    converter, prompt = integration(TemplateEngine()), create_chat_prompt()
    with asyncio.Runner() as runner:
        converted = benchmark(lambda: runner.run(converter.convert(prompt, VARIABLES)))
    assert question(converted) == "Tell me about parsers."
