"""Writes the next version of a prompt: in its file, or in a new file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prompt_manager._native import named_labels, prompt_yaml, replace_file, with_version
from prompt_manager.cli.files import NewFiles, uninterrupted
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.testing.yaml_file import parse

if TYPE_CHECKING:
    from pathlib import Path

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.cli.written import PromptPlace
    from prompt_manager.core.manager import PromptManager
    from prompt_manager.testing.yaml_file import YamlNode

__all__ = ["keep_version", "raise_in_place"]

#: Keys that a copy of a prompt leaves out: labels stay at their version, and a load sets the others.
_NOT_COPIED = ("labels", "uid", "created_at", "updated_at")


def raise_in_place(
    manager: PromptManager, prompt: CompiledPrompt, place: PromptPlace, before: bytes, version: str
) -> Path:
    """Raise the version in the file of the prompt.

    Raises:
        click.ClickException: a label points at the version, in labels.yaml or in the file itself.
        StorageWriteError: the file has changed since it was read.
    """
    named = named_labels(manager._directory or "", prompt.id)
    lost = [label for label, at in named.items() if at == prompt.version]
    if lost:
        raise click.ClickException(
            f"the label {lost[0]!r} points at version {prompt.version}, which would be gone\n"
            f"  hint: keep it with prompt-manager bump {prompt.id} --keep"
        )
    # labels.yaml overrides the labels of a file.
    moved = [label for label in prompt.to_dict().get("labels") or () if label not in named]
    if moved:
        raise click.ClickException(
            f"the label {moved[0]!r} is in {place.file}, so it would move to version {version}\n"
            f"  hint: keep version {prompt.version} with prompt-manager bump {prompt.id} --keep, or remove the label "
            f"from the file and set it with prompt-manager label set {prompt.id} {moved[0]} {version}"
        )
    after = with_version(place.file, before, prompt.id, prompt.version, version, write_id=False)
    with uninterrupted():
        replace_file(place.path, before, after)
    return place.path


def keep_version(prompt: CompiledPrompt, place: PromptPlace, before: bytes, version: str, revision: str | None) -> Path:
    """Write the next version to a new file beside that of this version.

    With ``revision``, the file has edits that are not in git. They go to the new file, and the file becomes what it is
    at the revision.

    Raises:
        click.ClickException: the edits are in a file of several prompts, or the new file exists.
        StorageWriteError: the file has changed since it was read.
    """
    path = place.path.with_name(f"{_stem(place.path, prompt.version)}-{version}{place.path.suffix}")
    files = NewFiles()
    files.created[path] = _copy(prompt, place, before, version)
    if revision is not None:
        if _root_of_one(before) is None:
            raise click.ClickException(
                f"{place.file} has several prompts and edits that are not in git\n"
                "  hint: move the prompt to a file of its own first"
            )
        from prompt_manager.cli.git import content_at

        files.replaced[place.path] = (before, content_at(revision, place.path))
    files.write()
    return path


def _stem(path: Path, version: str) -> str:
    """The name of a file without its extension, and without the version that an earlier copy has in its name."""
    return path.stem.removesuffix(f"-{version}")


def _copy(prompt: CompiledPrompt, place: PromptPlace, before: bytes, version: str) -> str:
    """The next version of a prompt as a file, as it is written now if the file has nothing else."""
    root = _root_of_one(before)
    # The labels of a mapping in braces cannot be cut out.
    if root is not None and ("labels" not in root.members() or _is_block(root)):
        copy = with_version(place.file, before, prompt.id, prompt.version, version, write_id=True).decode()
        without = _without_labels(copy) if "labels" in root.members() else copy
        if without is not None:
            return without
    fields = {key: value for key, value in prompt.to_dict().items() if key not in _NOT_COPIED}
    return prompt_yaml({**fields, "version": version})


def _without_labels(text: str) -> str | None:
    """The file without its labels. ``None`` if they are on no lines of their own."""
    root = parse("", text.encode())
    key, labels = root.members()["labels"]
    items = labels.items() if isinstance(labels.value, list) else []
    last = max(node.line for node in (key, labels, *items))
    lines = text.splitlines(keepends=True)
    left = "".join(lines[: key.line - 1] + lines[last:])
    wanted = {name: value for name, value in root.plain().items() if name != "labels"}
    try:
        return left if parse("", left.encode()).plain() == wanted else None
    except PromptManagerError:
        return None


def _is_block(mapping: YamlNode) -> bool:
    """Whether each key is on a line of its own."""
    lines = [key.line for key, _ in mapping.members().values()]
    return len(set(lines)) == len(lines)


def _root_of_one(content: bytes) -> YamlNode | None:
    """The mapping of a file that has one prompt and nothing else."""
    try:
        root = parse("", content)
    except PromptManagerError:
        return None
    return root if root.is_mapping and "prompts" not in root.members() else None
