"""An integration of your own, and a plugin that gives it a name: Amazon Bedrock's Converse.

Setup::

    pip install prompt-manager
    python examples/integrations/custom_integration_example.py

The request is sent by ``urllib`` to a stand-in on this machine; with boto3 it is
``boto3.client("bedrock-runtime").converse(modelId=..., **form)``. How to make a package of it, with a plugin that is
found where it is installed: ``docs/INTEGRATION_GUIDE.md``.

Pitfalls:

- Do not render the messages' templates yourself. ``render_messages`` checks the variables, fills placeholders, and
  keeps values from becoming messages.
- A content may be a list of parts, and a message may have a role that your framework lacks: refuse what you have no
  form for, by prompt, position and role, rather than drop it.
- With ``convert`` alone, ``convert_sync`` works too, but not where an event loop is running. Write both for notebooks.
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
    """Chat prompts as ``{"system": [...], "messages": [...]}``."""

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        return self._form(prompt, await self.render_messages(prompt, variables))

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        return self._form(prompt, self.render_messages_sync(prompt, variables))

    def validate_compatibility(self, prompt: Prompt) -> bool:
        return prompt.format == "chat"

    def _form(self, prompt: Prompt, rendered: list[dict[str, Any]]) -> dict[str, Any]:
        system, messages = [], []
        for position, message in enumerate(rendered):
            role, content = message["role"], message.get("content")
            if not isinstance(content, str) or role not in ("system", "user", "assistant"):
                raise ConversionError(
                    f"message {position} ({role}) of prompt '{prompt.id}' has no form here: this example takes texts "
                    "of system, user and assistant"
                )
            if role == "system":
                system.append({"text": content})
            else:
                messages.append({"role": role, "content": [{"text": content}]})
        return {"system": system, "messages": messages}


class BedrockPlugin(BasePlugin):
    """Prompts by the name ``bedrock``."""

    def __init__(self) -> None:
        super().__init__(name="bedrock", version="1.0.0")

    async def _initialize_impl(self, config: Mapping[str, Any]) -> None:
        self._integration = BedrockIntegration(config["template_engine"], schemas=config.get("schemas"))

    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        self._ensure_initialized()
        if not self._integration.validate_compatibility(prompt):
            raise IncompatibleFormatError(f"prompt '{prompt.id}' is no chat, and Bedrock's Converse takes chats alone")
        return await self._integration.convert(prompt, variables)


def main() -> None:
    """Convert a prompt by the plugin's name, send it, and print what was sent and answered."""
    from stand_in import StandIn

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    manager.register_plugin(BedrockPlugin())
    values = {"company": "Acme", "user_query": "How do I reset my password?"}
    form = manager.render_for_plugin_sync("customer_support", values, "bedrock")

    with StandIn("Use the link on the sign-in page.") as server:
        request = Request(f"{server.url}/model/{MODEL}/converse", json.dumps(form).encode())  # noqa: S310 - loopback
        with urlopen(request) as reply:  # noqa: S310
            answer = json.load(reply)["output"]["message"]
        server.show()
    print("answer:", answer["content"][0]["text"])

    try:
        manager.render_for_plugin_sync("greeting", {"name": "Ada", "role": "engineer"}, "bedrock")
    except IncompatibleFormatError as error:
        print("refused:", error)


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
# refused: prompt 'greeting' is no chat, and Bedrock's Converse takes chats alone
