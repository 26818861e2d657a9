"""Run an agent loop of five turns with Gemini and Bedrock: the model thinks, calls tools at once, and gets the results.

Setup::

    pip install "prompt-manager[gemini,bedrock]"
    python examples/integrations/gemini_bedrock_loop_example.py

The real clients talk to a mock server on your machine, which plays the model. To use the real APIs, set the environment
variables ``GEMINI_API_KEY``, ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, set your region, and leave out
``base_url`` and ``endpoint_url``.

Pitfalls:

- Append the content of the reply as it is: a call of Gemini needs its thought signature in the next request, and
  Bedrock the reasoning that came before a call. Only the first of several calls has a signature.
- Answer every call of a reply before the next request. The results of Gemini are matched by id and name.
- Bound the number of turns. A model can call tools for ever.
"""

from __future__ import annotations

import os
from pprint import pformat
from typing import Any

import boto3
from google import genai

from prompt_manager import Prompt, PromptManager

TURNS = 10
KEY = os.getenv("GEMINI_API_KEY", "none")
ITEM = {"type": "object", "properties": {"item": {"type": "string"}}}
PROMPT = Prompt(
    id="shop",
    status="active",
    messages=[
        {"role": "system", "content": "You sell plants for {{company}}."},
        {"role": "user", "content": "{{question}}"},
        {"role": "placeholder", "name": "history"},
    ],
    tools=[{"name": "stock", "parameters": ITEM}, {"name": "price", "parameters": ITEM}],
    settings={"max_tokens": 2000},
)
STOCK = {"fern": 3, "moss": 0}
PRICES = {"fern": 12}


def result_of(name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
    """Run a tool for a call. Return its result, or the problem, and whether it failed."""
    try:
        return str({"stock": STOCK, "price": PRICES}[name][arguments["item"]]), False
    except KeyError as problem:
        return f"KeyError: {problem}", True


def run_gemini(client: genai.Client, manager: PromptManager, values: dict[str, Any]) -> str | None:
    """Run the loop with Gemini, whose reply is a content with parts."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync("shop", {**values, "history": history}, "gemini", model="gemini-3-pro")
        response = client.models.generate_content(**request)
        history.append(response.candidates[0].content)
        if not response.function_calls:
            return response.text
        for call in response.function_calls:
            result, is_error = result_of(call.name, call.args)
            history.append({"role": "tool", "tool_call_id": call.id, "content": result, "is_error": is_error})
    raise RuntimeError(f"no answer after {TURNS} turns")


def run_bedrock(client: Any, manager: PromptManager, values: dict[str, Any]) -> str:
    """Run the loop with Bedrock, whose reply is a message with blocks."""
    history: list[Any] = []
    for _ in range(TURNS):
        request = manager.build_request_sync("shop", {**values, "history": history}, "bedrock", model="claude")
        reply = client.converse(**request)["output"]["message"]
        history.append(reply)
        calls = [block["toolUse"] for block in reply["content"] if "toolUse" in block]
        if not calls:
            return "".join(block.get("text", "") for block in reply["content"])
        for call in calls:
            result, is_error = result_of(call["name"], call["input"])
            answer = {"role": "tool", "tool_call_id": call["toolUseId"], "content": result, "is_error": is_error}
            history.append(answer)
    raise RuntimeError(f"no answer after {TURNS} turns")


def main() -> None:
    """Run both loops, and print the last turns of the last request of each, and the answer."""
    from mock_server import MockServer, Step

    steps = [
        Step(thinking="First the stock.", call=("stock", {"item": "fern"}), also=("stock", {"item": "moss"})),
        Step(text="Let me see the price.", call=("price", {"item": "fern"})),
        Step(thinking="And of moss?", call=("price", {"item": "moss"})),
        Step(thinking="Once more.", call=("stock", {"item": "moss"})),
        Step(text="A fern costs 12. Moss is sold out."),
    ]
    manager = PromptManager()
    manager.registry.register_sync(PROMPT)
    values = {"company": "Acme", "question": "Ferns and moss?"}

    with MockServer(steps=steps) as server:
        gemini = genai.Client(api_key=KEY, http_options={"base_url": server.url})
        answer = run_gemini(gemini, manager, values)
        show(server, "contents")
        print("answer:", answer)
    with MockServer(steps=steps) as server:
        keys = {name: os.getenv(name.upper(), "none") for name in ("aws_access_key_id", "aws_secret_access_key")}
        bedrock = boto3.client("bedrock-runtime", endpoint_url=server.url, region_name="us-east-1", **keys)
        answer = run_bedrock(bedrock, manager, values)
        show(server, "messages")
        print("answer:", answer)


def show(server: Any, key: str) -> None:
    """Print the number of requests, and the second and third turn of the last one."""
    path, body = server.requests[-1]
    print(f"POST {path}, {len(server.requests)} times")
    for turn in body[key][1:3]:
        print(pformat(turn, width=110, sort_dicts=False))


if __name__ == "__main__":
    main()

# Expected output:
#
# POST /v1/models/gemini-3-pro:generateContent, 5 times
# {'parts': [{'text': 'First the stock.', 'thought': True},
#            {'functionCall': {'id': 'fc_1_0', 'args': {'item': 'fern'}, 'name': 'stock'},
#             'thoughtSignature': 'c2lnbmF0dXJlIDE='},
#            {'functionCall': {'id': 'fc_1_1', 'args': {'item': 'moss'}, 'name': 'stock'}}],
#  'role': 'model'}
# {'parts': [{'functionResponse': {'id': 'fc_1_0', 'name': 'stock', 'response': {'output': '3'}}},
#            {'functionResponse': {'id': 'fc_1_1', 'name': 'stock', 'response': {'output': '0'}}}],
#  'role': 'user'}
# answer: A fern costs 12. Moss is sold out.
# POST /model/claude/converse, 5 times
# {'role': 'assistant',
#  'content': [{'reasoningContent': {'reasoningText': {'text': 'First the stock.',
#                                                      'signature': 'signature 1'}}},
#              {'toolUse': {'toolUseId': 'tooluse_1_0', 'name': 'stock', 'input': {'item': 'fern'}}},
#              {'toolUse': {'toolUseId': 'tooluse_1_1', 'name': 'stock', 'input': {'item': 'moss'}}}]}
# {'role': 'user',
#  'content': [{'toolResult': {'toolUseId': 'tooluse_1_0', 'content': [{'text': '3'}]}},
#              {'toolResult': {'toolUseId': 'tooluse_1_1', 'content': [{'text': '0'}]}}]}
# answer: A fern costs 12. Moss is sold out.
