"""A custom integration for Amazon Bedrock's Converse API, and a plugin that makes it available by name.

Setup::

    pip install prompt-manager
    python examples/integrations/custom_integration_example.py

The example sends the request with ``urllib`` to a mock server on your machine. With boto3 the call is
``boto3.client("bedrock-runtime").converse(modelId=..., **request)``. ``docs/INTEGRATION_GUIDE.md`` shows how to make a
package of an integration, so that its plugin is found when the package is installed.

Pitfalls:

- Do not render the templates of the messages yourself. ``render_messages`` checks the variables, fills placeholders,
  and prevents values from becoming messages.
- The content of a message can be a list of parts, and a message can have a role that your framework does not support.
  Raise an error that names the prompt, position and role; do not drop the message.
- If you define only ``convert``, ``convert_sync`` works too, but not inside a running event loop, such as in a
  notebook. Define both to support that.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from prompt_manager import PromptManager
from prompt_manager.exceptions import ConversionError, IncompatibleFormatError
from prompt_manager.integrations import BaseIntegration
from prompt_manager.plugins import BasePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager import Prompt

EXAMPLES = Path(__file__).resolve().parent.parent
MODEL = "anthropic.claude-sonnet-4-5"


class BedrockIntegration(BaseIntegration[dict[str, Any]]):
    """Converts chat prompts to ``{"system": [...], "messages": [...]}``."""

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        return self._convert_messages(prompt, await self.render_messages(prompt, variables))

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        return self._convert_messages(prompt, self.render_messages_sync(prompt, variables))

    def validate_compatibility(self, prompt: Prompt) -> bool:
        return prompt.format == "chat"

    def _convert_messages(self, prompt: Prompt, rendered: list[dict[str, Any]]) -> dict[str, Any]:
        system, messages = [], []
        for position, message in enumerate(rendered):
            role, content = message["role"], message.get("content")
            if not isinstance(content, str) or role not in ("system", "user", "assistant"):
                raise ConversionError(
                    f"message {position} ({role}) of prompt '{prompt.id}' is not supported: this example converts only "
                    "text messages of system, user and assistant"
                )
            if role == "system":
                system.append({"text": content})
            else:
                messages.append({"role": role, "content": [{"text": content}]})
        return {"system": system, "messages": messages}


class BedrockPlugin(BasePlugin):
    """Makes the integration available by the name ``bedrock``."""

    def __init__(self) -> None:
        super().__init__(name="bedrock", version="1.0.0")

    async def _initialize_impl(self, config: Mapping[str, Any]) -> None:
        self._integration = BedrockIntegration(config["template_engine"], schemas=config.get("schemas"))

    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        self._ensure_initialized()
        if not self._integration.validate_compatibility(prompt):
            raise IncompatibleFormatError(f"prompt '{prompt.id}' is not a chat, but Bedrock's Converse requires a chat")
        return await self._integration.convert(prompt, variables)


def main() -> None:
    """Convert a prompt with the plugin, send it, and print the request and the answer."""
    from mock_server import MockServer

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    manager.register_plugin(BedrockPlugin())
    values = {"company": "Acme", "user_query": "How do I reset my password?"}
    converted = manager.render_for_plugin_sync("customer_support", values, "bedrock")

    with MockServer("Use the link on the sign-in page.") as server:
        request = Request(f"{server.url}/model/{MODEL}/converse", json.dumps(converted).encode())  # noqa: S310 - loopback
        with urlopen(request) as reply:  # noqa: S310
            answer = json.load(reply)["output"]["message"]
        server.show()
    print("answer:", answer["content"][0]["text"])

    try:
        manager.render_for_plugin_sync("greeting", {"name": "Ada", "role": "engineer"}, "bedrock")
    except IncompatibleFormatError as error:
        print("error:", error)


if __name__ == "__main__":
    main()

# Expected output:
#
# POST /model/anthropic.claude-sonnet-4-5/converse
# {
#   "system": [
#     {
#       "text": "You answer the customers of Acme in its support ch… (623 more characters)"
#     }
#   ],
#   "messages": [
#     {
#       "role": "user",
#       "content": [
#         {
#           "text": "How do I reset my password?"
#         }
#       ]
#     }
#   ]
# }
# answer: Use the link on the sign-in page.
# error: prompt 'greeting' is not a chat, but Bedrock's Converse requires a chat
