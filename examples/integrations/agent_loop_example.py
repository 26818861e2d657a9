"""Run an agent loop of five turns with four APIs: the model thinks, calls tools, and gets the results.

Setup::

    pip install "prompt-manager[openai,anthropic,litellm]"
    python examples/integrations/agent_loop_example.py

The real clients talk to a mock server on your machine, which plays the model. To use the real APIs, set the environment
variables ``OPENAI_API_KEY`` and ``ANTHROPIC_API_KEY``, and leave out ``base_url`` and ``api_base``.

Pitfalls:

- Append the reply as it is, not only its text: the next request needs its calls, and most APIs need its thinking.
- Answer every call of a reply before the next request, also a call that failed. For Anthropic, set ``is_error``.
- Bound the number of turns. A model can call tools for ever.
- Keep one history per provider. What only one provider understands, such as a signature, is left out for others.
- The Responses API returns ``encrypted_content`` only if the request has ``include=["reasoning.encrypted_content"]``.
"""

from __future__ import annotations

import json
import os
from pprint import pformat
from typing import Any

import anthropic
import openai

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
import litellm

from prompt_manager import Prompt, PromptManager

#: The mock server takes any key.
OPENAI_KEY = os.getenv("OPENAI_API_KEY", "none")
ANTHROPIC_KEY = os.getenv("ANTHROPIC_API_KEY", "none")

TURNS = 10
PROMPT = Prompt(
    id="shop",
    status="active",
    messages=[
        {"role": "system", "content": "You sell plants for {{company}}."},
        {"role": "user", "content": "{{question}}"},
        {"role": "placeholder", "name": "history"},
    ],
    tools=[
        {"name": "stock", "parameters": {"type": "object", "properties": {"item": {"type": "string"}}}},
        {"name": "price", "parameters": {"type": "object", "properties": {"item": {"type": "string"}}}},
    ],
    settings={"max_tokens": 2000},
)
STOCK = {"fern": 3, "moss": 0}
PRICES = {"fern": 12}


def run_tool(name: str, arguments: dict[str, Any]) -> str:
    """Run a tool of the prompt. An unknown item is a `KeyError`."""
    return str({"stock": STOCK, "price": PRICES}[name][arguments["item"]])


def result_of(name: str, arguments: str) -> tuple[str, bool]:
    """Run a tool for a call. Return its result, or the problem, and whether it failed."""
    try:
        return run_tool(name, json.loads(arguments or "{}")), False
    except (KeyError, TypeError, ValueError) as problem:
        return f"{type(problem).__name__}: {problem}", True


def run_chat(client: openai.OpenAI, manager: PromptManager, values: dict[str, Any]) -> str | None:
    """Run the loop with Chat Completions."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync("shop", {**values, "history": history}, "openai", model="gpt-5")
        reply = client.chat.completions.create(**request).choices[0].message
        history.append(reply)
        if not reply.tool_calls:
            return reply.content
        for call in reply.tool_calls:
            result, _ = result_of(call.function.name, call.function.arguments)
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})
    raise RuntimeError(f"no answer after {TURNS} turns")


def run_responses(client: openai.OpenAI, manager: PromptManager, values: dict[str, Any]) -> str | None:
    """Run the loop with Responses, whose reply is a list of items."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync(
            "shop",
            {**values, "history": history},
            "openai-responses",
            model="gpt-5",
            store=False,
            include=["reasoning.encrypted_content"],
        )
        response = client.responses.create(**request)
        history += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        for call in calls:
            result, _ = result_of(call.name, call.arguments)
            history.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
    raise RuntimeError(f"no answer after {TURNS} turns")


def run_anthropic(client: anthropic.Anthropic, manager: PromptManager, values: dict[str, Any]) -> str | None:
    """Run the loop with Messages, whose reply has blocks. Their signatures must come back unchanged."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync(
            "shop",
            {**values, "history": history},
            "anthropic",
            model="claude-haiku-4-5",
            thinking={"type": "enabled", "budget_tokens": 1024},
        )
        reply = client.messages.create(**request)
        history.append(reply)
        calls = [block for block in reply.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in reply.content if block.type == "text")
        for call in calls:
            result, is_error = result_of(call.name, json.dumps(call.input))
            history.append({"role": "tool", "tool_call_id": call.id, "content": result, "is_error": is_error})
    raise RuntimeError(f"no answer after {TURNS} turns")


def run_litellm(model: str, base: str, manager: PromptManager, values: dict[str, Any]) -> str | None:
    """Run the loop with LiteLLM, whose reply has OpenAI's format with the thinking beside it."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync("shop", {**values, "history": history}, "litellm", model=model)
        reply = litellm.completion(**request, api_key=ANTHROPIC_KEY, api_base=base).choices[0].message
        history.append(reply)
        if not reply.tool_calls:
            return reply.content
        for call in reply.tool_calls:
            result, _ = result_of(call.function.name, call.function.arguments)
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})
    raise RuntimeError(f"no answer after {TURNS} turns")


def main() -> None:
    """Run the four loops, and print the last turns of the last request of each, and the answer."""
    from mock_server import MockServer, Step

    steps = [
        Step(thinking="First the stock.", call=("stock", {"item": "fern"})),
        Step(thinking="Now the other.", call=("stock", {"item": "moss"})),
        Step(text="Let me see the price.", call=("price", {"item": "fern"})),
        Step(thinking="And of moss?", call=("price", {"item": "moss"})),
        Step(text="A fern costs 12. Moss is sold out."),
    ]
    manager = PromptManager()
    manager.registry.register_sync(PROMPT)
    values = {"company": "Acme", "question": "Ferns and moss?"}

    with MockServer(steps=steps) as server:
        chat = openai.OpenAI(api_key=OPENAI_KEY, base_url=f"{server.url}/v1")
        answer = run_chat(chat, manager, values)
        show(server, "messages")
        print("answer:", answer)
    with MockServer(steps=steps) as server:
        responses = openai.OpenAI(api_key=OPENAI_KEY, base_url=f"{server.url}/v1")
        answer = run_responses(responses, manager, values)
        show(server, "input")
        print("answer:", answer)
    with MockServer(steps=steps) as server:
        messages = anthropic.Anthropic(api_key=ANTHROPIC_KEY, base_url=server.url)
        answer = run_anthropic(messages, manager, values)
        show(server, "messages")
        print("answer:", answer)
    with MockServer(steps=steps) as server:
        model = "anthropic/claude-haiku-4-5"
        answer = run_litellm(model, server.url, manager, values)
        show(server, "messages")
        print("answer:", answer)


def show(server: Any, key: str) -> None:
    """Print the number of requests, and the last three turns of the last one."""
    path, body = server.requests[-1]
    print(f"POST {path}, {len(server.requests)} times")
    for turn in body[key][-3:]:
        print(pformat(turn, width=110, sort_dicts=False))


if __name__ == "__main__":
    main()

# Expected output:
#
# POST /v1/chat/completions, 5 times
# {'role': 'tool', 'content': '12', 'tool_call_id': 'call_3'}
# {'role': 'assistant',
#  'content': None,
#  'tool_calls': [{'id': 'call_4',
#                  'type': 'function',
#                  'function': {'name': 'price', 'arguments': '{"item": "moss"}'}}]}
# {'role': 'tool', 'content': "KeyError: 'moss'", 'tool_call_id': 'call_4'}
# answer: A fern costs 12. Moss is sold out.
# POST /v1/responses, 5 times
# {'id': 'rs_4',
#  'summary': [{'text': 'And of moss?', 'type': 'summary_text'}],
#  'type': 'reasoning',
#  'encrypted_content': 'c2VhbGVk'}
# {'arguments': '{"item": "moss"}',
#  'call_id': 'call_4',
#  'name': 'price',
#  'type': 'function_call',
#  'id': 'fc_4',
#  'status': 'completed'}
# {'type': 'function_call_output', 'call_id': 'call_4', 'output': "KeyError: 'moss'"}
# answer: A fern costs 12. Moss is sold out.
# POST /v1/messages, 5 times
# {'role': 'user', 'content': [{'type': 'tool_result', 'tool_use_id': 'toolu_3', 'content': '12'}]}
# {'role': 'assistant',
#  'content': [{'signature': 'signature 4', 'thinking': 'And of moss?', 'type': 'thinking'},
#              {'id': 'toolu_4', 'input': {'item': 'moss'}, 'name': 'price', 'type': 'tool_use'}]}
# {'role': 'user',
#  'content': [{'type': 'tool_result',
#               'tool_use_id': 'toolu_4',
#               'content': "KeyError: 'moss'",
#               'is_error': True}]}
# answer: A fern costs 12. Moss is sold out.
# POST /v1/messages, 5 times
# {'role': 'user', 'content': [{'type': 'tool_result', 'tool_use_id': 'toolu_3', 'content': '12'}]}
# {'role': 'assistant',
#  'content': [{'type': 'thinking', 'thinking': 'And of moss?', 'signature': 'signature 4'},
#              {'type': 'tool_use', 'id': 'toolu_4', 'name': 'price', 'input': {'item': 'moss'}}]}
# {'role': 'user',
#  'content': [{'type': 'tool_result', 'tool_use_id': 'toolu_4', 'content': "KeyError: 'moss'"}]}
# answer: A fern costs 12. Moss is sold out.
