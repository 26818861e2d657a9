"""The command ``bump``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from prompt_manager.cli.options import base_option, directory_options, json_option, select, version_options
from prompt_manager.cli.output import drawn, write_json, write_text, write_warning

if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager

__all__ = ["bump"]


class _Raise(NamedTuple):
    """The next version, and why it is this one."""

    version: str
    reasons: tuple[str, ...]


@click.command(
    "bump",
    epilog="\b\nExamples:\n"
    "  prompt-manager bump greeting\n"
    "  prompt-manager bump greeting --minor\n"
    "  prompt-manager bump greeting --major --keep",
)
@version_options
@click.option("--major", is_flag=True, help="Raise 1.2.3 to 2.0.0: callers must change.")
@click.option("--minor", is_flag=True, help="Raise 1.2.3 to 1.3.0: the model may answer differently.")
@click.option("--patch", is_flag=True, help="Raise 1.2.3 to 1.2.4: only the wording.")
@base_option("The git revision that the prompt is compared with, if no part is named.")
@click.option(
    "--keep",
    is_flag=True,
    help="Write the next version to a new file. The file of this version becomes what it is in git.",
)
@directory_options
@json_option
def bump(
    *,
    prompt_id: str,
    version: str | None,
    label: str | None,
    major: bool,
    minor: bool,
    patch: bool,
    base: str,
    keep: bool,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Write the next version of a prompt.

    Without --major, --minor or --patch, the difference to the prompt in git decides. The version is raised in the file
    of the prompt, and everything else in it stays as it is written. If the file changes meanwhile, nothing is written.
    """
    from prompt_manager._shown_path import shown_path
    from prompt_manager.cli.next_version import keep_version, raise_in_place
    from prompt_manager.cli.prompts import find, load
    from prompt_manager.cli.written import place_of

    part = _part(major=major, minor=minor, patch=patch)
    selection = select(prompt_id, version, label)
    manager = load(directory, schemas)
    prompt = find(manager, selection)
    place = place_of(manager, prompt, schemas)
    if place is None:
        raise click.ClickException(
            f"prompt {prompt.id!r} is in no prompt file, and bump writes prompt files\n"
            "  hint: update_prompt of the manager makes the next version in a storage"
        )
    before = place.path.read_bytes()
    old = None if part is not None and not keep else _committed(manager, prompt, base, is_needed=part is None)
    raised = _raised(prompt, old, part, base)
    if part is not None:
        _warn_of_larger_change(manager, prompt, part, base)
    if raised.version in manager.registry._core.versions(prompt.id):
        raise click.ClickException(f"prompt {prompt.id!r} has version {raised.version} already")
    if keep:
        is_edited = old is not None and old.version == prompt.version and old.content_hash != prompt.content_hash
        path = keep_version(prompt, place, before, raised.version, base if is_edited else None)
    else:
        path = raise_in_place(manager, prompt, place, before, raised.version)
    shown = str(shown_path(path))
    if as_json:
        fields = {"id": prompt.id, "from": prompt.version, "version": raised.version, "reasons": raised.reasons}
        write_json({**fields, "file": shown})
    else:
        why = f" ({'; '.join(raised.reasons)})" if raised.reasons else ""
        write_text(f"{prompt.id} {prompt.version} {drawn('→', '->')} {raised.version} in {shown}{why}\n")


def _warn_of_larger_change(manager: PromptManager, prompt: CompiledPrompt, part: str, base: str) -> None:
    """Warn if the change since a revision of git needs a higher version than the part that is named."""
    from prompt_manager._native import diff
    from prompt_manager.exceptions import PromptManagerError

    try:
        old = _committed(manager, prompt, base, is_needed=False)
    except (click.ClickException, PromptManagerError):
        # What cannot be read there is no reason to write nothing here.
        return
    if old is None or old.version != prompt.version:
        return
    parts = ("none", "patch", "minor", "major")
    found = diff(old, prompt)
    if parts.index(found["bump"]) > parts.index(part):
        write_warning(f"the change since {base} is {found['bump']}, not {part}: {'; '.join(found['reasons'])}")


def _part(**asked: bool) -> str | None:
    """The part to raise, if one is named."""
    parts = [part for part, is_asked in asked.items() if is_asked]
    if len(parts) > 1:
        raise click.UsageError(f"--{parts[0]} and --{parts[1]} cannot be used together", click.get_current_context())
    return parts[0] if parts else None


def _committed(manager: PromptManager, prompt: CompiledPrompt, base: str, *, is_needed: bool) -> CompiledPrompt | None:
    """The prompt as it is at a revision of git: this version, or else the latest. ``None`` if it was not there."""
    from prompt_manager.cli.git import commit_of
    from prompt_manager.cli.revisions import prompts_at
    from prompt_manager.exceptions import PromptNotFoundError

    directory = Path(manager._directory or "")
    if not is_needed and commit_of(directory, base) is None:
        return None
    with prompts_at(base, directory, manager) as earlier:
        core = earlier.registry._core
        try:
            version = prompt.version if core.contains(prompt.id, prompt.version) else None
            return core.get(prompt.id, version=version)
        except PromptNotFoundError:
            return None


def _raised(prompt: CompiledPrompt, old: CompiledPrompt | None, part: str | None, base: str) -> _Raise:
    """The next version: raised by the part that was asked for, or as far as the change since the revision goes."""
    from prompt_manager._native import diff, raise_version

    if part is not None:
        return _Raise(raise_version(prompt.version, part, found=False), ())
    named = "name a part with --major, --minor or --patch to raise it all the same"
    if old is None:
        raise click.ClickException(
            f"prompt {prompt.id!r} is new since {base}, so version {prompt.version} can stay\n  hint: {named}"
        )
    if old.version != prompt.version:
        raise click.ClickException(
            f"prompt {prompt.id!r} is raised already: it has version {prompt.version}, and {old.version} at {base}\n"
            f"  hint: {named}"
        )
    found = diff(old, prompt)
    if found["bump"] == "none":
        raise click.ClickException(
            f"prompt {prompt.id!r} has not changed since {base}, so version {prompt.version} can stay\n"
            f"  hint: edit it first, or {named}"
        )
    return _Raise(raise_version(prompt.version, found["bump"], found=True), tuple(found["reasons"]))
