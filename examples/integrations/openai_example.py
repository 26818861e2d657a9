"""Send prompts to OpenAI's Chat Completions and Responses, and validate an answer with a schema.

Setup::

    pip install "prompt-manager[openai]"
    python examples/integrations/openai_example.py

The real client talks to a mock server on your machine. To use the real API, set the environment
variable ``OPENAI_API_KEY`` and leave out ``base_url``.

Pitfalls:

- ``build_request`` returns all arguments of the call. ``convert`` returns only the messages, so that you have to pass
  tools and settings yourself.
- A prompt that is not a chat converts to a text, which ``chat.completions`` does not accept. Pass ``to_messages=True``
  to convert it to a user message.
- Reasoning models do not accept ``temperature``. If the prompt's settings have one, pass ``temperature=None`` to
  ``build_request`` to leave it out.
- If a variable is missing, you get a ``ConversionError`` that names it before anything is sent.
- With ``strict_validation=False``, content that OpenAI would reject is changed with a ``PromptConversionWarning``. In
  production, keep the default.
"""

from __future__ import annotations

import os
from pathlib import Path

import openai

from prompt_manager import PromptManager
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import OpenAIIntegration

EXAMPLES = Path(__file__).resolve().parent.parent
MODEL = "gpt-4.1"
#: The mock server takes any key.
KEY = os.getenv("OPENAI_API_KEY", "none")

#: The answer of the mock server to the request for a summary.
SUMMARY = """\
{"headline": "The harbour bridge is closed for a week",
 "summary": "The harbour bridge is closed from Monday to Friday for repairs.",
 "kind": "reference", "key_points": ["It is closed from Monday to Friday."], "action_items": []}"""


def main() -> None:
    """Send three requests, and print the requests and answers."""
    from mock_server import MockServer

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    engine = manager.template_engine
    prompt = manager.get_prompt_sync("customer_support")
    values = {"company": "Acme", "user_query": "How do I reset my password?"}

    with MockServer() as server, openai.OpenAI(api_key=KEY, base_url=f"{server.url}/v1") as client:
        request = OpenAIIntegration(engine).build_request_sync(prompt, values, model=MODEL)
        completion = client.chat.completions.create(**request)
        server.show()
        print("answer:", completion.choices[0].message.content)

        request = OpenAIIntegration(engine, api="responses").build_request_sync(prompt, values, model=MODEL)
        response = client.responses.create(**request)
        server.show()
        print("answer:", response.output_text)

    # The prompt has an output schema: the request asks for structured output, and the answer is validated.
    summary = manager.get_prompt_sync("summary")
    document = {"title": "Harbour bridge", "text": "The harbour bridge is closed from Monday to Friday for repairs."}
    with MockServer(SUMMARY) as server, openai.OpenAI(api_key=KEY, base_url=f"{server.url}/v1") as client:
        request = OpenAIIntegration(engine, to_messages=True).build_request_sync(summary, document, model=MODEL)
        completion = client.chat.completions.create(**request)
        print("response format:", server.requests[-1][1]["response_format"]["type"])
        parsed = manager.parse_output("summary", completion.choices[0].message.content)
        print("answer:", parsed.data["headline"])

    try:
        OpenAIIntegration(engine).build_request_sync(prompt, {"company": "Acme"}, model=MODEL)
    except ConversionError as error:
        print("error:", error)


if __name__ == "__main__":
    main()

# Expected output:
#
# POST /v1/chat/completions
# {
#   "model": "gpt-4.1",
#   "messages": [
#     {
#       "role": "system",
#       "content": "You answer the customers of Acme in its support ch… (623 more characters)"
#     },
#     {
#       "role": "user",
#       "content": "How do I reset my password?"
#     }
#   ],
#   "max_completion_tokens": 500,
#   "temperature": 0.3
# }
# answer: Gladly.
# POST /v1/responses
# {
#   "model": "gpt-4.1",
#   "input": [
#     {
#       "role": "user",
#       "content": "How do I reset my password?"
#     }
#   ],
#   "instructions": "You answer the customers of Acme in its support ch… (623 more characters)",
#   "max_output_tokens": 500,
#   "temperature": 0.3
# }
# answer: Gladly.
# response format: json_schema
# answer: The harbour bridge is closed for a week
# error: Failed to convert prompt 'customer_support' to OpenAI format: Missing variable 'user_query'
