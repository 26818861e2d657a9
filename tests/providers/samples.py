"""The example prompts with their inputs, and a prompt with every field that a request can have."""

from __future__ import annotations

import json

from helpers import EXAMPLES, chat_of

IDS = sorted(
    path.relative_to(EXAMPLES / "prompts").with_suffix("").as_posix() for path in (EXAMPLES / "prompts").rglob("*.yaml")
)
CHATS = [prompt_id for prompt_id in IDS if "\nmessages:" in (EXAMPLES / f"prompts/{prompt_id}.yaml").read_text("utf-8")]
assert CHATS


def inputs(prompt_id, provider=None):
    """Return the inputs of an example. Bedrock reads no images from the web, so it gets their data."""
    values = json.loads((EXAMPLES / "inputs" / f"{prompt_id}.json").read_text(encoding="utf-8"))
    if provider == "bedrock":
        return {name: PICTURE if str(value).startswith("https://") else value for name, value in values.items()}
    return values


PICTURE = "data:image/png;base64,iVBORw0K"


#: A prompt that renders to the messages of its placeholder.
HISTORY = chat_of({"role": "placeholder", "name": "history"})

TOOLS = [
    {
        "name": "look-up",
        "description": "Find an order",
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
    },
    {"name": "stop"},
]
OUTPUT_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "sure": {"type": "number"}},
    "required": ["answer"],
}


def full_prompt(**changes):
    given = {
        "tools": TOOLS,
        "settings": {"model": "m", "temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "stop": ["END"]},
        "output_schema": OUTPUT_SCHEMA,
    }
    return chat_of({"role": "system", "content": "S"}, {"role": "user", "content": "U"}, **{**given, **changes})


#: Values of `tool_choice`, and the tool that the model then calls.
CHOICES = [("auto", None), ("none", None), ("required", "look-up"), ({"name": "stop"}, "stop")]
