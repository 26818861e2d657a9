"""Formats prompts for people to read.

On a terminal, everything is wrapped to its width. In a file or a pipe, each row is one line, and texts are not wrapped.
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

#: The width of files and pipes, enough for any row.
UNLIMITED_WIDTH = 100_000

#: The minimum width of a terminal for wrapping. A narrower terminal gets whole rows and wraps them itself.
MIN_TERMINAL_WIDTH = 80

#: On a terminal, the maximum width of a column other than the last one.
MAX_COLUMN_WIDTH = 28

#: The fields of a message that are shown below its content.
MESSAGE_FIELDS = ("name", "tool_call_id", "optional", "cache", "tool_calls", "function_call")


def list_view(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Format a table with one row for each prompt."""
    header = ("ID", "VERSION", "FORMAT", "STATUS", "DESCRIPTION")
    rows = [[_line(summary[name.lower()]) for name in header] for summary in summaries]
    return _render([_table(rows, header=header, styles=("bold",))])


def prompt_view(prompt: Mapping[str, Any]) -> str:
    """Format the metadata, variables and template of a prompt."""
    return _render(_prompt_parts(prompt))


def _render(parts: Iterable[RenderableType]) -> str:
    """Render the parts one below the other. Plain strings are not changed."""
    console = Console(file=sys.stdout, highlight=False)
    if not to_terminal() or console.width < MIN_TERMINAL_WIDTH:
        console.width = UNLIMITED_WIDTH
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
    """Join the lines of a text."""
    return " ".join((text or "").split())


def _table(rows: Iterable[Sequence[str]], *, header: Sequence[str] = (), styles: Sequence[str] = ()) -> Table:
    """Build a table. The last column takes the remaining width. Without a header, empty columns are left out."""
    columns = [[Text(visible(cell)) for cell in column] for column in zip(*rows, strict=True)]
    shown = [index for index, column in enumerate(columns) if header or any(column)]
    max_width = MAX_COLUMN_WIDTH if to_terminal() else UNLIMITED_WIDTH
    table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, 2, 0, 0))
    for index in shown:
        title = header[index] if header else ""
        style = styles[index] if index < len(styles) else ""
        width = min(max_width, max(len(title), *(cell.cell_len for cell in columns[index])))
        table.add_column(title, style=style, overflow="fold", width=None if index == shown[-1] else width)
    for row in zip(*(columns[index] for index in shown), strict=True):
        table.add_row(*row)
    return table


def _indented(part: RenderableType, by: int) -> RenderableType:
    return Padding(part, (0, 0, 0, by), expand=False)


def _source(text: str, by: int) -> RenderableType:
    """Indent the source of a template."""
    text = visible(text)
    return _indented(Text(text), by) if to_terminal() else indent(text, " " * by)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _prompt_parts(prompt: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text(visible(prompt["id"]), "bold")
    if prompt["description"]:
        yield Text(visible(_line(prompt["description"])))
    yield ""
    yield _indented(_table(_metadata_rows(prompt), styles=("dim",)), 2)
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


def _metadata_rows(prompt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Iterate over the names and values of the prompt's metadata. Empty fields are left out."""
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
            yield title, prompt[name] if isinstance(prompt[name], str) else "inline"
    if prompt.get("settings"):
        yield "settings", ", ".join(f"{name} {_json(value)}" for name, value in prompt["settings"].items())


def _variable_row(variable: Mapping[str, Any]) -> tuple[str, str, str, str]:
    need = "required" if variable["required"] else "optional"
    if variable["default"] is not None:
        need = f"default {_json(variable['default'])}"
    kind = ", ".join(map(_json, variable["values"])) if variable["values"] else variable["type"]
    return variable["name"], kind, need, _line(variable["description"])


def _template_parts(prompt: Mapping[str, Any]) -> Iterator[RenderableType]:
    template = prompt.get("template")
    if isinstance(template, str):
        template = {"content": template}
    chat = prompt.get("chat_template", {})
    if template is not None:
        yield from _section("template")
        yield _source(template["content"], 2)
    elif chat:
        yield from _section("messages")
        for number, message in enumerate(chat["messages"]):
            if number:
                yield ""
            yield from _message_parts(message)
    for name, text in {**(template or chat).get("partials", {})}.items():
        yield from _section(f"partial {visible(name)}")
        yield _source(text, 2)


def _message_parts(message: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _indented(Text(message["role"], "cyan"), 2) if to_terminal() else f"  {message['role']}"
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and part.get("type") == "text" and part.keys() <= {"type", "text"}:
            yield _source(part["text"], 4)
        elif part is not None:
            yield _source(part if isinstance(part, str) else _json(part), 4)
    for name in MESSAGE_FIELDS:
        if name in message:
            yield _source(f"{name}: {_json(message[name])}", 4)
