"""Formats prompts for people to read.

On a terminal, tables and descriptions fit its width. Templates are never wrapped. In a file or a pipe, each row is one
line.
"""

from __future__ import annotations

import json
from textwrap import indent
from typing import TYPE_CHECKING, Any

from prompt_manager.cli.layout import Column, one_line, table, width
from prompt_manager.cli.output import drawn, styled, visible
from prompt_manager.cli.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["joined", "list_view", "prompt_view", "tree_view"]

#: The fields of a message that are shown below its content.
MESSAGE_FIELDS = ("name", "tool_call_id", "optional", "cache", "tool_calls", "function_call")


def joined(lines: Iterable[str]) -> str:
    """End each line with a line break."""
    return "".join(f"{line}\n" for line in lines)


def list_view(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Format a table with one row for each prompt."""
    titles = ("ID", "VERSION", "FORMAT", "STATUS", "DESCRIPTION")
    columns = [Column(title, "bold" if title == "ID" else "") for title in titles]
    return joined(table([[one_line(summary[title.lower()]) for title in titles] for summary in summaries], columns))


def tree_view(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Format the prompts as a tree of the segments of their ids, each with its version and status."""
    root: dict[str, Any] = {}
    for summary in summaries:
        node = root
        for segment in summary["id"].split("/"):
            node = node.setdefault(segment, {})
        # No segment of an id is empty.
        node[""] = summary
    return joined(_branches(root, ""))


def _branches(node: Mapping[str, Any], before: str) -> Iterator[str]:
    fork, last, down = drawn("├── ", "|-- "), drawn("└── ", "`-- "), drawn("│   ", "|   ")
    names = sorted(name for name in node if name)
    for name in names:
        is_last = name == names[-1]
        summary = node[name].get("")
        about = ""
        if summary is not None:
            labels = f"  {', '.join(summary['labels'])}" if summary["labels"] else ""
            status = "" if summary["status"] == "active" else f"  {summary['status']}"
            about = f"  {summary['version']}{status}{styled(visible(labels), 'cyan')}"
        shown = styled(visible(name), "bold" if summary is not None else "")
        yield f"{before}{last if is_last else fork}{shown}{'' if summary is not None else '/'}{about}"
        yield from _branches(
            {key: value for key, value in node[name].items() if key}, before + ("    " if is_last else down)
        )


def prompt_view(prompt: Mapping[str, Any]) -> str:
    """Format the metadata, variables and templates of a prompt."""
    return joined(_prompt_lines(prompt))


def _source(text: str, by: int) -> Iterator[str]:
    """The lines of a template, as they are written."""
    yield from indent(visible(text).removesuffix("\n"), " " * by).split("\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _prompt_lines(prompt: Mapping[str, Any]) -> Iterator[str]:
    yield styled(visible(prompt["id"]), "bold")
    if prompt["description"]:
        yield from wrapped(one_line(prompt["description"]), width())
    yield ""
    yield from table(_metadata_rows(prompt), [Column(style="dim"), Column()], indent=2)
    if prompt["variables"]:
        yield from _section("variables")
        columns = [Column(style="bold"), Column(), Column(), Column(style="dim"), Column()]
        yield from table(map(_variable_row, prompt["variables"]), columns, indent=2)
    if "tools" in prompt:
        yield from _section("tools")
        rows = [(one_line(tool["name"]), one_line(tool.get("description"))) for tool in prompt["tools"]]
        yield from table(rows, [Column(style="bold"), Column()], indent=2)
    yield from _template_lines(prompt)


def _section(title: str) -> Iterator[str]:
    yield ""
    yield styled(title, "bold underline")


def _metadata_rows(prompt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Iterate over the names and values of the prompt's metadata. Empty fields are left out."""
    for name in ("version", "format", "status", "author", "category"):
        if prompt[name]:
            yield name, one_line(prompt[name])
    if prompt["tags"]:
        yield "tags", one_line(", ".join(prompt["tags"]))
    if prompt["all_labels"]:
        yield "labels", one_line(", ".join(f"{label} {version}" for label, version in prompt["all_labels"].items()))
    if len(prompt["versions"]) > 1:
        yield "versions", ", ".join(prompt["versions"])
    for name, title in (("input_schema", "input schema"), ("output_schema", "output schema")):
        if name in prompt:
            yield title, one_line(prompt[name]) if isinstance(prompt[name], str) else "inline"
    if prompt.get("settings"):
        yield "settings", one_line(", ".join(f"{name} {_json(value)}" for name, value in prompt["settings"].items()))
    if prompt["file"]:
        yield "file", one_line(f"{prompt['file']}:{prompt['line']}")


def _variable_row(variable: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    need = "required" if variable["required"] else "optional"
    if variable["default"] is not None:
        need = f"default {_json(variable['default'])}"
    kind = ", ".join(map(_json, variable["values"])) if variable["values"] else variable["type"]
    uses = ", ".join(dict.fromkeys(map(_use, variable["uses"])))
    return one_line(variable["name"]), one_line(kind), one_line(need), one_line(uses), one_line(variable["description"])


def _use(use: Mapping[str, Any]) -> str:
    """Where a variable is used: line and column in the file, or else the template; and the partial with its name."""
    at = use["template"] if use["line"] is None else f"{use['line']}:{use['column']}"
    return f"{at} {use['partial']}" if use["partial"] else at


def _template_lines(prompt: Mapping[str, Any]) -> Iterator[str]:
    template = prompt.get("template")
    if isinstance(template, str):
        template = {"content": template}
    chat = prompt.get("chat_template", {})
    if template is not None:
        yield from _section("template")
        yield from _source(template["content"], 2)
    elif chat:
        yield from _section("messages")
        for number, message in enumerate(chat["messages"]):
            if number:
                yield ""
            yield from _message_lines(message)
    for name, text in {**(template or chat).get("partials", {})}.items():
        yield from _section(f"partial {one_line(name)}")
        yield from _source(text, 2)


def _message_lines(message: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {styled(message['role'], 'cyan')}"
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and part.get("type") == "text" and part.keys() <= {"type", "text"}:
            yield from _source(part["text"], 4)
        elif part is not None:
            yield from _source(part if isinstance(part, str) else _json(part), 4)
    for name in MESSAGE_FIELDS:
        if name in message:
            yield from _source(f"{name}: {_json(message[name])}", 4)
