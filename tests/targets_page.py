"""Writes docs/targets.md: what each target carries, changes and refuses, as the conversions do it.

Each row is a small conversation, which is converted for each target with and without strict mode. The page has what
came out, so it cannot say anything that the code does not do. ``make targets`` writes the page, and a test fails where
it differs.
"""

from __future__ import annotations

import base64
import json
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from prompt_manager import Prompt, TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)

PAGE = Path(__file__).parent.parent / "docs" / "targets.md"

TARGETS = {
    "OpenAI": (OpenAIIntegration, {}),
    "Responses": (OpenAIIntegration, {"api": "responses"}),
    "Anthropic": (AnthropicIntegration, {"merge_turns": True}),
    "LiteLLM": (LiteLLMIntegration, {"cache_control": True}),
    "Gemini": (GeminiIntegration, {}),
    "Bedrock": (BedrockIntegration, {}),
}

PNG = "iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0x"
ASK = {"role": "user", "content": "Q"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {}}}
#: What is looked for in the result.
FOUND = "marked"


class Feature(NamedTuple):
    """A row of the table."""

    name: str
    messages: list[dict[str, Any]]
    #: A text of the result that shows that the feature was sent.
    shows: str = FOUND


def user(*parts: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "Q"}, *parts], **fields}]


def called(**result: Any) -> list[dict[str, Any]]:
    asking = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return [ASK, asking, {"role": "tool", "tool_call_id": "c1", "content": "R", **result}]


FEATURES = [
    Feature("a system message at the start", [{"role": "system", "content": FOUND}, ASK]),
    Feature(
        "two system messages at the start",
        [{"role": "system", "content": "S"}, {"role": "developer", "content": FOUND}, ASK],
    ),
    Feature("a system message after the first turn", [ASK, {"role": "system", "content": FOUND}, ASK]),
    Feature("a first message from the assistant", [{"role": "assistant", "content": FOUND}, ASK]),
    Feature("a last message from the assistant", [ASK, {"role": "assistant", "content": FOUND}]),
    Feature("`name` of a message", [{**ASK, "name": FOUND}]),
    Feature("`refusal`", [ASK, {"role": "assistant", "refusal": FOUND}, ASK]),
    Feature(
        "a tool call with arguments as JSON text",
        [
            ASK,
            {
                "role": "assistant",
                "tool_calls": [{**CALL, "function": {"name": "f", "arguments": f'{{"a": "{FOUND}"}}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "R"},
        ],
    ),
    Feature(
        "arguments that are not JSON",
        [
            ASK,
            {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": f"{{{FOUND}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "R"},
        ],
    ),
    Feature(
        "a `function_call` of the older format",
        [
            ASK,
            {"role": "assistant", "function_call": {"name": FOUND, "arguments": {}}},
            {"role": "function", "name": FOUND, "content": "R"},
        ],
    ),
    Feature("`is_error` of a tool message", called(is_error=True), "error"),
    Feature(
        "an image in a tool's result", called(content=[{"type": "image", "media_type": "image/png", "data": PNG}]), PNG
    ),
    Feature("an image as data", user({"type": "image", "media_type": "image/png", "data": PNG}), PNG),
    Feature(
        "an image at an `https://` address",
        user({"type": "image_url", "image_url": {"url": "https://example.org/marked.png"}}),
    ),
    Feature(
        "an image at an `s3://` address", user({"type": "image_url", "image_url": {"url": "s3://bucket/marked.png"}})
    ),
    Feature("an uploaded image", user({"type": "image", "file_id": FOUND})),
    Feature("an uploaded file", user({"type": "file", "file": {"file_id": FOUND}})),
    Feature("sound", user({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}), "UklGRg=="),
    Feature("a PDF as data", user({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}), "JVBERi0x"),
    Feature("a PDF at an `https://` address", user({"type": "file", "url": "https://example.org/marked.pdf"})),
    Feature("a text document", user({"type": "file", "text": FOUND})),
    Feature("`context` of a document", user({"type": "file", "text": "D", "context": FOUND})),
    Feature("a search result", user({"type": "search_result", "source": "S", "title": "T", "content": [FOUND]})),
    Feature("`cache`", user(cache={"ttl": "1h"}), "1h"),
    Feature("`cache` that names `openai`", user(cache={"openai": {"ttl": "30m"}}), "30m"),
    Feature(
        "`cache` that names `openai` on a message of the assistant",
        [ASK, {"role": "assistant", "content": "A", "cache": {"openai": {"ttl": "30m"}}}, ASK],
        "30m",
    ),
]


def sent(value: Any) -> str:
    """All of a converted prompt as text. A text document can be base64."""
    text = json.dumps(value, ensure_ascii=False, default=lambda data: base64.b64encode(data).decode())
    return text.replace(base64.b64encode(FOUND.encode()).decode(), FOUND).replace("\\", "")


def outcome(target: str, feature: Feature) -> str:
    """What becomes of a feature: one or a few words."""
    kind, options = TARGETS[target]
    prompt = Prompt(id="row", messages=[{"role": "placeholder", "name": "history"}])
    values = {"history": feature.messages}

    def converted(*, strict: bool) -> tuple[str, list[str]]:
        integration = kind(TemplateEngine(), strict_validation=strict, **options)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            return sent(integration.convert_sync(prompt, values)), [str(each.message) for each in caught]

    try:
        strict, _ = converted(strict=True)
    except ConversionError:
        pass
    else:
        return "sent" if feature.shows in strict else "not sent"
    try:
        _, said = converted(strict=False)
    except ConversionError:
        return "an error"
    done = dict.fromkeys(each.rpartition("; ")[2] for each in said) or ["sent"]
    return f"error, or {' and '.join(done)}"


def page() -> str:
    """The page."""
    rows = [
        f"| {feature.name} | " + " | ".join(outcome(target, feature) for target in TARGETS) + " |"
        for feature in FEATURES
    ]
    head = ["| | " + " | ".join(TARGETS) + " |", "|---|" + "---|" * len(TARGETS)]
    return "\n".join([INTRODUCTION, *head, *rows, ""])


INTRODUCTION = """# What each target carries, changes and refuses

<!-- Written by tests/targets_page.py from what the conversions do. Run `make targets`. -->

"sent" means that the target gets it, in its own format. "error, or …" is an error in strict mode, and without strict
mode the change that a `PromptConversionWarning` names. Anthropic is shown with `merge_turns=True`, and LiteLLM with
`cache_control=True`; `cache_breakpoints=True` sends every `cache` to OpenAI. Options of an integration such as
`allow_prefill`, `allow_assistant_first`, `inline_system` and `merge_system` allow more; see
[integrations.md](integrations.md) and [gemini-and-bedrock.md](gemini-and-bedrock.md).
What only one provider understands, such as thinking, is in [integrations.md](integrations.md).
"""

if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(page() != PAGE.read_text(encoding="utf-8") and f"{PAGE} differs: run make targets")
    PAGE.write_text(page(), encoding="utf-8")
