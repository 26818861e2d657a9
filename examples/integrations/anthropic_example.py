"""Send prompts to Anthropic's Messages API: a question, and a conversation with a tool call.

Setup::

    pip install "prompt-manager[anthropic]"
    python examples/integrations/anthropic_example.py

The real client talks to a mock server on your machine. To use the real API, set the environment
variable ``ANTHROPIC_API_KEY`` and leave out ``base_url``.

Pitfalls:

- The API takes the system message as a separate argument. ``build_request`` and ``convert`` do that for you.
- The API requires ``max_tokens``. Set it in the prompt's settings, or pass it to ``build_request``.
- The first message must be from the user, and roles must alternate. If a prompt has two messages of one role in a row,
  pass ``merge_turns=True``. If it has several system messages, pass ``merge_system=True``.
- Only chat prompts can be converted. To convert any other prompt to a user message, pass ``to_messages=True``.
- The newest clients do not accept ``temperature``. It is left out with a warning unless you pass ``sampling=True``.
  Pass ``temperature=None`` to leave it out without a warning.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import anthropic

from prompt_manager import PromptManager
from prompt_manager.exceptions import IncompatibleFormatError
from prompt_manager.integrations import AnthropicIntegration

EXAMPLES = Path(__file__).resolve().parent.parent
MODEL = "claude-sonnet-4-5"
#: The mock server takes any key.
KEY = os.getenv("ANTHROPIC_API_KEY", "none")


async def main() -> None:
    """Send two requests, and print the requests and answers."""
    from mock_server import MockServer

    manager = await PromptManager.from_directory(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    integration = AnthropicIntegration(manager.template_engine)

    with MockServer() as server:
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=server.url) as client:
            prompt = await manager.get_prompt("customer_support")
            values = {"company": "Acme", "user_query": "How do I reset my password?"}
            request = await integration.build_request(prompt, values, model=MODEL, max_tokens=500, temperature=None)
            answer = await client.messages.create(**request)
            server.show()
            print("answer:", answer.content[0].text)

            # Tools, a tool call and its result are converted to the format of the API.
            prompt = await manager.get_prompt("assistant/orders")
            values = json.loads((EXAMPLES / "inputs" / "assistant" / "orders.json").read_text(encoding="utf-8"))
            request = await integration.build_request(prompt, values, model=MODEL, max_tokens=500, temperature=None)
            answer = await client.messages.create(**request)
            server.show("messages")
            print("answer:", answer.content[0].text)

    try:
        await integration.convert(await manager.get_prompt("greeting"), {"name": "Ada", "role": "engineer"})
    except IncompatibleFormatError as error:
        print("error:", error)


if __name__ == "__main__":
    asyncio.run(main())

# Expected output:
#
# POST /v1/messages
# {
#   "max_tokens": 500,
#   "messages": [
#     {
#       "role": "user",
#       "content": "How do I reset my password?"
#     }
#   ],
#   "model": "claude-sonnet-4-5",
#   "system": "You answer the customers of Acme in its support ch… (623 more characters)"
# }
# answer: Gladly.
# POST /v1/messages
# {
#   "messages": [
#     {
#       "role": "user",
#       "content": "I have a question about order AC-204518."
#     },
#     {
#       "role": "assistant",
#       "content": [
#         {
#           "type": "tool_use",
#           "id": "call_get_order",
#           "name": "get_order",
#           "input": {
#             "order_id": "AC-204518",
#             "include": [
#               "items",
#               "shipments"
#             ]
#           }
#         }
#       ]
#     },
#     {
#       "role": "user",
#       "content": [
#         {
#           "type": "tool_result",
#           "tool_use_id": "call_get_order",
#           "content": "{\"order_id\": \"AC-204518\", \"status\": \"delivered\", \"… (463 more characters)"
#         }
#       ]
#     },
#     {
#       "role": "assistant",
#       "content": "I have order AC-204518 open. What would you like to know?"
#     },
#     {
#       "role": "user",
#       "content": "hey, is the tent supposed to come with a footprint… (36 more characters)"
#     },
#     {
#       "role": "assistant",
#       "content": "I looked at your order: it has the tent \"Fjäll 2\" … (91 more characters)"
#     },
#     {
#       "role": "user",
#       "content": "ok. then I'd rather send the tent back, it's also … (118 more characters)"
#     }
#   ]
# }
# answer: Gladly.
# error: Prompt 'greeting' uses TEXT format, but Anthropic requires CHAT format
#   hint: pass to_messages=True to send the text as a user message
