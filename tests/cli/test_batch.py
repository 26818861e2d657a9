"""``batch``: files in and out, runs that are killed and go on, errors of rows, and wrong use."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import click
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet
from terminal import ENVIRONMENT, Terminal

from prompt_manager._providers import BATCH_TARGETS
from prompt_manager.cli.batch import batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

FILES = {
    "prompts/greeting.yaml": "template: 'Hello {{name}}, number {{n}}!'\n"
    "variables: {name: string, n: {type: integer, default: 7}}\n",
    "prompts/echo.yaml": "template: '{{name}}'\n",
    "prompts/triage.yaml": "messages:\n"
    "  - {role: system, content: You sort tickets.}\n"
    "  - {role: user, content: '{{#if vip}}VIP: {{/if}}{{ticket}}'}\n"
    "settings: {model: gpt-5, max_tokens: 500}\n",
}

ROWS = [{"id": 1, "name": "Ada", "n": 3}, {"id": 2, "name": 'G, "r"\nace', "n": None}, {"id": 3, "name": "", "n": 5}]
TEXTS = ["Hello Ada, number 3!", 'Hello G, "r"\nace, number 7!', "Hello , number 5!"]

ENDINGS = ["parquet", "arrow", "csv", "tsv", "jsonl"]


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write(FILES)


@pytest.fixture(params=["pyarrow", "polars"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The library for Parquet and Arrow; without pyarrow it is polars."""
    if request.param == "polars":
        hide(monkeypatch, "pyarrow")
    return str(request.param)


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let packages look as if they were not installed."""
    from prompt_manager.bulk import _counted
    from prompt_manager.cli.tables import library

    find = library.find_spec
    for module in (library, _counted):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name in names else find(name))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    kind = path.suffix.removeprefix(".")
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif kind in {"csv", "tsv"}:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        table = pa.Table.from_pylist(rows)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    kind = path.suffix.removeprefix(".")
    if kind == "jsonl":
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    if kind in {"csv", "tsv"}:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="," if kind == "csv" else "\t"))
    if kind == "parquet":
        return list(parquet.read_table(path).to_pylist())
    with pa.OSFile(str(path)) as file:
        return list(pa.ipc.open_file(file).read_all().to_pylist())


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ENDINGS)
@pytest.mark.parametrize("source", ENDINGS)
def test_every_format_goes_into_every_format(project: Path, result_of: Text, source: str, output: str) -> None:
    write_rows(project / f"in.{source}", ROWS)
    done = result_of("batch", "greeting", f"in.{source}", "-o", f"out.{output}", "--to", "text", "--batch-size", "2")
    assert done == f"out.{output}: 3 rows\n"
    rows = read_rows(project / f"out.{output}")
    assert [row["text"] for row in rows] == TEXTS
    assert [(str(row["id"]), row["name"]) for row in rows] == [(str(row["id"]), row["name"]) for row in ROWS]
    assert list(rows[0]) == ["id", "name", "n", "text"]
    assert not (project / f"out.{output}.parts").exists()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_the_types_of_columns_stay(project: Path, result_of: Text, ending: str) -> None:
    write_rows(project / f"in.{ending}", ROWS)
    result_of("batch", "greeting", f"in.{ending}", "-o", f"out.{ending}", "--to", "text", "--batch-size", "2")
    read = pl.read_parquet if ending == "parquet" else pl.read_ipc
    schema = read(project / f"out.{ending}").schema
    assert [schema[name] for name in ("id", "name", "n", "text")] == [pl.Int64, pl.String, pl.Int64, pl.String]


#: Texts with what ends, quotes or separates cells.
ODD_TEXTS = [
    "a\rb",
    "\r",
    "a\r\nb",
    "\r\n",
    "\n",
    'say "hi"',
    '"',
    "a,b",
    "a\tb",
    " a ",
    "",
    "null",
    "\u2028",
    "\x85",
    "a\x00b",
]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("size", ["2", "100"])
def test_every_cell_of_a_csv_file_reads_back_equal(project: Path, result_of: Text, ending: str, size: str) -> None:
    from pyarrow import csv as arrow_csv

    columns = ["name", "a\rcolumn", "text"]
    write_rows(project / "in.jsonl", [{"name": text, "a\rcolumn": text} for text in ODD_TEXTS])
    result_of("batch", "echo", "in.jsonl", "-o", f"out.{ending}", "--to", "text", "--batch-size", size)
    expected = [dict.fromkeys(columns, text) for text in ODD_TEXTS]
    assert read_rows(project / f"out.{ending}") == expected
    table = arrow_csv.read_csv(
        project / f"out.{ending}",
        parse_options=arrow_csv.ParseOptions(delimiter="," if ending == "csv" else "\t", newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
    )
    assert table.to_pylist() == expected
    # The file is an input as well.
    result_of("batch", "echo", f"out.{ending}", "-o", "again.jsonl", "--to", "text", "--column", "again")
    assert [row["again"] for row in read_rows(project / "again.jsonl")] == ODD_TEXTS


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet"])
def test_a_uuid_of_digits_in_a_csv_file_is_a_text(project: Path, result_of: Text, write: Write, output: str) -> None:
    number = "1" * 32
    write({"prompts/ids.yaml": "template: '{{id}}'\nvariables: {id: uuid}\n", "in.csv": f"id\n{number}\n"})
    result_of("batch", "ids", "in.csv", "-o", f"out.{output}", "--to", "text")
    assert read_rows(project / f"out.{output}") == [{"id": number, "text": number}]


def test_json_lines_have_requests_as_objects_and_keep_digits(project: Path, result_of: Text) -> None:
    big = 123456789012345678901234567890
    write_rows(
        project / "in.jsonl", [{"id": big, "ticket": "Fire", "vip": True}, {"id": 0.1, "ticket": "Hi", "vip": 0}]
    )
    result_of("batch", "triage", "in.jsonl", "-o", "out.jsonl", "--to", "openai-request", "--model", "gpt-5-mini")
    first, second = read_rows(project / "out.jsonl")
    assert (first["id"], second["id"]) == (big, 0.1)
    assert first["request"] == {
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "You sort tickets."},
            {"role": "user", "content": "VIP: Fire"},
        ],
        "max_completion_tokens": 500,
    }


@pytest.mark.parametrize("to", BATCH_TARGETS)
def test_every_target_is_that_of_the_manager(project: Path, result_of: Text, to: str) -> None:
    from prompt_manager import PromptManager

    rows = [{"ticket": "Fire", "vip": True}, {"ticket": "Hi", "vip": False}]
    write_rows(project / "in.parquet", rows)
    result_of("batch", "triage", "in.parquet", "-o", "out.jsonl", "--to", to, "--column", "made")
    manager = PromptManager.from_directory_sync("prompts")
    made = [row["made"] for row in read_rows(project / "out.jsonl")]
    assert made == manager.render_batch("triage", rows, to=to)
    result_of("batch", "triage", "in.parquet", "-o", "out.parquet", "--to", to, "--column", "made")
    if to not in {"text", "messages"}:
        assert [json.loads(row["made"]) for row in read_rows(project / "out.parquet")] == made


def test_the_targets_are_those_of_manager_batch() -> None:
    [to] = [option for option in batch.params if "--to" in option.opts]
    assert isinstance(to.type, click.Choice)
    assert tuple(to.type.choices) == BATCH_TARGETS


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ENDINGS)
def test_rows_that_fail_are_reported_with_their_numbers(project: Path, run: Callable[..., Any], output: str) -> None:
    rows = [{"name": None if number % 4 == 3 else f"N{number}"} for number in range(50)]
    write_rows(project / "in.parquet", rows)
    arguments = ("batch", "greeting", "in.parquet", "-o", f"out.{output}", "--to", "text", "--batch-size", "10")
    done = run(*arguments, "--on-error", "column")
    assert (done.exit_code, done.stdout) == (0, f"out.{output}: 50 rows\n")
    first, *lines = done.stderr.splitlines()
    assert first == "warning: 12 rows have an error"
    assert [line.split(":")[0] for line in lines] == [*(f"  row {n}" for n in range(3, 43, 4)), "  and 2 more"]
    made = read_rows(project / f"out.{output}")
    assert [n for n, row in enumerate(made) if row["error"]] == list(range(3, 50, 4))
    assert made[47]["error"].startswith("row 47: ")
    assert made[47]["text"] in {None, ""}


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ["parquet", "jsonl"])
def test_the_first_row_that_fails_ends_the_run_and_the_next_goes_on(
    project: Path, failure_of: Text, write: Write, output: str
) -> None:
    write_rows(project / "in.parquet", [{"name": None if number == 33 else f"N{number}"} for number in range(50)])
    arguments = ("batch", "greeting", "in.parquet", "-o", f"out.{output}", "--to", "text", "--batch-size", "10")
    failure = failure_of(*arguments)
    assert failure.startswith("row 33: ")
    assert f"30 rows are kept in out.{output}.parts; go on with --resume" in failure
    assert not (project / f"out.{output}").exists()
    assert "go on with --resume, or delete the directory" in failure_of(*arguments)
    assert failure_of(*arguments, "--resume", "--on-error", "column").startswith(
        f"the rows in out.{output}.parts were made with another value of --on-error\n"
    )
    changed = FILES["prompts/greeting.yaml"].replace("Hello", "Good morning")
    write({"prompts/greeting.yaml": changed})
    assert "with another version of the prompt" in failure_of(*arguments, "--resume")
    write(FILES)
    assert failure_of(*arguments, "--resume").startswith("row 33: ")


def test_a_report_can_be_json(project: Path, run: Callable[..., Any]) -> None:
    write_rows(project / "in.jsonl", [{"name": "Ada"}, {}])
    done = run("batch", "greeting", "in.jsonl", "-o", "o.csv", "--to", "text", "--on-error", "column", "--json")
    report = json.loads(done.stdout)
    (error,) = report.pop("errors")
    assert report == {"output": "o.csv", "rows": 2, "resumed": 0, "failed": 1}
    assert (error["row"], error["error"][:7]) == (1, "row 1: ")


#: A helper that takes its time, so that a process can be killed in the middle.
SLOW = """
import time
from prompt_manager import PromptManager, TemplateEngine

def slow(text):
    time.sleep(0.002)
    return text

engine = TemplateEngine()
engine.register_helper("slow", slow)
manager = PromptManager(template_engine=engine)
"""


def start(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "prompt_manager", *arguments],
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


@pytest.fixture
def slow(project: Path, write: Write) -> tuple[str, ...]:
    """The arguments of a run that takes a second."""
    write(
        {
            "slow_app.py": SLOW,
            "pyproject.toml": '[tool.prompt-manager]\napp = "slow_app:manager"\n',
            "prompts/slow.yaml": "template: 'Hello {{slow name}}!'\n",
        }
    )
    write_rows(project / "in.parquet", [{"name": f"N{number}" if number % 90 else None} for number in range(500)])
    return ("batch", "slow", "in.parquet", "--to", "text", "--batch-size", "50", "--on-error", "column")


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
@pytest.mark.parametrize("output", ["parquet", "arrow", "csv", "jsonl"])
def test_a_killed_run_goes_on_and_gives_the_same_file(project: Path, slow: tuple[str, ...], output: str) -> None:
    undisturbed = start(project, *slow, "-o", f"whole.{output}")
    undisturbed.communicate(timeout=120)
    assert undisturbed.returncode == 0
    (out, parts) = (project / f"out.{output}", project / f"out.{output}.parts")
    for number in (2, 5):
        killed = start(project, *slow, "-o", out.name, "--resume", "--json")
        wait_for(parts / f"{number:06}")
        killed.kill()
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert not out.exists()
    last = start(project, *slow, "-o", out.name, "--resume", "--json")
    report, _ = last.communicate(timeout=120)
    assert last.returncode == 0
    found = json.loads(report)
    assert (found["rows"], found["failed"], len(found["errors"])) == (500, 6, 6)
    assert found["resumed"] >= 200
    assert out.read_bytes() == (project / f"whole.{output}").read_bytes()
    assert not parts.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently on Windows")
def test_an_interrupt_keeps_the_complete_parts(project: Path, slow: tuple[str, ...]) -> None:
    running = start(project, *slow, "-o", "out.jsonl")
    wait_for(project / "out.jsonl.parts" / "000002")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, b"")
    assert b"rows are kept in out.jsonl.parts; go on with --resume" in err
    assert b"Traceback" not in err
    assert not (project / "out.jsonl").exists()


def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(project: Path, slow: tuple[str, ...]) -> None:
    terminal = Terminal(*slow, "-o", "out.jsonl", directory=project)
    terminal.wait_for("100 of 500 rows (20 %)")
    status, written = terminal.end()
    assert (status, "out.jsonl: 500 rows" in written) == (0, True)
    piped = start(project, *slow, "-o", "out.csv")
    out, err = piped.communicate(timeout=60)
    assert out == b"out.csv: 500 rows\n"
    assert err.startswith(b"warning: 6 rows have an error\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv", "-o", "out.csv"), "cannot read none.csv: there is no such file"),
        (("in.csv", "-o", "gone/out.csv"), "cannot write gone/out.csv: there is no directory 'gone'"),
        (("in.csv", "-o", "out.csv", "--column", "name"), "in.csv already has a column 'name'"),
        (("in.csv", "-o", "out.csv", "--rename", "b=name"), "--rename names the column 'b', which in.csv does not"),
        (("in.csv", "-o", "out.csv", "--rename", "name=n"), "in.csv has two columns for the variable 'n'"),
        (("other.csv", "-o", "out.csv"), "other.csv has no column for the variable 'name'"),
        (("twice.csv", "-o", "out.csv"), "the header of twice.csv has the column 'name' twice"),
        (("ragged.csv", "-o", "out.csv"), "the row that ends in line 3 of ragged.csv has 2 cells, but the header"),
        (("quote.csv", "-o", "out.csv"), "line 2 of quote.csv is not CSV: "),
        (("latin.csv", "-o", "out.csv"), "latin.csv is not UTF-8"),
        (("list.jsonl", "-o", "out.csv"), "line 1 of list.jsonl is not a JSON object"),
        (("cut.jsonl", "-o", "out.csv"), "line 2 of cut.jsonl is not JSON: expecting"),
        (("mixed.jsonl", "-o", "out.parquet"), "the column 'more' has values of several types"),
        (("wrong.jsonl", "-o", "out.parquet"), "row 1: variable 'n' of prompt 'greeting' must be of type integer"),
        (("cut.parquet", "-o", "out.csv"), "cannot read cut.parquet: "),
    ],
)
def test_files_that_cannot_be_used_are_errors(
    project: Path, failure_of: Text, write: Write, arguments: tuple[str, ...], message: str
) -> None:
    write(
        {
            "in.csv": "name,n\nAda,1\n",
            "other.csv": "nome\nAda\n",
            "twice.csv": "name,name\nAda,Bo\n",
            "ragged.csv": "name\nAda\nBo,Cy\n",
            "quote.csv": 'name\n"Ada\n',
            "list.jsonl": "[1]\n",
            "cut.jsonl": '{"name": "Ada"}\n{"name": \n',
            "mixed.jsonl": '{"name": "Ada", "more": 1}\n{"name": "Bo", "more": "x"}\n',
            "wrong.jsonl": '{"name": "Ada", "n": 1}\n{"name": "Bo", "n": "x"}\n',
            "cut.parquet": "PAR1",
        }
    )
    (project / "latin.csv").write_bytes("name\nJörg\n".encode("latin-1"))
    before = sorted(project.iterdir())
    assert message in failure_of("batch", "greeting", *arguments, "--to", "text")
    assert sorted(project.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("in.xls", "-o", "out.csv"), "'in.xls' does not end in one of .parquet,"),
        (("in.csv", "-o", "out"), "'out' does not end in one of .parquet,"),
        (("in.csv", "-o", "out.csv", "--rename", "a"), "'a' must be written as COLUMN=VARIABLE"),
    ],
)
def test_arguments_that_cannot_be_used_are_wrong_usage(
    failure_of: Text, arguments: tuple[str, ...], message: str
) -> None:
    assert message in failure_of("batch", "greeting", *arguments, "--to", "text", status=2)


def test_without_a_library_parquet_says_what_to_install(
    project: Path, failure_of: Text, result_of: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows(project / "in.parquet", ROWS)
    write_rows(project / "in.csv", ROWS)
    hide(monkeypatch, "pyarrow", "polars")
    expected = "reading in.parquet needs pyarrow or polars\n  hint: pip install pyarrow\n"
    assert failure_of("batch", "greeting", "in.parquet", "-o", "out.csv", "--to", "text") == expected
    expected = expected.replace("reading in.parquet", "writing .parquet files")
    assert failure_of("batch", "greeting", "in.csv", "-o", "out.parquet", "--to", "text") == expected
    assert result_of("batch", "greeting", "in.csv", "-o", "out.jsonl", "--to", "text") == "out.jsonl: 3 rows\n"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ENDINGS)
@pytest.mark.parametrize("source", ["parquet", "csv"])
def test_a_file_without_rows_gives_one_without_rows(project: Path, result_of: Text, source: str, output: str) -> None:
    table = pa.table({"name": pa.array([], pa.string())})
    parquet.write_table(table, project / "in.parquet")
    (project / "in.csv").write_text("name\n", encoding="utf-8")
    done = result_of("batch", "greeting", f"in.{source}", "-o", f"out.{output}", "--to", "text")
    assert (done, read_rows(project / f"out.{output}")) == (f"out.{output}: 0 rows\n", [])


def test_columns_of_other_rows_are_empty_or_null(project: Path, result_of: Text) -> None:
    write_rows(project / "in.jsonl", [{"name": "Ada", "n": 1}, {"name": "Bo", "note": "x"}])
    for output in ("csv", "parquet"):
        arguments = ("batch", "greeting", "in.jsonl", "-o", f"out.{output}", "--to", "text", "--batch-size", "1")
        result_of(*arguments)
        empty = "" if output == "csv" else None
        n = "1" if output == "csv" else 1
        assert read_rows(project / f"out.{output}") == [
            {"name": "Ada", "n": n, "text": "Hello Ada, number 1!", "note": empty},
            {"name": "Bo", "n": empty, "text": "Hello Bo, number 7!", "note": "x"},
        ]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ENDINGS)
def test_half_a_surrogate_pair_is_the_error_of_its_row(
    project: Path, run: Callable[..., Any], failure_of: Text, write: Write, output: str
) -> None:
    write({"counts_of_batch.py": COUNTS})
    lines = [
        '{"name": "😀"}',
        '{"name": "\\ud83d 😀"}',
        '{"name": "\\ud83d\\ude00"}',
        '{"name": "a", "x": ["\\uDC00"]}',
    ]
    (project / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    arguments = ("batch", "echo", "in.jsonl", "-o", f"out.{output}", "--to", "text", "--batch-size", "3")
    done = run(*arguments, "--tokens", "counts_of_batch:length", "--on-error", "column")
    expected = "row {}: the value of {!r} is a text with half a surrogate pair, which is not a character"
    errors = [expected.format(1, "name"), expected.format(3, "x")]
    assert (done.exit_code, done.stderr) == (0, "warning: 2 rows have an error\n" + "".join(f"  {e}\n" for e in errors))
    rows = read_rows(project / f"out.{output}")
    assert [row["text"] or None for row in rows] == ["😀", None, "😀", None]
    assert [row["error"] or None for row in rows] == [None, errors[0], None, errors[1]]
    assert [row["tokens"] in {None, ""} for row in rows] == [False, True, False, True]
    # JSON has an escape for it. Elsewhere, the text of the escape takes its place.
    assert rows[1]["name"] == ("\ud83d 😀" if output == "jsonl" else "\\ud83d 😀")
    assert failure_of(*arguments).startswith(f"{errors[0]}\n")


TYPED = {
    "integer": ("integer", "1", "xx"),
    "boolean": ("boolean", "true", "yes"),
    "list": ("list", "[1]", "xx"),
    "enum": ("{type: enum, values: [1, 2]}", "1", "xx"),
}


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("case", TYPED.values(), ids=TYPED)
def test_a_cell_of_another_type_is_the_error_of_its_row(
    project: Path, run: Callable[..., Any], failure_of: Text, write: Write, case: tuple[str, str, str]
) -> None:
    kind, good, bad = case
    write({"prompts/typed.yaml": f"template: 'No. {{{{n}}}}'\nvariables: {{n: {kind}}}\n"})
    write({"in.csv": f"id,n\na,{good}\nb,{bad}\nc,{good}\n"})
    arguments = ("batch", "typed", "in.csv", "--to", "text", "--batch-size", "2", "-o")
    failure = failure_of(*arguments, "failed.parquet")
    assert failure.startswith("row 1: variable 'n' of prompt 'typed' must be ")
    errors = [run(*arguments, f"out.{ending}", "--on-error", "column").stderr for ending in ("parquet", "jsonl")]
    assert errors[0] == errors[1]
    rows = read_rows(project / "out.parquet")
    text = f"No. {good.strip('[]')}"
    assert [(row["id"], row["text"]) for row in rows] == [("a", text), ("b", None), ("c", text)]
    assert [row["n"] for row in rows] == [json.loads(good), None, json.loads(good)]
    assert [row["error"] and row["error"][:7] for row in rows] == [None, "row 1: ", None]


@pytest.mark.usefixtures("library")
def test_a_row_without_a_variable_has_the_same_error_in_each_format(project: Path, run: Callable[..., Any]) -> None:
    write_rows(project / "in.jsonl", [{"name": "Ada"}, {"n": 1}, {"name": None}])
    errors = []
    for output in ("jsonl", "parquet"):
        arguments = ("batch", "greeting", "in.jsonl", "-o", f"out.{output}", "--to", "text", "--on-error", "column")
        assert run(*arguments).exit_code == 0
        errors.append([row["error"] for row in read_rows(project / f"out.{output}")])
    assert errors[0] == errors[1]
    assert errors[0][1] == "row 1: Missing variable 'name' for prompt 'greeting'"


@pytest.mark.parametrize("output", ["jsonl", "parquet"])
@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
def test_a_default_of_the_schema_stands_in_for_a_missing_column(
    project: Path, result_of: Text, write: Write, source: str, output: str
) -> None:
    fields = [{"name": "name", "type": "string"}, {"name": "city", "type": "string", "default": "Paris"}]
    prompt = {"template": "{{name}} in {{city}}", "variables": {"name": "string", "city": "string"}}
    written = {
        "prompts/at.yaml": {"id": "at", "input_schema": "place", **prompt},
        "schemas/all.yaml": {"schemas": [{"name": "place", "fields": fields}]},
    }
    write({name: json.dumps(content) for name, content in written.items()})
    write_rows(project / f"in.{source}", [{"name": "Ada"}])
    arguments = (f"in.{source}", "-o", f"out.{output}", "--to", "text", "--schemas", "schemas")
    result_of("batch", "at", *arguments)
    assert [row["text"] for row in read_rows(project / f"out.{output}")] == ["Ada in Paris"]


def test_a_text_that_is_not_utf_8_is_an_error(project: Path, failure_of: Text, run: Callable[..., Any]) -> None:
    names = pa.array([b"Ada", b"Gr\xffce"]).cast(pa.string(), safe=False)
    parquet.write_table(pa.table({"name": names}), project / "in.parquet")
    arguments = ("batch", "greeting", "in.parquet", "--to", "text", "--on-error", "column", "-o")
    assert "not UTF-8\n  hint: write the result to a .parquet" in failure_of(*arguments, "out.csv")
    assert run(*arguments, "out.parquet").exit_code == 0
    assert parquet.read_table(project / "out.parquet")["text"].to_pylist() == ["Hello Ada, number 7!", None]


def test_an_output_may_be_a_link_to_a_file_and_no_pipe(project: Path, failure_of: Text, result_of: Text) -> None:
    write_rows(project / "in.csv", ROWS)
    (project / "disk").mkdir()
    (project / "disk/target.jsonl").touch()
    (project / "out.jsonl").symlink_to(project / "disk/target.jsonl")
    result_of("batch", "greeting", "in.csv", "-o", "out.jsonl", "--to", "text")
    assert (project / "out.jsonl").is_symlink()
    assert len(read_rows(project / "disk/target.jsonl")) == len(ROWS)
    assert [path.name for path in (project / "disk").iterdir()] == ["target.jsonl"]
    os.mkfifo(project / "pipe.jsonl")
    failure = failure_of("batch", "greeting", "in.csv", "-o", "pipe.jsonl", "--to", "text")
    assert failure.startswith("cannot write pipe.jsonl: it is a device or a pipe")


@pytest.mark.usefixtures("library")
def test_a_number_for_a_text_in_json_lines_is_the_error_of_its_row(project: Path, run: Callable[..., Any]) -> None:
    write_rows(project / "in.jsonl", [{"name": "Ada", "n": 1}, {"name": 5, "n": 1}, {"name": "Bo", "n": "x"}])
    arguments = ("batch", "greeting", "in.jsonl", "-o", "out.parquet", "--to", "text", "--on-error", "column")
    assert run(*arguments).exit_code == 0
    rows = read_rows(project / "out.parquet")
    assert [row["text"] for row in rows] == ["Hello Ada, number 1!", None, None]
    assert [row["name"] for row in rows] == ["Ada", None, "Bo"]
    assert rows[2]["error"].startswith("row 2: variable 'n' of prompt 'greeting' must be of type integer")


def test_half_a_surrogate_pair_in_a_key_is_an_error_with_its_line(project: Path, failure_of: Text) -> None:
    (project / "in.jsonl").write_text('{"name": "Ada"}\n{"\\ud83d": 1}\n', encoding="utf-8")
    expected = "line 2 of in.jsonl has a key with half a surrogate pair, which is not a character\n"
    assert failure_of("batch", "echo", "in.jsonl", "-o", "out.csv", "--to", "text") == expected


def test_values_that_json_does_not_have_are_written_as_texts(project: Path, result_of: Text) -> None:
    from datetime import UTC, date, datetime
    from decimal import Decimal

    rows = [{"name": "Ada", "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, tzinfo=UTC), "price": Decimal("1.50")}]
    table = pa.Table.from_pylist([{**rows[0], "raw": b"\xff", "score": float("nan")}])
    parquet.write_table(table, project / "in.parquet")
    result_of("batch", "greeting", "in.parquet", "-o", "out.jsonl", "--to", "text")
    (row,) = read_rows(project / "out.jsonl")
    shown = {"day": "2026-01-02", "at": "2026-01-02T00:00:00+00:00", "price": "1.50", "raw": "/w==", "score": None}
    assert {name: row[name] for name in shown} == shown


COUNTS = """
def words(text):
    return len(text.split())

def length(text):
    return len(text)

def odd(text):
    if "Bo" in text:
        raise KeyError("no number for Bo")
    return {"Ada": 3, "Cy": None, "Di": 1.5, "Ed": -1, "Flo": True, "Gus": 2**64}[text]

number = 3
"""


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ENDINGS)
def test_tokens_are_counted_by_code_of_the_project(
    project: Path, run: Callable[..., Any], write: Write, output: str
) -> None:
    write({"counts_of_batch.py": COUNTS})
    write_rows(project / "in.parquet", [{"name": name} for name in ("Ada", "Ada King", "Ada King Lovelace")])
    arguments = ("greeting", "in.parquet", "-o", f"out.{output}", "--to", "text", "--batch-size", "2")
    counts = ("--tokens", "counts_of_batch:words", "--max-tokens", "5", "--on-error", "column")
    done = run("batch", *arguments, *counts)
    assert done.stderr == ("warning: 1 row has an error\n  row 2: the result has 6 tokens, and `max_tokens` is 5\n")
    rows = read_rows(project / f"out.{output}")
    assert list(rows[0]) == ["name", "text", "tokens", "error"]
    assert [int(row["tokens"]) for row in rows] == [4, 5, 6]
    assert rows[2]["text"] in {None, ""}
    failed = run("batch", *arguments, "--tokens", "counts_of_batch:words", "--max-tokens", "5")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: row 2: the result has 6 tokens, and `max_tokens` is 5\n")


#: A picture, of which Bedrock takes the bytes, and a history with a call of a tool.
PICTURE = """
messages:
  - {role: system, content: "Answer {{name}}."}
  - {role: placeholder, name: history}
  - role: user
    content:
      - {type: text, text: "What is this?"}
      - {type: image, media_type: image/png, data: iVBORw0KGgo=}
tools:
  - {name: find, description: Finds, parameters: {type: object, properties: {a: {type: integer}}, required: [a]}}
settings: {model: some-model, max_tokens: 500}
"""
HISTORY = [
    {"role": "user", "content": "Look it up: café"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "42"},
    {"role": "assistant", "content": "It is 42."},
]


@pytest.mark.parametrize("to", [to for to in BATCH_TARGETS if to != "text"])
def test_tokens_do_not_depend_on_the_format_of_the_file(project: Path, result_of: Text, write: Write, to: str) -> None:
    write({"counts_of_batch.py": COUNTS, "prompts/picture.yaml": PICTURE})
    write_rows(project / "in.jsonl", [{"name": "Zoë", "history": HISTORY}, {"name": "Ada", "history": []}])
    counts = set()
    for output in ("parquet", "csv", "jsonl"):
        arguments = ("batch", "picture", "in.jsonl", "-o", f"out.{output}", "--to", to)
        result_of(*arguments, "--tokens", "counts_of_batch:length")
        counts.add(tuple(int(row["tokens"]) for row in read_rows(project / f"out.{output}")))
    assert len(counts) == 1


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("output", ["parquet", "jsonl"])
def test_a_counter_that_fails_is_the_error_of_its_row(
    project: Path, run: Callable[..., Any], write: Write, output: str
) -> None:
    write({"counts_of_batch.py": COUNTS})
    write_rows(project / "in.jsonl", [{"name": name} for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus")])
    arguments = ("batch", "echo", "in.jsonl", "-o", f"out.{output}", "--to", "text", "--batch-size", "3")
    counter = ("--tokens", "counts_of_batch:odd", "--max-tokens", "5")
    assert run(*arguments, *counter, "--on-error", "column").exit_code == 0
    rows = read_rows(project / f"out.{output}")
    assert [row["tokens"] for row in rows] == [3, None, None, None, None, None, None]
    assert [row["text"] for row in rows] == ["Ada", None, None, None, None, None, None]
    wrong = "the function that counts tokens must return their number, and not"
    assert [row["error"] for row in rows] == [
        None,
        "row 1: the tokens cannot be counted: KeyError: 'no number for Bo'",
        *(f"row {number}: {wrong} {found}" for number, found in enumerate(("None", 1.5, -1, True, 2**64), 2)),
    ]
    failed = run(*arguments, *counter)
    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: row 1: the tokens cannot be counted: KeyError: 'no number for Bo'\n")


@pytest.mark.parametrize(
    ("counter", "message"),
    [
        ("words", "--tokens must be tiktoken:ENCODING or MODULE:FUNCTION"),
        ("no_such_module:words", "--tokens no_such_module:words cannot be used: ModuleNotFoundError: No module"),
        ("counts_of_batch:letters", "has no attribute 'letters'"),
        ("counts_of_batch:number", "--tokens counts_of_batch:number is no function"),
        ("tiktoken:nothing", "--tokens tiktoken:nothing cannot be used: ValueError: Unknown encoding nothing"),
        ("broken_counts:words", "--tokens broken_counts:words cannot be used: RuntimeError: not today"),
    ],
)
def test_a_counter_that_does_not_exist_is_wrong_usage(
    project: Path, failure_of: Text, write: Write, counter: str, message: str
) -> None:
    write({"counts_of_batch.py": COUNTS, "broken_counts.py": "raise RuntimeError('not today')\n"})
    write_rows(project / "in.jsonl", ROWS)
    arguments = ("batch", "greeting", "in.jsonl", "-o", "o.csv", "--to", "text")
    assert message in failure_of(*arguments, "--tokens", counter, status=2)
    assert "--max-tokens needs --tokens" in failure_of(*arguments, "--max-tokens", "3", status=2)
