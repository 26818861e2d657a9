"""``prompt-manager test``: runs the cases of ``*.test.yaml``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prompt_manager._shown_path import shown_path
from prompt_manager.cli.options import directory_options, json_option
from prompt_manager.cli.output import visible, write_json, write_text, write_warning
from prompt_manager.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_manager.testing.runner import CaseResult

__all__ = ["test_prompts"]


@click.command(
    "test",
    epilog="\b\nExamples:\n"
    "  prompt-manager test\n"
    "  prompt-manager test prompts/greeting.test.yaml --update\n"
    "  prompt-manager test --junit results.xml",
)
@click.argument("path", metavar="[PATH]", required=False)
@directory_options
@click.option(
    "--update", is_flag=True, help="Write what the prompts give now as the expected values, and show the diff."
)
@click.option("--junit", metavar="FILE", help="Write the results as JUnit XML, for CI.")
@json_option
def test_prompts(
    *, path: str | None, directory: str, schemas: str | None, update: bool, junit: str | None, as_json: bool
) -> None:
    """Run the test cases beside the prompts.

    A file such as greeting.test.yaml has a list of cases. Each renders a prompt and compares the result; no model is
    called. PATH is a test file or a directory; all cases of the prompts run by default.
    """
    from prompt_manager.cli.prompts import load
    from prompt_manager.testing.find import find_test_files, prompts_root
    from prompt_manager.testing.runner import run_files, update_files

    place = Path(directory if path is None else path)
    files = [place.resolve() / file.relative_to(place) for file in find_test_files(place)]
    root = prompts_root(place, Path(directory)) or (place if place.is_dir() else place.parent).resolve()
    shown_root = Path(directory) if root == Path(directory).resolve() else root
    manager = load(str(shown_root), schemas, unknown_variables="error")
    with progress("running the tests"):
        results = run_files(manager, root, files)
    if update:
        changed = update_files(root, results)
        for file, before, after in changed:
            _write_diff(file, before, after, quiet=as_json)
        if changed:
            results = run_files(manager, root, files)
    if junit is not None:
        _write_junit(junit, results)
    if as_json:
        write_json([_described(result) for result in results])
    elif not results:
        write_warning(f"there are no test cases in {place}")
    else:
        write_text(_report(results))
    if not all(result.passed for result in results):
        click.get_current_context().exit(1)


def _write_diff(file: Path, before: str, after: str, *, quiet: bool) -> None:
    if quiet:
        return
    name = str(shown_path(file))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=2)
    write_text("".join(f"{visible(line)}\n" for line in lines))


def _write_junit(path: str, results: Sequence[CaseResult]) -> None:
    from prompt_manager._native import write_file
    from prompt_manager.testing.junit import junit_xml

    write_file(path, junit_xml(results).encode("utf-8", errors="replace"))


def _described(result: CaseResult) -> dict[str, object]:
    return {
        "file": result.file,
        "line": result.line,
        "name": result.name,
        "passed": result.passed,
        "messages": list(result.messages),
        "seconds": round(result.seconds, 6),
    }


def _report(results: Sequence[CaseResult]) -> str:
    from prompt_manager.cli.layout import width
    from prompt_manager.cli.wrapping import fitted

    lines: list[str] = []
    limit = width()
    for result in results:
        if not result.passed:
            lines.append(fitted(visible(f"FAILED {result.file}:{result.line} {result.name}"), limit))
            lines += [_shown(message, limit) for message in result.messages]
            lines.append("")
    failed = sum(not result.passed for result in results)
    counts = [f"{failed} failed"] * bool(failed) + [f"{len(results) - failed} passed"]
    return "\n".join([*lines, ", ".join(counts), ""])


def _shown(message: str, limit: int | None) -> str:
    """A message, indented. On a terminal its first line and its hints are wrapped; what was rendered is not."""
    from prompt_manager.cli.wrapping import fitted

    lines = [f"  {line}" for line in visible(message).split("\n")]
    is_wrapped = [at == 0 or line.lstrip().startswith("hint: ") for at, line in enumerate(lines)]
    return "\n".join(fitted(line, limit) if wrap else line for line, wrap in zip(lines, is_wrapped, strict=True))
