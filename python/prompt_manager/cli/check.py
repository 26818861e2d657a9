"""The command ``check``: finds what is wrong, or probably wrong, with prompt files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prompt_manager._providers import PROVIDERS
from prompt_manager.cli.options import base_option
from prompt_manager.cli.output import write_text, write_warning
from prompt_manager.cli.progress import progress
from prompt_manager.cli.project import AppError, Project, find_project, load_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prompt_manager._native import Finding

__all__ = ["check"]

#: Rules that need the helpers, partials and schemas of the project's code.
_NEED_CODE = frozenset({"unknown-helper", "unknown-partial", "unknown-schema"})

#: The rule that compares with a commit.
_CHANGED_VERSION = "PM027"


def _codes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> frozenset[str]:
    """The codes that an option names. Used as a callback of click.

    Raises:
        click.BadParameter: there is no such code.
    """
    from prompt_manager._native import nearest, rules

    known = {name: code for code, rule, _ in rules() for name in (code, rule)}
    chosen = set()
    for name in ",".join(values).replace(" ", "").split(","):
        if not name:
            continue
        code = known.get(name) or known.get(name.upper()) or known.get(name.lower())
        if code is None:
            near = nearest(name, sorted(known))
            hint = f"did you mean {near}?" if near else f"codes are {min(known.values())} to {max(known.values())}"
            raise click.BadParameter(f"there is no rule {name!a}\n  hint: {hint}", ctx, param)
        chosen.add(code)
    return frozenset(chosen)


@click.command(
    "check",
    epilog="\b\nExamples:\n"
    "  prompt-manager check\n"
    "  prompt-manager check prompts/support --ignore PM010\n"
    "  prompt-manager check --provider anthropic --base origin/main --format github",
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--schemas", metavar="DIR", type=click.Path(path_type=Path), help="Directory of the schema files.")
@click.option("--select", metavar="CODES", multiple=True, callback=_codes, help="Report only these rules.")
@click.option(
    "--extend-select",
    metavar="CODES",
    multiple=True,
    callback=_codes,
    help="Report these rules too, which are off by default.",
)
@click.option("--ignore", metavar="CODES", multiple=True, callback=_codes, help="Do not report these rules.")
@click.option(
    "--provider",
    "providers",
    type=click.Choice([*PROVIDERS]),
    multiple=True,
    help="Report what this provider would refuse or could not enforce. Can be given several times.",
)
@base_option("Compare active versions with this revision of git.  [default: HEAD]", default=None)
@click.option(
    "--fix",
    is_flag=True,
    help="Fix misspelt variables and keys, missing and unused declarations, and braces of JSON that need a blank.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Format of the findings.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def check(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    schemas: Path | None,
    select: frozenset[str],
    extend_select: frozenset[str],
    ignore: frozenset[str],
    providers: tuple[str, ...],
    base: str | None,
    fix: bool,
    watch: bool,
    output: str,
    as_json: bool,
) -> None:
    """Find what is wrong, or probably wrong, with prompt files. Nothing is rendered or sent.

    PATH is a directory of prompts or a prompt file. Without it, the prompts are those of [tool.prompt-manager] in
    pyproject.toml, or else of the directory "prompts". A comment "# pm: ignore[PM010]" on a line, or alone on the line
    above, hides the findings of this line; "# pm: ignore" hides all of them.

    The exit status is 0 if nothing is found, 1 if something is, and 2 for wrong usage.
    """
    project = find_project()
    options = CheckOptions(paths, schemas, select, extend_select, ignore, providers, base, fix)
    output = "json" if as_json else output
    if watch:
        from prompt_manager.cli.follow import run_on_change

        roots = [*(paths or (project.prompts,)), *filter(None, (schemas or project.schemas,))]
        run_on_change(roots, lambda: _report(project, options, output))
    if _report(project, options, output):
        ctx.exit(1)


def _report(project: Project, options: CheckOptions, output: str) -> bool:
    """Write the findings, and fix them first if that is asked for. Returns whether there are any."""
    from prompt_manager.cli.findings import formatted
    from prompt_manager.cli.fix import fix_files

    def find() -> list[Finding]:
        return [*_findings(project, options)]

    with progress("checking the prompts"):
        findings, fixed = fix_files(find) if options.fix else (find(), [])
    write_text(formatted(findings, output, fixed))
    return bool(findings)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the options of the command ask for."""

    paths: tuple[Path, ...]
    schemas: Path | None
    select: frozenset[str]
    extend_select: frozenset[str]
    ignore: frozenset[str]
    providers: tuple[str, ...]
    base: str | None
    fix: bool

    @property
    def also(self) -> list[str]:
        """The rules that run although they may be off by default."""
        return sorted((self.select | self.extend_select) - self.ignore)

    def reports(self, code: str) -> bool:
        """Whether findings of a rule are reported."""
        return (not self.select or code in self.select | self.extend_select) and code not in self.ignore


def _findings(project: Project, options: CheckOptions) -> Iterator[Finding]:
    """The findings in the paths that are asked for, each once."""
    from prompt_manager.cli.changed_files import earlier_files
    from prompt_manager.core.manager import PromptManager

    hidden: frozenset[str] = frozenset()
    try:
        manager = load_app(project)
    except AppError as error:
        write_warning(f"{error.format_message()}\n  hint: helpers, partials and schemas are not checked without it")
        manager, hidden = None, _NEED_CODE
    registry = (manager or PromptManager()).registry._core
    seen: set[Finding] = set()
    for directory, below in _directories(project, options.paths):
        found = registry.check(
            directory,
            schema_dir=options.schemas or project.schemas,
            providers=options.providers,
            also=options.also,
            base=earlier_files(directory, options.base) if options.reports(_CHANGED_VERSION) else (),
            code=not hidden,
            fixes=options.fix,
        )
        for finding in found:
            is_asked = below is None or (
                finding.file is not None and Path(finding.file).absolute().is_relative_to(below)
            )
            if is_asked and options.reports(finding.code) and finding.rule not in hidden and finding not in seen:
                seen.add(finding)
                yield finding


def _directories(project: Project, paths: Iterable[Path]) -> Iterator[tuple[Path, Path | None]]:
    """The directories to check, each with the path in it that was asked for; ``None`` if it is the whole directory.

    A path in the project's prompts is checked with all of them: its ids, partials and labels depend on them.

    Raises:
        click.UsageError: a file is none that a directory of prompts is read from.
    """
    from prompt_manager._native import file_kind
    from prompt_manager._shown_path import shown_path

    if not paths and not project.prompts.is_dir():
        raise click.UsageError(
            f"there is no directory '{project.prompts}'\n"
            "  hint: name the prompts to check, or set prompts in [tool.prompt-manager] of pyproject.toml"
        )
    whole = project.prompts.absolute()
    for path in paths or (project.prompts,):
        if path.is_file() and file_kind(path) is None:
            raise click.UsageError(
                f"{path} is not a file of prompts\n  hint: prompt files end in .yaml or .yml, and partials in .hbs"
            )
        if path.absolute() != whole and path.absolute().is_relative_to(whole):
            yield project.prompts, path.absolute()
        elif path.is_dir() or not path.exists():
            if path.is_dir() and not any(file_kind(file) for file in path.rglob("*")):
                write_warning(f"there are no prompt files in {shown_path(path)}")
            yield path, None
        else:
            yield path.parent, path.absolute()
