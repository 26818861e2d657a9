"""Shows three example prompts: their variables, the rendered messages, and the requests for two providers.

Run it with ``make demo``, or with ``python examples/demo.py`` if the package is installed. The output fits a terminal
of 80 columns. Long texts in the JSON are shortened, with "…" and the number of characters that are left out.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_manager import PromptManager, __version__
from prompt_manager.integrations import AnthropicIntegration, OpenAIIntegration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_manager import Prompt

EXAMPLES = Path(__file__).resolve().parent
SHOWN = ("customer_support", "assistant/orders", "retrieval/answer")
WIDTH = 78


def main() -> None:
    """Load the examples and print three of them."""
    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    count = len(manager.list_prompts_sync())
    print(f"prompt-manager {__version__}: three of the {count} prompts in examples/prompts")
    for prompt_id in SHOWN:
        values = json.loads((EXAMPLES / "inputs" / f"{prompt_id}.json").read_text(encoding="utf-8"))
        print("", *show(manager, prompt_id, values), sep="\n")


def show(manager: PromptManager, prompt_id: str, values: dict[str, Any]) -> Iterator[str]:
    """Iterate over the lines about one prompt."""
    prompt = manager.get_prompt_sync(prompt_id)
    engine = manager.template_engine

    yield "═" * WIDTH
    yield f"{prompt.id}  version {prompt.version}  ({prompt.format}, {prompt.status})"
    yield from wrapped(prompt.metadata.description or "", "")
    yield "═" * WIDTH

    yield from heading("Variables")
    yield from variables(prompt)

    yield from heading("Rendered: manager.render_messages_sync(id, values)")
    for message in manager.render_messages_sync(prompt_id, values):
        yield from rendered(message)

    yield from heading("OpenAI: OpenAIIntegration(engine).convert_sync(prompt, values)")
    yield as_json(OpenAIIntegration(engine).convert_sync(prompt, values))

    yield from heading("Anthropic: AnthropicIntegration(engine).convert_sync(prompt, values)")
    yield as_json(AnthropicIntegration(engine).convert_sync(prompt, values))


def heading(title: str) -> Iterator[str]:
    """Iterate over the lines of a heading."""
    yield ""
    yield f"── {title} ".ljust(WIDTH, "─")


def variables(prompt: Prompt) -> Iterator[str]:
    """Iterate over the variables: one line each, with name, type and whether it is required."""
    declared = prompt.chat_template.variables if prompt.chat_template else {}
    if not isinstance(declared, dict):
        declared = {}
    for name, variable in declared.items():
        need = "required" if variable.default is None else f"default {json.dumps(variable.default)}"
        if variable.required is False:
            need = "optional"
        yield from wrapped(variable.description or "", f"{name:<14} {variable.type:<8} {need:<18} ")
    for message in prompt.chat_template.messages if prompt.chat_template else ():
        if message.role == "placeholder":
            need = "optional" if message.optional else "required"
            yield f"{message.name:<14} {'messages':<8} {need}"


def rendered(message: dict[str, Any]) -> Iterator[str]:
    """Iterate over the lines of a rendered message."""
    answers = f" (answers {message['tool_call_id']})" if "tool_call_id" in message else ""
    yield ""
    yield f"[{message['role']}]{answers}"
    for line in (message.get("content") or "").splitlines():
        yield from wrapped(line, "  ")
    for call in message.get("tool_calls", ()):
        function = call["function"]
        arguments = json.dumps(function["arguments"], ensure_ascii=False)
        yield from wrapped(f"{function['name']}({arguments})", f"  calls {call['id']}: ")


def columns(text: str) -> int:
    """Return the width of a text on a terminal, in columns. Wide characters take two, accents none."""
    return sum(
        0
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def fitting(text: str, room: int) -> int:
    """Return how many characters of a text fit into a number of columns, at least one."""
    count = 1
    while count < len(text) and columns(text[: count + 1]) <= room:
        count += 1
    return count


def wrapped(text: str, start: str) -> Iterator[str]:
    """Wrap a text to the width. The first line begins with ``start``; the others are indented to its end."""
    room = WIDTH - columns(start)
    indent = " " * columns(start)
    line = ""
    for word in text.split(" "):
        if line and columns(f"{line} {word}") > room:
            yield start + line
            start, line = indent, word
        else:
            line = f"{line} {word}" if line else word
        while columns(line) > room:
            cut = fitting(line, room)
            yield start + line[:cut]
            start, line = indent, line[cut:]
    yield (start + line).rstrip()


def as_json(value: Any, indent: str = "", key: str = "") -> str:
    """Format a value as JSON. Values that fit on a line are on one line, and long texts are shortened."""
    # One column is reserved for a comma.
    room = WIDTH - 1 - columns(indent + key)
    flat = json.dumps(value, ensure_ascii=False)
    if columns(flat) <= room:
        return indent + key + flat
    if isinstance(value, str):
        return indent + key + shortened(value, room)
    deeper = f"{indent}  "
    if isinstance(value, dict):
        rows = [as_json(inner, deeper, f"{json.dumps(name)}: ") for name, inner in value.items()]
        return f"{indent}{key}{{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list):
        rows = [as_json(inner, deeper) for inner in value]
        return f"{indent}{key}[\n" + ",\n".join(rows) + f"\n{indent}]"
    return indent + key + flat


def shortened(text: str, room: int) -> str:
    """Shorten a text to a number of columns, as JSON, with the number of characters that are left out."""
    for kept in range(min(len(text), room), 0, -1):
        short = json.dumps(f"{text[:kept]}… ({len(text) - kept} more characters)", ensure_ascii=False)
        if columns(short) <= room:
            return short
    return json.dumps(f"… ({len(text)} characters)", ensure_ascii=False)


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        # Show characters that the terminal cannot encode as escapes.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has stopped reading. Prevent an error when Python flushes the output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
