"""Send one prompt to two providers through LiteLLM.

Setup::

    pip install "prompt-manager[litellm]"
    python examples/integrations/litellm_example.py

LiteLLM talks to a mock server on your machine. To use the real providers, set the environment variables
``OPENAI_API_KEY`` and ``ANTHROPIC_API_KEY``, and leave out ``api_base``.

Pitfalls:

- The name of a model begins with its provider, as in ``anthropic/claude-sonnet-4-5``. LiteLLM chooses the provider by
  that.
- Importing ``litellm`` takes seconds. It also downloads a list of prices, unless ``LITELLM_LOCAL_MODEL_COST_MAP`` is
  set before the import.
- LiteLLM rejects settings that a model does not support, such as ``temperature`` for reasoning models. Pass
  ``temperature=None`` to ``build_request`` to leave it out.
- Some providers do not support developer messages. Pass ``developer_as_system=True`` to convert them to system
  messages.
- Cache hints are left out unless you pass ``cache_control=True``, because OpenAI's models do not accept them.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
import litellm

from prompt_manager import PromptManager
from prompt_manager.integrations import LiteLLMIntegration

EXAMPLES = Path(__file__).resolve().parent.parent


def main() -> None:
    """Send the same prompt to two providers, and print the requests and answers."""
    from mock_server import MockServer

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    integration = LiteLLMIntegration(manager.template_engine)
    prompt = manager.get_prompt_sync("customer_support")
    values = {"company": "Acme", "user_query": "How do I reset my password?"}

    with MockServer() as server:
        for model, variable, base in (
            ("openai/gpt-4.1", "OPENAI_API_KEY", f"{server.url}/v1"),
            ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY", server.url),
        ):
            request = integration.build_request_sync(prompt, values, model=model, max_tokens=500)
            # The mock server takes any key.
            answer = litellm.completion(**request, api_key=os.getenv(variable, "none"), api_base=base)
            server.show()
            print("answer:", answer.choices[0].message.content)


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
#   "temperature": 0.3,
#   "max_tokens": 500
# }
# answer: Gladly.
# POST /v1/messages
# {
#   "model": "claude-sonnet-4-5",
#   "messages": [
#     {
#       "role": "user",
#       "content": [
#         {
#           "type": "text",
#           "text": "How do I reset my password?"
#         }
#       ]
#     }
#   ],
#   "temperature": 0.3,
#   "max_tokens": 500,
#   "system": [
#     {
#       "type": "text",
#       "text": "You answer the customers of Acme in its support ch… (623 more characters)"
#     }
#   ]
# }
# answer: Gladly.
