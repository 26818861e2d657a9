"""The agent loops of the examples, with a server that checks each request as the API does."""

from __future__ import annotations

import base64
import importlib
import warnings

import pytest

from helpers import EXAMPLES
from prompt_manager import PromptManager
from providers import server as mock

pytestmark = [pytest.mark.integration, pytest.mark.newest]

VALUES = {"company": "Acme", "question": "Ferns and moss?"}
ANSWER = "A fern costs 12. Moss is sold out."


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES / "integrations"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("agent_loop_example")


@pytest.fixture
def script(monkeypatch, example, provider):
    """Makes an API answer with five steps of a model: four calls, with thinking, and the answer."""
    model = importlib.import_module("mock_server")

    def script(path, build):
        thoughts = ["First the stock.", "Now the other.", "", "And of moss?"]
        names = [("stock", "fern"), ("stock", "moss"), ("price", "fern"), ("price", "moss")]
        steps = [
            model.Step(thinking=thought, call=(name, {"item": item}))
            for thought, (name, item) in zip(thoughts, names, strict=True)
        ]
        answers = iter([*steps, model.Step(text=ANSWER)])
        check, _, error = mock.ROUTES[path]
        make = getattr(model, build)
        monkeypatch.setitem(mock.ROUTES, path, (check, lambda _: make(next(answers), len(provider.bodies)), error))

    manager = PromptManager()
    manager.registry.register_sync(example.PROMPT)
    script.manager = manager
    return script


def test_chat_completions_accept_every_turn_of_an_agent(script, example, openai_client, provider):
    script("/v1/chat/completions", "chat_completion")
    assert example.run_chat(openai_client, script.manager, VALUES) == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    assert [message["role"] for message in provider.bodies[-1]["messages"]] == [
        "system", "user", *["assistant", "tool"] * 4,
    ]  # fmt: skip


def test_responses_get_their_reasoning_back_in_every_turn(script, example, openai_client, provider):
    script("/v1/responses", "response")
    assert example.run_responses(openai_client, script.manager, VALUES) == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    items = [item for item in provider.bodies[-1]["input"] if item.get("type") == "reasoning"]
    assert [item["encrypted_content"] for item in items] == ["c2VhbGVk"] * 3


def test_anthropic_gets_its_signed_thinking_back_in_every_turn(script, example, anthropic_client, provider):
    script("/v1/messages", "message")
    assert example.run_anthropic(anthropic_client, script.manager, VALUES) == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    blocks = [block for turn in provider.bodies[-1]["messages"][1:] for block in turn["content"]]
    assert [block["signature"] for block in blocks if block["type"] == "thinking"] == [
        "signature 1", "signature 2", "signature 4",
    ]  # fmt: skip
    assert [block.get("is_error", False) for block in blocks if block["type"] == "tool_result"] == [False] * 3 + [True]


def test_litellm_gives_anthropic_its_thinking_back_in_every_turn(script, example, provider):
    script("/v1/messages", "message")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = example.run_litellm("anthropic/claude-haiku-4-5", provider.url, script.manager, VALUES)
    assert answer == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    blocks = [block for turn in provider.bodies[-1]["messages"][1:] for block in turn["content"]]
    assert [block["signature"] for block in blocks if block["type"] == "thinking"] == [
        "signature 1", "signature 2", "signature 4",
    ]  # fmt: skip


@pytest.fixture
def loops(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES / "integrations"))
    return importlib.import_module("gemini_bedrock_loop_example")


@pytest.fixture
def parallel(monkeypatch, loops, provider):
    """Makes an API answer with five steps of a model, of which the first has two calls."""
    model = importlib.import_module("mock_server")

    def parallel(path, build):
        steps = [
            model.Step(thinking="First.", call=("stock", {"item": "fern"}), also=("stock", {"item": "moss"})),
            model.Step(text="Let me see.", call=("price", {"item": "fern"})),
            model.Step(thinking="And of moss?", call=("price", {"item": "moss"})),
            model.Step(thinking="Once more.", call=("stock", {"item": "moss"})),
            model.Step(text=ANSWER),
        ]
        answers = iter(steps)
        check, _, error = mock.ROUTES[path]
        make = getattr(model, build)
        monkeypatch.setitem(mock.ROUTES, path, (check, lambda _: make(next(answers), len(provider.bodies)), error))

    manager = PromptManager()
    manager.registry.register_sync(loops.PROMPT)
    parallel.manager = manager
    return parallel


def test_gemini_gets_its_signatures_back_in_every_turn(parallel, loops, gemini_client, provider):
    parallel(":generateContent", "generate_content")
    assert loops.run_gemini(gemini_client, parallel.manager, VALUES) == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    parts = [part for content in provider.bodies[-1]["contents"] for part in content["parts"]]
    signed = [base64.b64decode(part["thought_signature"]) for part in parts if "thought_signature" in part]
    assert signed == [f"signature {number}".encode() for number in range(1, 5)]
    results = [part["function_response"]["response"] for part in parts if "function_response" in part]
    assert results == [
        {"output": "3"},
        {"output": "0"},
        {"output": "12"},
        {"error": "KeyError: 'moss'"},
        {"output": "0"},
    ]


def test_bedrock_gets_its_reasoning_back_in_every_turn(parallel, loops, bedrock_client, provider):
    parallel("/converse", "converse")
    assert loops.run_bedrock(bedrock_client, parallel.manager, VALUES) == ANSWER
    assert (len(provider.bodies), provider.errors) == (5, [])
    blocks = [block for turn in provider.bodies[-1]["messages"] for block in turn["content"]]
    reasoning = [block["reasoningContent"]["reasoningText"] for block in blocks if "reasoningContent" in block]
    assert [each["signature"] for each in reasoning] == ["signature 1", "signature 3", "signature 4"]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    assert [result.get("status") for result in results] == [None, None, None, "error", None]
