"""The command ``history``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from prompt_manager.cli.options import directory_options, id_argument, json_option
from prompt_manager.cli.output import write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core.models import LabelMove, PromptVersion

__all__ = ["history"]


@click.command(
    "history", epilog="\b\nExamples:\n  prompt-manager history greeting\n  prompt-manager history greeting --json"
)
@id_argument
@directory_options
@json_option
def history(*, prompt_id: str, directory: str, schemas: str | None, as_json: bool) -> None:
    """List the versions of a prompt, the newest first, and the moves of its labels.

    The versions are those that the files or the storage have now. Earlier states of a file are in version control: see
    "prompt-manager diff".
    """
    from prompt_manager.cli.prompts import load

    manager = load(directory, schemas)
    versions = [_version(record) for record in manager.get_history_sync(prompt_id)]
    moves = [_move(move) for move in manager.get_label_history_sync(prompt_id)]
    if as_json:
        write_json({"id": prompt_id, "versions": versions, "label_moves": moves})
    else:
        write_text(_view(versions, moves))


def _version(record: PromptVersion) -> dict[str, Any]:
    prompt = record.prompt
    return {
        "version": record.version,
        "status": str(prompt.status.value),
        "labels": list(prompt.labels),
        "created_at": record.created_at.isoformat(),
        "created_by": record.created_by,
        "changelog": record.changelog,
        "parent_version": record.parent_version,
        "content_hash": prompt.content_hash,
    }


def _move(move: LabelMove) -> dict[str, Any]:
    return {**move.model_dump(), "moved_at": move.moved_at.isoformat()}


def time_of(text: str) -> str:
    """A time in ISO 8601 to the minute, as people read it."""
    return text[:16].replace("T", " ")


def _view(versions: Sequence[Mapping[str, Any]], moves: Sequence[Mapping[str, Any]]) -> str:
    from prompt_manager.cli.layout import Column, one_line, table
    from prompt_manager.cli.output import drawn
    from prompt_manager.cli.views import joined

    rows = [
        (
            record["version"],
            record["status"],
            one_line(", ".join(record["labels"])),
            time_of(record["created_at"]),
            one_line(record["created_by"]),
            one_line(record["changelog"]),
        )
        for record in versions
    ]
    titles = ("VERSION", "STATUS", "LABELS", "CREATED (UTC)", "AUTHOR", "CHANGE")
    # Columns that say nothing are left out.
    shown = [at for at, title in enumerate(titles) if title in {"VERSION", "STATUS"} or any(row[at] for row in rows)]
    lines = table([[row[at] for at in shown] for row in rows], [Column(titles[at]) for at in shown])
    if moves:
        arrow = drawn("→", "->")
        rows_of_moves = [
            (
                one_line(move["label"]),
                f"{move['previous'] or 'nothing'} {arrow} {move['version'] or 'nothing'}",
                time_of(move["moved_at"]),
                one_line(move["author"]),
            )
            for move in reversed(moves)
        ]
        columns = [Column("LABEL"), Column("MOVE"), Column("MOVED (UTC)"), Column("BY")]
        if not any(row[-1] for row in rows_of_moves):
            columns, rows_of_moves = columns[:-1], [(*row[:-1],) for row in rows_of_moves]  # type: ignore[misc]
        lines += ["", *table(rows_of_moves, columns)]
    return joined(lines)
