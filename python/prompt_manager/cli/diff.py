"""The command ``diff``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prompt_manager.cli.difference import PromptDifference, as_markdown, as_plain, as_text
from prompt_manager.cli.options import base_option, directory_options, is_version, json_option, prompt_ids
from prompt_manager.cli.output import write_json, write_text
from prompt_manager.cli.project import AppError
from prompt_manager.cli.values import check_text
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.manager import PromptManager
    from prompt_manager.core.template import TemplateEngine

__all__ = ["diff"]


@click.command(
    "diff",
    epilog="\b\nExamples:\n"
    "  prompt-manager diff                         all prompts, since HEAD\n"
    "  prompt-manager diff --base main --markdown  all prompts, since main\n"
    "  prompt-manager diff greeting                one prompt, since HEAD\n"
    "  prompt-manager diff greeting 1.0.0 1.1.0\n"
    "  prompt-manager diff greeting production HEAD~3\n"
    "  prompt-manager diff old.yaml new.yaml",
)
@click.argument("prompt_id", metavar="[ID]", required=False, callback=check_text, shell_complete=prompt_ids)
@click.argument("old", metavar="[A]", required=False, callback=check_text)
@click.argument("new", metavar="[B]", required=False, callback=check_text)
@base_option("The git revision to compare with, without A.")
@click.option("--markdown", is_flag=True, help="Write Markdown, for a comment of a pull request.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are differences.")
@directory_options
@json_option
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    prompt_id: str | None,
    old: str | None,
    new: str | None,
    base: str,
    markdown: bool,
    exit_code: bool,
    directory: str,
    schemas: str | None,
    as_json: bool,
) -> None:
    """Show what differs between two versions of a prompt, message by message, and the bump that it needs.

    A and B are versions, labels or git revisions; a revision whose name is also a label is written as git:NAME. Without
    B it is the prompt as it is now. Without A, the prompt as it is now is compared with the git revision of --base, and
    without ID all prompts are. Two prompt files can be compared as well.
    """
    from prompt_manager.cli.prompts import load

    if as_json and markdown:
        raise click.UsageError("--json and --markdown cannot be used together", ctx)
    with ExitStack() as stack:
        if prompt_id is not None and old is not None and new is None and _is_file(prompt_id) and _is_file(old):
            engine = _engine_for_files(directory, schemas)
            found = [PromptDifference(_of_file(prompt_id, engine), _of_file(old, engine))]
        else:
            found = list(_differences(stack, load(directory, schemas), prompt_id, (old, new), base))
        changed = [pair for pair in found if _differs(pair)]
        # One prompt that was asked for is shown even if nothing differs.
        shown = found if prompt_id is not None else changed
        if as_json:
            write_json([as_plain(pair) for pair in shown])
        else:
            write_text(as_markdown(shown) if markdown else as_text(shown))
    if exit_code and changed:
        ctx.exit(1)


def _differs(pair: PromptDifference) -> bool:
    from prompt_manager._native import diff

    if pair.old is None or pair.new is None:
        return True
    if pair.old.version != pair.new.version or pair.old.status != pair.new.status:
        return True
    return not diff(pair.old, pair.new)["same_content"]


def _is_file(text: str) -> bool:
    from prompt_manager._native import file_kind

    is_of_prompts = file_kind(text) == "prompts" or text.lower().endswith(".json")
    return is_of_prompts and Path(text).is_file()


def _engine_for_files(directory: str, schemas: str | None) -> TemplateEngine:
    """An engine that accepts the names of the project's helpers and partials, if the project can be loaded."""
    from prompt_manager.cli.prompts import load
    from prompt_manager.cli.revisions import engine_with_names
    from prompt_manager.core.template import TemplateEngine

    try:
        return engine_with_names(load(directory, schemas))
    except (PromptManagerError, AppError):
        return TemplateEngine()


def _of_file(path: str, engine: TemplateEngine) -> CompiledPrompt:
    """The only prompt of a file."""
    from prompt_manager._native import read_prompts_sync

    files, _, _ = read_prompts_sync(path, engine, on_error="raise")
    prompts = [prompt for _, _, prompts in files for prompt in prompts]
    if len(prompts) != 1:
        raise click.ClickException(
            f"{path} has {len(prompts)} prompts, and only files with one prompt can be compared\n"
            "  hint: compare a prompt of a directory by its id: prompt-manager diff ID A B"
        )
    return prompts[0]


def _differences(
    stack: ExitStack, manager: PromptManager, prompt_id: str | None, sides: tuple[str | None, str | None], base: str
) -> Iterator[PromptDifference]:
    """The prompts that are compared. ``sides`` are A and B."""
    from prompt_manager.cli.revisions import prompts_at

    old, new = sides
    if prompt_id is not None:
        yield _of_prompt(stack, manager, prompt_id, f"git:{base}" if old is None else old, new)
        return
    earlier = stack.enter_context(prompts_at(base, _directory_of(manager), manager))
    before, after = ({prompt.id: prompt for prompt in each.registry._core.latest()} for each in (earlier, manager))
    for each in sorted({*before, *after}):
        yield PromptDifference(before.get(each), after.get(each))


def _directory_of(manager: PromptManager) -> Path:
    if manager._directory is None:
        raise click.ClickException(
            "the prompts are in no directory, so git has no earlier revisions of them\n"
            "  hint: name two versions or labels: prompt-manager diff ID A B"
        )
    return Path(manager._directory)


def _of_prompt(stack: ExitStack, manager: PromptManager, prompt_id: str, old: str, new: str | None) -> PromptDifference:
    from prompt_manager.exceptions import PromptNotFoundError, VersionNotFoundError

    core = manager.registry._core
    before, after = (_resolved(stack, manager, prompt_id, which) for which in (old, new))
    pair = []
    for which, place in ((old, before), (new, after)):
        try:
            pair.append(place())
        except VersionNotFoundError:
            raise
        except PromptNotFoundError:
            if which is None or not which.startswith("git:"):
                raise
            pair.append(None)
    if pair == [None, None]:
        core.get(prompt_id)
    return PromptDifference(*pair)


def _resolved(stack: ExitStack, manager: PromptManager, prompt_id: str, which: str | None) -> Any:
    """A function that gives the prompt that a version, a label or a git revision means; ``None`` is the latest."""
    from prompt_manager.cli.git import commit_of
    from prompt_manager.cli.revisions import prompts_at

    core = manager.registry._core
    if which is None:
        return lambda: core.get(prompt_id)
    named_git = which.startswith("git:")
    if not named_git:
        if is_version(which) and core.contains(prompt_id, which):
            return lambda: core.get(prompt_id, version=which)
        labels = {label for prompt in core.all() if prompt.id == prompt_id for label in prompt.labels}
        is_in_git = manager._directory is not None and commit_of(Path(manager._directory), which) is not None
        if which in labels or not is_in_git:
            selected = {"version": which} if is_version(which) else {"label": which}
            return lambda: core.get(prompt_id, **selected)
    earlier = stack.enter_context(prompts_at(which.removeprefix("git:"), _directory_of(manager), manager))
    return lambda: earlier.registry._core.get(prompt_id)
