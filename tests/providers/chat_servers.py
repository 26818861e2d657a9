"""What servers with an API like OpenAI's accept in a request of Chat Completions, as their documentation has it."""

from __future__ import annotations

from functools import partial

from providers.checks import need

COMMON = {
    "model", "messages", "temperature", "top_p", "stop", "stream", "tools", "tool_choice", "response_format",
    "presence_penalty", "frequency_penalty", "n",
}  # fmt: skip
#: The arguments of each server, and that for the maximum number of tokens.
ACCEPTED = {
    "azure": (
        COMMON | {"seed", "parallel_tool_calls", "reasoning_effort", "user", "metadata"},
        "max_completion_tokens",
    ),
    "vllm": (COMMON | {"seed", "parallel_tool_calls", "top_k", "min_p", "repetition_penalty"}, "max_tokens"),
    "ollama": (COMMON | {"seed", "reasoning_effort"}, "max_tokens"),
    "mistral": (COMMON | {"random_seed", "parallel_tool_calls", "safe_prompt", "prompt_mode"}, "max_tokens"),
    "groq": (COMMON | {"seed", "parallel_tool_calls", "reasoning_effort", "service_tier"}, "max_completion_tokens"),
}


def check(server, body):
    """Check a body by the rules of a server."""
    accepted, limit = ACCEPTED[server]
    for key in body:
        need(key in accepted or key == limit, key, f"{server} does not accept this argument")
    need(limit in body, limit, "is missing")
    for at, message in enumerate(body["messages"]):
        need(message["role"] != "developer" or server == "azure", f"messages[{at}]", "unknown role")
        need("name" not in message or server != "groq", f"messages[{at}].name", "is unsupported")


CHECKS = {name: partial(check, name) for name in ACCEPTED}
