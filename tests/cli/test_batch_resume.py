"""``batch``: what may be in ``OUTPUT.parts``, with what a run goes on, and which files it never touches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from terminal import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Text = Callable[..., str]
    Write = Callable[[dict[str, str]], None]

#: The third row cannot be rendered, so that a run keeps two.
ROWS = '{"name": "Ada"}\n{"name": "Bo"}\n{"name":  3}\n'
BATCH = ("batch", "greeting", "in.jsonl", "--to", "text", "--batch-size", "1")


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write({"prompts/greeting.yaml": "template: Hello {{name}}!\nvariables: {name: string}\n", "in.jsonl": ROWS})


@pytest.fixture
def parts(project: Path, failure_of: Text) -> Path:
    """The parts of a run that ended after two rows."""
    assert "2 rows are kept in out.jsonl.parts" in failure_of(*BATCH, "-o", "out.jsonl")
    return project / "out.jsonl.parts"


def content_of(directory: Path) -> dict[str, bytes | None]:
    """What is in a directory, by path."""
    found = sorted(directory.rglob("*"))
    return {str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None for path in found}


@pytest.mark.parametrize("name", ["notes.txt", "000000", "state.json"])
@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_directory_of_someone_else_is_left_alone(
    project: Path, write: Write, failure_of: Text, name: str, resume: tuple[str, ...]
) -> None:
    write({f"out.jsonl.parts/{name}": '{"task": {}, "parts": 0, "rows": 0}'})
    before = content_of(project)
    failure = failure_of(*BATCH, "-o", "out.jsonl", *resume)
    assert failure.startswith("cannot keep the rows of out.jsonl in out.jsonl.parts: it")
    assert "hint: move it to another place, or choose another --output" in failure
    assert content_of(project) == before


def test_a_file_or_a_link_in_place_of_the_parts_is_left_alone(project: Path, write: Write, failure_of: Text) -> None:
    write({"a.jsonl.parts": "mine", "folder/notes.txt": "mine"})
    (project / "b.jsonl.parts").symlink_to("folder")
    for output in ("a.jsonl", "b.jsonl"):
        failure = failure_of(*BATCH, "-o", output, "--resume")
        assert failure.startswith(f"cannot keep the rows of {output} in {output}.parts: it is no directory\n")
    assert (project / "a.jsonl.parts").read_text() == "mine"
    assert (project / "folder/notes.txt").read_text() == "mine"


def test_a_file_among_the_parts_is_not_removed(parts: Path, failure_of: Text) -> None:
    (parts / "notes.txt").write_text("mine")
    assert "it has 'notes.txt', which this command did not write" in failure_of(*BATCH, "-o", "out.jsonl", "--resume")
    assert (parts / "notes.txt").read_text() == "mine"


def test_an_empty_directory_is_used(project: Path, result_of: Text, write: Write) -> None:
    write({"in.jsonl": '{"name": "Ada"}\n'})
    (project / "out.jsonl.parts").mkdir()
    assert result_of(*BATCH, "-o", "out.jsonl") == "out.jsonl: 1 row\n"
    assert not (project / "out.jsonl.parts").exists()


DAMAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "half": (lambda state: json.dumps(state)[:40], "state.json: it is not JSON"),
    "not UTF-8": (lambda _: b"\xff\xfe\xfd", "state.json: it is not JSON"),
    "another version": (lambda state: {**state, "format": 2}, "state.json: another version of prompt-manager wrote it"),
    "no task": (lambda state: {**state, "task": None}, "state.json: it is incomplete"),
    "no errors": (lambda state: {**state, "errors": 5}, "state.json: it is incomplete"),
    "odd errors": (lambda state: {**state, "errors": [["a", 3]]}, "state.json: 'errors' has something else"),
    "text for rows": (lambda state: {**state, "rows": "2"}, "state.json: 'rows' is no number"),
    "fewer than none": (lambda state: {**state, "parts": -1}, "state.json: 'parts' is no number"),
    "too many parts": (lambda state: {**state, "parts": 3}, "000002: the file is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_an_error_that_deletes_nothing(parts: Path, failure_of: Text, damage: str) -> None:
    change, message = DAMAGES[damage]
    state = parts / "state.json"
    changed = change(json.loads(state.read_bytes()))
    text = changed if isinstance(changed, (str, bytes)) else json.dumps(changed)
    state.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = content_of(parts)
    failure = failure_of(*BATCH, "-o", "out.jsonl", "--resume")
    assert message in failure
    assert "hint: delete out.jsonl.parts, and begin again without --resume" in failure
    assert content_of(parts) == before


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("state.json", "directory", "out.jsonl.parts/state.json: Is a directory"),
        ("000001", "directory", "out.jsonl.parts/000001: the file is missing"),
        ("000001", "missing", "out.jsonl.parts/000001: the file is missing"),
        ("000001", "cut", "out.jsonl.parts: a part was cut or changed"),
    ],
)
def test_a_damaged_part_is_an_error_that_deletes_nothing(
    parts: Path, failure_of: Text, name: str, damage: str, message: str
) -> None:
    file = parts / name
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-3])
    else:
        file.unlink()
    if damage == "directory":
        file.mkdir()
    before = content_of(parts)
    failure = failure_of(*BATCH, "-o", "out.jsonl", "--resume")
    assert message in failure
    assert "hint: delete out.jsonl.parts, and begin again without --resume" in failure
    assert content_of(parts) == before


def correct_row(project: Path) -> None:
    """Give the third row a name, in a file that has the same size and time."""
    path = project / "in.jsonl"
    times = path.stat()
    path.write_text(ROWS.replace("  3", '"3"'), encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size


def test_a_part_of_parquet_with_other_bytes_is_an_error(project: Path, failure_of: Text) -> None:
    assert "2 rows are kept" in failure_of(*BATCH, "-o", "out.parquet")
    part = project / "out.parquet.parts" / "000000"
    part.write_bytes(b"\0" * part.stat().st_size)
    correct_row(project)
    failure = failure_of(*BATCH, "-o", "out.parquet", "--resume")
    assert failure.startswith("cannot read out.parquet.parts/000000: ")
    assert not (project / "out.parquet").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_keeps_what_was_complete(parts: Path, project: Path, failure_of: Text, result_of: Text) -> None:
    correct_row(project)
    (parts / "000002").symlink_to("/dev/full")
    failure = failure_of(*BATCH, "-o", "out.jsonl", "--resume")
    assert failure.startswith("cannot write out.jsonl: No space left on device\n")
    assert "2 rows are kept" in failure
    assert not (project / "out.jsonl").exists()
    (parts / "000002").unlink()
    assert result_of(*BATCH, "-o", "out.jsonl", "--resume") == "out.jsonl: 3 rows\n"
    assert not parts.exists()


@pytest.mark.parametrize(
    "output", ["in.jsonl", "../project/in.jsonl", "folder/../in.jsonl", "soft.jsonl", "hard.jsonl"]
)
def test_the_input_is_never_replaced(project: Path, failure_of: Text, output: str) -> None:
    (project / "folder").mkdir()
    (project / "soft.jsonl").symlink_to("in.jsonl")
    (project / "hard.jsonl").hardlink_to(project / "in.jsonl")
    before = content_of(project)
    expected = f"{output} is the input, which the output would replace\n  hint: choose another --output\n"
    assert failure_of(*BATCH, "-o", output) == expected
    assert content_of(project) == before
    assert (project / "soft.jsonl").is_symlink()


def test_a_directory_as_output_is_refused_before_the_first_row(project: Path, failure_of: Text) -> None:
    (project / "out.jsonl").mkdir()
    assert failure_of(*BATCH, "-o", "out.jsonl").startswith("cannot write out.jsonl: it is a directory\n")
    assert not (project / "out.jsonl.parts").exists()


COUNTS = """
words = lambda text: len(text.split())

class Letters:
    def __call__(self, text):
        return len(text)

letters = Letters()
"""

APP = """
from prompt_manager import PromptManager, TemplateEngine

def loud(text):
    return text.upper()

engine = TemplateEngine()
engine.register_helper("loud", loud)
engine.register_helper("quiet", lambda text: text.lower())
engine.register_partial("greeting", "Hello")
manager = PromptManager(template_engine=engine)
"""

PROJECT = {
    "pyproject.toml": '[tool.prompt-manager]\napp = "app_of_resume:manager"\n',
    "app_of_resume.py": APP,
    "counts_of_resume.py": COUNTS,
    "prompts/loud.yaml": "template: '{{> greeting}} {{loud name}} {{quiet name}}!'\nvariables: {name: string}\n",
}
LOUD = ("batch", "loud", *BATCH[2:], "-o", "out.jsonl", "--tokens", "counts_of_resume:words")


@pytest.mark.parametrize(
    ("change", "options", "difference"),
    [
        ({}, ("--to", "openai"), "value of --to"),
        ({}, ("--batch-size", "2"), "value of --batch-size"),
        ({}, ("--column", "made"), "value of --column"),
        ({}, ("--rename", "name=other"), "value of --rename"),
        ({}, ("--max-tokens", "9"), "value of --max-tokens"),
        ({}, ("--not-strict",), "value of --not-strict"),
        ({}, ("--model", "gpt-5", "--on-error", "column"), "value of --model, and another value of --on-error"),
        ({}, ("--tokens", "counts_of_resume:letters"), "value of --tokens, and another function for --tokens"),
        ({"counts_of_resume.py": COUNTS.replace("split()", "split('l')")}, (), "function for --tokens"),
        ({"app_of_resume.py": APP.replace("upper", "title")}, (), "partial, schema or helper"),
        ({"app_of_resume.py": APP.replace("text.lower", "text.swapcase")}, (), "partial, schema or helper"),
        ({"app_of_resume.py": APP.replace("Hello", "Welcome")}, (), "partial, schema or helper"),
        ({"in.jsonl": ROWS + "\n"}, (), "input"),
    ],
)
def test_a_run_does_not_go_on_with_something_else(
    project: Path, write: Write, change: dict[str, str], options: tuple[str, ...], difference: str
) -> None:
    write(PROJECT)
    assert "2 rows are kept in out.jsonl.parts" in run_apart(project, *LOUD)
    assert "row 2: " in run_apart(project, *LOUD, "--resume")
    write(change)
    before = content_of(project / "out.jsonl.parts")
    expected = f"error: the rows in out.jsonl.parts were made with another {difference}\n  hint: repeat the command"
    assert run_apart(project, *LOUD, "--resume", *options).startswith(expected)
    assert content_of(project / "out.jsonl.parts") == before


MODEL_APP = """
from pydantic import BaseModel, ConfigDict
from prompt_manager import PromptManager

class Money:
    pass

class Base(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    money: Money | None = None
    n: int = 1

class Order(Base):
    name: str

manager = PromptManager()
manager.register_schema("order", Order)
"""


@pytest.mark.parametrize("change", ["class Order(Base):\n    n: float = 1", "class Order(Base):\n    size: int = 2"])
def test_a_model_without_a_json_schema_can_be_the_input(project: Path, write: Write, change: str) -> None:
    prompt = "template: 'Hello {{name}}!'\nvariables: {name: string}\ninput_schema: order\n"
    project_file = {"pyproject.toml": PROJECT["pyproject.toml"]}
    write({**project_file, "app_of_resume.py": MODEL_APP, "prompts/order.yaml": prompt})
    arguments = ("batch", "order", *BATCH[2:], "-o", "out.jsonl")
    assert "2 rows are kept in out.jsonl.parts" in run_apart(project, *arguments)
    assert "row 2: " in run_apart(project, *arguments, "--resume")
    write({"app_of_resume.py": MODEL_APP.replace("class Order(Base):", change)})
    expected = "error: the rows in out.jsonl.parts were made with another partial, schema or helper\n"
    assert run_apart(project, *arguments, "--resume").startswith(expected)
    write({"app_of_resume.py": MODEL_APP.replace("n: int = 1", "n: int = 2")})
    assert run_apart(project, *arguments, "--resume").startswith(expected)


def run_apart(project: Path, *arguments: str) -> str:
    """The errors of a process of its own, because the project's code changes."""
    command = [sys.executable, "-B", "-m", "prompt_manager", *arguments]
    done = subprocess.run(command, cwd=project, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr
