"""Formats differences of prompts: for a terminal, as Markdown and as plain data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.cli.output import drawn, styled, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prompt_manager._native import CompiledPrompt

__all__ = ["PromptDifference", "as_markdown", "as_plain", "as_text"]

#: Sections whose texts are below a line about the message or partial, so that they are indented further.
_NESTED = frozenset({"messages", "partials"})

#: The colour of each bump.
_BUMPS = {"major": "bold red", "minor": "bold yellow", "patch": "bold green", "none": "bold"}


class PromptDifference(NamedTuple):
    """A prompt before and after. It is ``None`` where it does not exist."""

    old: CompiledPrompt | None
    new: CompiledPrompt | None


def _difference(old: CompiledPrompt, new: CompiledPrompt) -> dict[str, Any]:
    from prompt_manager._native import diff

    return diff(old, new)


def as_plain(pair: PromptDifference) -> dict[str, Any]:
    """The fields of the difference. A prompt that is only on one side has ``change``."""
    old, new = pair
    if old is not None and new is not None:
        return {"change": "changed", **{key: value for key, value in _difference(old, new).items() if key != "text"}}
    prompt, change = (new, "added") if old is None else (old, "removed")
    if prompt is None:
        raise ValueError("a difference has at least one prompt")
    return {"change": change, "prompt_id": prompt.id, "version": prompt.version}


def as_text(pairs: Sequence[PromptDifference]) -> str:
    """The differences one below the other, in colours on a terminal."""
    if not pairs:
        return "no prompt differs\n"
    return "\n".join("".join(f"{line}\n" for line in _lines(pair)) for pair in pairs)


def _on_one_side(pair: PromptDifference) -> tuple[CompiledPrompt, str] | None:
    if pair.old is None and pair.new is not None:
        return pair.new, "added"
    if pair.new is None and pair.old is not None:
        return pair.old, "removed"
    return None


def _lines(pair: PromptDifference) -> Iterator[str]:
    alone = _on_one_side(pair)
    if alone is not None or pair.old is None or pair.new is None:
        prompt, change = alone or (pair.old or pair.new, "")
        if prompt is not None:
            yield f"{styled(prompt.id, 'bold')} {prompt.version}: {styled(change, _color_of(change))}"
        return
    found = _difference(pair.old, pair.new)
    versions = f"{found['old_version']} {drawn('→', '->')} {found['new_version']}"
    bump = styled(found["bump"], _BUMPS[found["bump"]])
    yield f"{styled(found['prompt_id'], 'bold')} {versions}: {bump} ({visible('; '.join(found['reasons']))})"
    yield from (_colored(line, mark) for line, mark in _marked(found["text"]))


def _color_of(change: str) -> str:
    return {"added": "green", "removed": "red"}.get(change, "")


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """The lines behind the first one, each with what it is: ``+``, ``-``, ``@``, ``#`` for a heading, or nothing."""
    depth = 0
    for line in visible(text).split("\n")[1:]:
        if line and not line.startswith(" "):
            depth = 4 if line in _NESTED else 2
            yield line, "#"
            continue
        head, rest = line[:depth], line[depth:]
        mark = rest[:1] if not head.strip() and rest[:1] in {"+", "-", "@"} else ""
        yield line, mark


def _colored(line: str, mark: str) -> str:
    return styled(line, {"+": "green", "-": "red", "@": "cyan", "#": "bold underline"}.get(mark, ""))


def as_markdown(pairs: Sequence[PromptDifference]) -> str:
    """The differences for a comment of a pull request: a heading for each prompt, and the changes in a block."""
    if not pairs:
        return "No prompt differs.\n"
    return "\n".join(map(_section, pairs))


def _section(pair: PromptDifference) -> str:
    alone = _on_one_side(pair)
    if alone is not None:
        return f"### `{alone[0].id}` {alone[0].version}: {alone[1]}\n"
    if pair.old is None or pair.new is None:
        return ""
    found = _difference(pair.old, pair.new)
    head = f"### `{found['prompt_id']}` {found['old_version']} → {found['new_version']}: {found['bump']}\n"
    reasons = "".join(f"- {_escaped(reason)}\n" for reason in found["reasons"])
    body = "\n".join(_dedented(line, mark) for line, mark in _marked(found["text"])).strip("\n")
    if not body:
        return f"{head}\n{reasons}"
    # The fence is longer than any in the text.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return f"{head}\n{reasons}\n{fence}diff\n{body}\n{fence}\n"


def _dedented(line: str, mark: str) -> str:
    """A line of a block in the language ``diff``, in which marks are in the first column."""
    if mark == "#":
        return f"# {line}"
    return line.lstrip(" ") if mark else line.removeprefix("  ")


def _escaped(text: str) -> str:
    """A text as a line of Markdown: no markup but its code in backticks, and no mention of a person."""
    text = " ".join(visible(text).split())
    return re.sub(r"[<>&@]", lambda found: f"&#{ord(found[0])};", text)
