"""``batch``: names of columns that clash or are missing, and hints that lead somewhere."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

BATCH = ("batch", "greeting", "--to", "text")
SOURCES = ["in.csv", "in.jsonl", "in.parquet"]
OUTPUTS = ["out.jsonl", "out.parquet"]

#: A row with a column for each name that a new column has by default.
ROW = {"name": "Ada", "title": "Countess", "text": "t", "tokens": "3", "error": "e"}


@pytest.fixture(autouse=True)
def files(project: Path, write: Write) -> None:
    write(
        {
            "prompts/greeting.yaml": "template: Hello {{name}}!\nvariables: {name: string}\n",
            "prompts/fixed.yaml": "template: Hello!\n",
            "counts_of_columns.py": "def letters(text):\n    return len(text)\n",
        }
    )
    write_all(project, [ROW])


def write_all(project: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows as each kind of input."""
    parquet.write_table(pa.Table.from_pylist(rows), project / "in.parquet")
    (project / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with (project / "in.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "{0} already has a column 'text'\n  hint: name the new column with --column\n"),
        (
            ("--column", "made", "--on-error", "column"),
            "{0} already has a column 'error'\n  hint: name the new column with --error-column\n",
        ),
        (
            ("--column", "made", "--tokens", "counts_of_columns:letters"),
            "{0} already has a column 'tokens'\n  hint: drop or rename it\n",
        ),
        (
            ("--column", "made", "--rename", "nme=name"),
            "--rename names the column 'nme', which {0} does not have\n  hint: did you mean 'name'?\n",
        ),
    ],
)
def test_a_column_that_clashes_is_named_before_the_first_row(
    project: Path, failure_of: Text, *, options: tuple[str, ...], message: str, source: str, output: str
) -> None:
    before = sorted(project.iterdir())
    assert failure_of(*BATCH, source, "-o", output, *options) == message.format(source)
    assert sorted(project.iterdir()) == before


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--column", "error", "--on-error", "column"), "two new columns would have the name 'error'\n"),
        (
            ("--column", "tokens", "--tokens", "counts_of_columns:letters"),
            "two new columns would have the name 'tokens'",
        ),
        (("--rename", "title=name", "--rename", "text=name"), "two columns are renamed to 'name'"),
        (("--rename", "title=name", "--rename", "title=n"), "the column 'title' is renamed twice"),
        (("--column", ""), "a column needs a name"),
    ],
)
def test_names_that_cannot_be_used_together_are_wrong_usage(
    failure_of: Text, options: tuple[str, ...], message: str, output: str
) -> None:
    assert message in failure_of(*BATCH, "in.csv", "-o", output, *options, status=2)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("source", SOURCES)
def test_two_columns_for_a_variable_are_an_error(failure_of: Text, source: str, output: str) -> None:
    failure = failure_of(*BATCH, source, "-o", output, "--column", "made", "--rename", "title=name")
    assert "two columns" in failure
    assert "the variable 'name'" in failure


def test_rows_of_json_lines_may_have_a_renamed_column_later(project: Path, run: Callable[..., Any]) -> None:
    rows = [{"other": 1}, {"title": "Ada"}, {"name": "Bo"}, {"name": "Cy", "title": "Di"}]
    (project / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = ("in.jsonl", "--rename", "title=name", "--on-error", "column", "--batch-size", "1")
    assert run(*BATCH, *arguments, "-o", "out.jsonl").exit_code == 0
    made = [json.loads(line) for line in (project / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in made] == [None, "Hello Ada!", "Hello Bo!", None]
    assert made[3]["error"] == "row 3: two columns give the variable 'name'"


def test_a_row_without_a_column_is_an_error_of_that_row(project: Path, run: Callable[..., Any]) -> None:
    (project / "in.jsonl").write_text('{"name": "Ada"}\n{"other": 1}\n{}\n{"name": "Bo"}\n', encoding="utf-8")
    arguments = (*BATCH, "in.jsonl", "-o", "out.parquet", "--on-error", "column", "--batch-size", "1")
    assert run(*arguments).exit_code == 0
    rows = parquet.read_table(project / "out.parquet").to_pylist()
    assert [row["text"] for row in rows] == ["Hello Ada!", None, None, "Hello Bo!"]
    assert [row["error"] and row["error"][:7] for row in rows] == [None, "row 1: ", "row 2: ", None]


def test_rows_without_columns_are_not_lost_in_a_table(project: Path, failure_of: Text, result_of: Text) -> None:
    (project / "in.jsonl").write_text("{}\n{}\n", encoding="utf-8")
    arguments = ("batch", "fixed", "in.jsonl", "--to", "text", "-o")
    assert failure_of(*arguments, "out.parquet").startswith("in.jsonl has rows without columns, which a table")
    assert result_of(*arguments, "out.jsonl") == "out.jsonl: 2 rows\n"


@pytest.mark.parametrize("output", OUTPUTS)
def test_hints_name_options_of_the_command(project: Path, failure_of: Text, output: str) -> None:
    write_all(project, [{"nme": "Ada"}])
    failure = failure_of(*BATCH, "in.parquet", "-o", output)
    assert failure.endswith("hint: on the command line, pass --rename nme=name\n")
    assert "--on-error" not in failure
    failure = failure_of("batch", "greeting", "in.parquet", "--to", "anthropic", "-o", output)
    assert failure.endswith("hint: on the command line, batch has no such option; write the prompt with messages\n")


def test_a_hint_is_not_given_for_what_was_done(project: Path, failure_of: Text, run: Callable[..., Any]) -> None:
    write_all(project, [{"name": "Ada"}, {"name": None}])
    arguments = (*BATCH, "in.parquet", "-o", "out.jsonl", "--batch-size", "1")
    failure = failure_of(*arguments)
    assert "hint: on the command line, --on-error column puts the errors" in failure
    assert failure.endswith("  1 row is kept in out.jsonl.parts; go on with --resume\n")
    assert "--on-error" not in run(*BATCH, "in.parquet", "-o", "out.csv", "--on-error", "column").stderr
