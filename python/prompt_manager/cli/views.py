"""Prompts laid out for people.

On a terminal everything is wrapped to its width. Elsewhere a row is a line, however long, and texts stand as written.
"""

from __future__ import annotations

import json
import sys
from textwrap import indent
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from prompt_manager.cli.output import to_terminal, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["list_view", "prompt_view"]

#: Where there is no terminal: wide enough for any row.
UNLIMITED = 100_000

#: On a terminal: the least width to lay out for; a narrower one gets whole rows, and breaks them by itself.
LEAST = 80

#: On a terminal: the width at which a column is folded, so that something is left for the last.
NARROW = 28

#: What a message says beside its text.
BESIDE_TEXT = ("name", "tool_call_id", "optional", "cache", "tool_calls", "function_call")


def list_view(summaries: Sequence[Mapping[str, Any]]) -> str:
    """A table with a row for each prompt."""
    header = ("ID", "VERSION", "FORMAT", "STATUS", "DESCRIPTION")
    rows = [[_line(summary[name.lower()]) for name in header] for summary in summaries]
    return _laid_out([_table(rows, header=header, styles=("bold",))])


def prompt_view(prompt: Mapping[str, Any]) -> str:
    """What a prompt says of itself, its variables, and its template as written."""
    return _laid_out(_prompt_parts(prompt))


def _laid_out(parts: Iterable[RenderableType]) -> str:
    """The parts one below the other; a plain string is not touched."""
    console = Console(file=sys.stdout, highlight=False)
    if not to_terminal() or console.width < LEAST:
        console.width = UNLIMITED
    lines: list[str] = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
        else:
            with console.capture() as captured:
                console.print(part)
            lines += [line.rstrip() for line in captured.get().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _line(text: str | None) -> str:
    """A text that may have several lines as one."""
    return " ".join((text or "").split())


def _table(rows: Iterable[Sequence[str]], *, header: Sequence[str] = (), styles: Sequence[str] = ()) -> Table:
    """Rows in columns, of which the last takes what the others leave; without a header, empty ones are left out."""
    columns = [[Text(visible(cell)) for cell in column] for column in zip(*rows, strict=True)]
    kept = [index for index, column in enumerate(columns) if header or any(column)]
    widest = NARROW if to_terminal() else UNLIMITED
    table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, 2, 0, 0))
    for index in kept:
        title = header[index] if header else ""
        style = styles[index] if index < len(styles) else ""
        width = max(len(title), *(cell.cell_len for cell in columns[index]))
        table.add_column(title, style=style, overflow="fold", width=None if index == kept[-1] else min(width, widest))
    for row in zip(*(columns[index] for index in kept), strict=True):
        table.add_row(*row)
    return table


def _indented(part: RenderableType, by: int) -> RenderableType:
    return Padding(part, (0, 0, 0, by), expand=False)


def _written(text: str, by: int) -> RenderableType:
    """A text as somebody wrote it, indented."""
    text = visible(text)
    return _indented(Text(text), by) if to_terminal() else indent(text, " " * by)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _prompt_parts(prompt: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text(visible(prompt["id"]), "bold")
    if prompt["description"]:
        yield Text(visible(_line(prompt["description"])))
    yield ""
    yield _indented(_table(_facts(prompt), styles=("dim",)), 2)
    if prompt["variables"]:
        yield from _section("variables")
        yield _indented(_table(map(_variable_row, prompt["variables"]), styles=("bold",)), 2)
    if "tools" in prompt:
        yield from _section("tools")
        rows = [(tool["name"], _line(tool.get("description"))) for tool in prompt["tools"]]
        yield _indented(_table(rows, styles=("bold",)), 2)
    yield from _template_parts(prompt)


def _section(title: str) -> Iterator[RenderableType]:
    yield ""
    yield Text(title, "bold underline" if to_terminal() else "")


def _facts(prompt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of the prompt, in rows; what it does not say has none."""
    for name in ("version", "format", "status", "author", "category"):
        if prompt[name]:
            yield name, prompt[name]
    for name in ("tags", "labels"):
        if prompt[name]:
            yield name, ", ".join(prompt[name])
    if len(prompt["versions"]) > 1:
        yield "versions", ", ".join(prompt["versions"])
    for name, title in (("input_schema", "input schema"), ("output_schema", "output schema")):
        if name in prompt:
            yield title, prompt[name] if isinstance(prompt[name], str) else "in place"
    if prompt.get("settings"):
        yield "settings", ", ".join(f"{name} {_json(value)}" for name, value in prompt["settings"].items())


def _variable_row(variable: Mapping[str, Any]) -> tuple[str, str, str, str]:
    need = "required" if variable["required"] else "optional"
    if variable["default"] is not None:
        need = f"default {_json(variable['default'])}"
    return variable["name"], variable["type"], need, _line(variable["description"])


def _template_parts(prompt: Mapping[str, Any]) -> Iterator[RenderableType]:
    template = prompt.get("template")
    if isinstance(template, str):
        template = {"content": template}
    chat = prompt.get("chat_template", {})
    if template is not None:
        yield from _section("template")
        yield _written(template["content"], 2)
    elif chat:
        yield from _section("messages")
        for number, message in enumerate(chat["messages"]):
            if number:
                yield ""
            yield from _message_parts(message)
    for name, text in {**(template or chat).get("partials", {})}.items():
        yield from _section(f"partial {visible(name)}")
        yield _written(text, 2)


def _message_parts(message: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _indented(Text(message["role"], "cyan"), 2) if to_terminal() else f"  {message['role']}"
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and part.get("type") == "text" and part.keys() <= {"type", "text"}:
            yield _written(part["text"], 4)
        elif part is not None:
            yield _written(part if isinstance(part, str) else _json(part), 4)
    for name in BESIDE_TEXT:
        if name in message:
            yield _written(f"{name}: {_json(message[name])}", 4)
