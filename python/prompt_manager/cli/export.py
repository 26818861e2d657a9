"""The command ``export``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from prompt_manager.cli.options import directory_options, prompt_ids, select
from prompt_manager.cli.output import write_text
from prompt_manager.cli.values import check_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager

__all__ = ["export"]

#: Keys that are set again when the file is loaded.
_OF_THE_FILE = ("uid", "created_at", "updated_at")


@click.command(
    "export",
    epilog="\b\nExamples:\n"
    "  prompt-manager export -o prompts.yaml\n"
    "  prompt-manager export greeting@production --format json\n"
    "  prompt-manager export --all-versions --format jsonl",
)
@click.argument("selected", metavar="[ID[@VERSION|@LABEL]]...", nargs=-1, shell_complete=prompt_ids)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["yaml", "json", "jsonl"]),
    default="yaml",
    show_default=True,
    help="A prompt file, a JSON list, or one JSON object in each line.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--all-versions", is_flag=True, help="Every version, not only the latest of each prompt.")
@click.option("-o", "--output", metavar="FILE", callback=check_text, help="Write to this file.")
@directory_options
def export(
    *,
    selected: tuple[str, ...],
    kind: str,
    as_json: bool,
    all_versions: bool,
    output: str | None,
    directory: str,
    schemas: str | None,
) -> None:
    """Write prompts as one file that needs no other file: shared partials are written into the prompts.

    Prompts are exported in their latest version. Schemas stay by name: "prompt-manager schema" prints them.
    """
    from prompt_manager._native import write_file
    from prompt_manager.cli.prompts import load

    manager = load(directory, schemas)
    prompts = [_whole(prompt, manager) for prompt in _chosen(manager, selected, all_versions=all_versions)]
    text = _written(prompts, "json" if as_json else kind)
    if output is None:
        write_text(text)
    else:
        write_file(output, text.encode())


def _chosen(manager: PromptManager, selected: Sequence[str], *, all_versions: bool) -> Iterable[CompiledPrompt]:
    """The prompts that were asked for, each once."""
    from prompt_manager.cli.prompts import find

    core = manager.registry._core
    found: dict[tuple[str, str], CompiledPrompt] = {}
    for text in selected:
        selection = select(text)
        if all_versions and (selection.version or selection.label):
            raise click.UsageError(f"{text!r} names a version: leave out --all-versions", click.get_current_context())
        versions = core.versions(selection.id) if all_versions else []
        for prompt in [core.get(selection.id, version=each) for each in versions] or [find(manager, selection)]:
            found[prompt.id, prompt.version] = prompt
    if selected:
        return found.values()
    return core.all() if all_versions else core.latest()


def _whole(prompt: CompiledPrompt, manager: PromptManager) -> dict[str, Any]:
    """The fields of a prompt, with the shared partials that it includes as its own."""
    from prompt_manager._native import Engine, compile_prompt

    fields = {key: value for key, value in prompt.to_dict().items() if key not in _OF_THE_FILE}
    fields["labels"] = prompt.labels
    if not prompt.labels:
        del fields["labels"]
    key = "template" if "template" in fields else "chat_template"
    helpers, partials_of_all, _ = manager.template_engine.__getstate__()
    shared = dict(partials_of_all)
    engine = Engine(known_helpers=[name for name, *_ in helpers])
    known: set[str] = set()
    while True:
        # A partial may include others.
        reports = compile_prompt(fields, engine).unknown_partials()
        missing = [name for name in shared if any(f"no partial `{name}`" in report for report in reports)]
        if not set(missing) - known:
            return fields
        known.update(missing)
        body = fields[key] if isinstance(fields[key], dict) else {"content": fields[key]}
        partials = {**body.get("partials", {}), **{name: shared[name] for name in missing}}
        fields = {**fields, key: {**body, "partials": partials}}


def _written(prompts: Sequence[dict[str, Any]], kind: str) -> str:
    if kind == "jsonl":
        return "".join(json.dumps(prompt, ensure_ascii=False) + "\n" for prompt in prompts)
    if kind == "json":
        return json.dumps(prompts, ensure_ascii=False, indent=2) + "\n"
    from prompt_manager._native import prompt_yaml

    return "---\n".join(map(prompt_yaml, prompts))
