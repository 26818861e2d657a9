"""Prompts to OpenAI: by Chat Completions, by Responses, and with an answer that is read as data.

Setup::

    pip install "prompt-manager[openai]"
    python examples/integrations/openai_example.py

The real client talks to a stand-in on this machine. For the real API leave ``api_key`` and ``base_url`` out: the client
then reads the key from the environment variable ``OPENAI_API_KEY``.

Pitfalls:

- ``build_request`` gives every argument of the call, ``convert`` the messages alone: tools and settings are then yours
  to pass.
- A prompt that is no chat converts to a text, which ``chat.completions`` does not take. ``to_messages=True`` makes a
  user's message of it.
- Reasoning models take no ``temperature``. Where the prompt's settings have one, pass ``temperature=None`` to
  ``build_request``, which leaves it out.
- A missing variable is a ``ConversionError`` before anything is sent; it names the variable.
- ``strict_validation=False`` sends what is nearest to what was asked for, with a
  ``PromptConversionWarning``. Leave it on.
"""

from __future__ import annotations

from pathlib import Path

import openai

from prompt_manager import PromptManager
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import OpenAIIntegration

EXAMPLES = Path(__file__).resolve().parent.parent
MODEL = "gpt-4.1"

#: What the stand-in answers to the request for a summary.
SUMMARY = """\
{"headline": "The harbour bridge is closed for a week",
 "summary": "The harbour bridge is closed from Monday to Friday for repairs.",
 "kind": "reference", "key_points": ["It is closed from Monday to Friday."], "action_items": []}"""


def main() -> None:
    """Send three requests, and print what was sent and answered."""
    from stand_in import StandIn

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    engine = manager.template_engine
    prompt = manager.get_prompt_sync("customer_support")
    values = {"company": "Acme", "user_query": "How do I reset my password?"}

    with StandIn() as server, openai.OpenAI(api_key="none", base_url=f"{server.url}/v1") as client:
        request = OpenAIIntegration(engine).build_request_sync(prompt, values, model=MODEL)
        completion = client.chat.completions.create(**request)
        server.show()
        print("answer:", completion.choices[0].message.content)

        request = OpenAIIntegration(engine, api="responses").build_request_sync(prompt, values, model=MODEL)
        response = client.responses.create(**request)
        server.show()
        print("answer:", response.output_text)

    # A prompt with an output schema asks for that form, and the answer is validated by it.
    summary = manager.get_prompt_sync("summary")
    document = {"title": "Harbour bridge", "text": "The harbour bridge is closed from Monday to Friday for repairs."}
    with StandIn(SUMMARY) as server, openai.OpenAI(api_key="none", base_url=f"{server.url}/v1") as client:
        request = OpenAIIntegration(engine, to_messages=True).build_request_sync(summary, document, model=MODEL)
        completion = client.chat.completions.create(**request)
        print("asked for:", server.requests[-1][1]["response_format"]["type"])
        parsed = manager.parse_output("summary", completion.choices[0].message.content)
        print("answer:", parsed.data["headline"])

    try:
        OpenAIIntegration(engine).build_request_sync(prompt, {"company": "Acme"}, model=MODEL)
    except ConversionError as error:
        print("refused:", error)


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
# asked for: json_schema
# answer: The harbour bridge is closed for a week
# refused: Failed to convert prompt 'customer_support' to OpenAI format: Missing required variable 'user_query'
