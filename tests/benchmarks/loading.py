"""Measures loading prompt files, compared with PyYAML's C loader and pydantic, and the cost of prompts in memory.

:func:`files` writes the same files in each run. Half are short, a third have one to two kilobytes, and the others up to
about thirty.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns, sleep
from typing import TYPE_CHECKING, Any

import yaml
from measure import interleaved
from pydantic import BaseModel, ConfigDict
from report import Row, check_equal

from prompt_manager import PromptManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Effort

__all__ = ["measure", "measure_held", "measure_phases", "measure_saves"]

#: The maximum time of a load, divided by that of PyYAML with pydantic.
TARGET = 1 / 8

SENTENCES = (
    "Answer the question that was asked, in two to five short sentences.",
    "Never guess a price, a date or a policy; if you do not know, say so.",
    "Write in the language of {{customer.name}}, and use {{currency}} for every amount.",
    "If the customer is upset, acknowledge it once: then turn to what can be done.",
    "{{#if expert}}Assume that the reader knows the field.{{else}}Explain each term once.{{/if}}",
    "Keep names, figures and dates exactly as they are written.",
    "{{#each documents}}[{{@index}}] {{title}}: {{text}}{{/each}}",
)

#: How each variable of the sentences is declared.
VARIABLES = {
    "currency": "{type: string, description: How amounts are written}",
    "customer": "{type: dict}",
    "expert": "{type: boolean, required: false}",
    "documents": "{type: list}",
}


class Message(BaseModel):
    """A message, as a hand-written loader would check it."""

    model_config = ConfigDict(extra="forbid")

    role: str
    content: str


class Variable(BaseModel):
    """A variable, as a hand-written loader would check it."""

    type: str = "any"
    description: str | None = None
    required: bool = True


class Template(BaseModel):
    """A template, as a hand-written loader would check it."""

    content: str
    variables: dict[str, Variable] = {}


class Chat(BaseModel):
    """A chat, as a hand-written loader would check it."""

    messages: list[Message]
    variables: dict[str, Variable] = {}


class Metadata(BaseModel):
    """Metadata, as a hand-written loader would check it."""

    author: str | None = None
    description: str | None = None
    tags: list[str] = []


class Model(BaseModel):
    """A prompt, as a hand-written loader would check it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: str
    format: str
    status: str = "active"
    template: Template | None = None
    chat_template: Chat | None = None
    settings: dict[str, Any] = {}
    metadata: Metadata = Metadata()


def by_hand(directory: Path) -> dict[tuple[str, str], Model]:
    """Load the prompts of a directory as a hand-written loader would. It does not compile templates."""
    prompts = {}
    for path in sorted(directory.rglob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            prompt = Model.model_validate(yaml.load(file, Loader=yaml.CSafeLoader))
        prompts[prompt.id, prompt.version] = prompt
    return prompts


def block(lines: list[str], indent: int) -> str:
    """Write lines as a literal block of YAML."""
    return "|-\n" + "".join(f"{' ' * indent}{line}\n" for line in lines)


def prompt_file(number: int, dice: random.Random) -> str:
    """Write a prompt file of a realistic size."""
    size = dice.choices((dice.randint(2, 6), dice.randint(8, 20), dice.randint(60, 400)), (50, 35, 15))[0]
    lines = [dice.choice(SENTENCES) for _ in range(size)]
    if number % 3 == 0:
        lines.append("{{expert}}")
    tags = set(re.findall(r"{{(?:#\w+ )?(\w+)", "".join(lines)))
    used = [f"    {name}: {rule}\n" for name, rule in VARIABLES.items() if name in tags]
    declared = "".join(["  variables:\n", *used]) if used else ""
    if number % 3:
        kind, body = "text", f"template:\n  content: {block(lines, 4)}{declared}"
    else:
        kind = "chat"
        cut = max(1, size // 2)
        body = (
            f"chat_template:\n  messages:\n    - role: system\n      content: {block(lines[:cut], 8)}"
            f"    - role: user\n      content: {block(lines[cut:], 8)}{declared}"
        )
    return (
        f"# Reviewed by the team.\nid: team-{number % 40}/prompt-{number}\nversion: 1.{number % 7}.0\n"
        f"format: {kind}\n{body}"
        f"settings: {{model: gpt-5, temperature: 0.2, max_tokens: 800}}\n"
        f"metadata:\n  author: Team {number % 40}\n  description: Prompt number {number}\n  tags: [support, service]\n"
    )


@contextmanager
def files(count: int) -> Iterator[Path]:
    """Make a temporary directory with a number of prompt files."""
    dice = random.Random(10)  # noqa: S311
    with TemporaryDirectory() as name:
        directory = Path(name)
        for number in range(count):
            path = directory / f"team-{number % 40}" / f"prompt-{number}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(prompt_file(number, dice), encoding="utf-8")
        yield directory


def counts(effort: Effort) -> tuple[int, int]:
    """Return the number of files and the number of rounds."""
    return (10_000, 3) if effort.rounds > 10 else (200, 1)


def milliseconds(start: int) -> float:
    return (perf_counter_ns() - start) / 1e6


def measure(effort: Effort) -> list[Row]:
    """Measure a load of all files, alternately with our loader and with the hand-written one."""
    count, rounds = counts(effort)
    ours, theirs = [], []
    with files(count) as directory:
        for _ in range(rounds):
            start = perf_counter_ns()
            manager = PromptManager.from_directory_sync(directory)
            ours.append(milliseconds(start))
            start = perf_counter_ns()
            prompts = by_hand(directory)
            theirs.append(milliseconds(start))
            check_equal("loading", len(prompts), manager.registry.count_sync())
        size = sum(path.stat().st_size for path in directory.rglob("*.yaml")) / 1e6
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    title = f"{count:,} files, {size:.1f} MB"
    return [Row("load", title, median(ours), median(theirs), ratio, TARGET, unit="ms")]


#: The repository, where `cargo bench` finds the crate.
ROOT = Path(__file__).parents[2]


def measure_phases(effort: Effort) -> list[Row]:
    """The phases of a load on one thread, timed in Rust by ``load_phases.rs``."""
    count, rounds = counts(effort)
    with files(count) as directory:
        command = ["cargo", "bench", "--quiet", "--locked", "--no-default-features", "--bench", "load_phases", "--"]
        runs = [
            json.loads(subprocess.check_output([*command, str(directory)], cwd=ROOT, text=True)) for _ in range(rounds)
        ]
    check_equal("phases", runs[0]["prompts"], count)
    titles = {
        "walk": "find the files",
        "read": "read the files",
        "parse": "parse the YAML, check the prompts",
        "compile": "compile the templates",
        "register": "register the prompts",
    }
    return [
        Row(phase, title, median(run["milliseconds"][phase] for run in runs), unit="ms")
        for phase, title in titles.items()
    ]


def measure_saves(effort: Effort) -> list[Row]:
    """Measure the time from saving a file to using its new prompt, in a watched directory with all files."""
    count, rounds = counts(effort)
    with files(count) as directory, PromptManager.from_directory_sync(directory, watch=True) as manager:
        path = directory / "team-0" / "prompt-0.yaml"
        times = []
        for number in range(rounds):
            description = f"Prompt number {number + count}"
            text = path.read_text(encoding="utf-8").rpartition("  description: ")[0]
            start = perf_counter_ns()
            path.write_text(f"{text}  description: {description}\n", encoding="utf-8")
            while manager.get_prompt_sync("team-0/prompt-0").metadata.description != description:
                sleep(0.001)
            times.append(milliseconds(start))
    return [Row("save", f"reload one of {count:,} files after a save", median(times), unit="ms")]


#: A program that loads a directory, and prints by how many bytes its memory grew.
GROWTH = """
import sys
from prompt_manager import PromptManager

def resident():
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS"))) * 1024

manager = PromptManager.from_directory_sync(sys.argv[1] + "/team-0")
before = resident()
manager = PromptManager.from_directory_sync(sys.argv[1])
print(resident() - before)
"""


def measure_held(effort: Effort) -> list[Row]:
    """Measure the memory for each prompt, and the use of one of many prompts."""
    count, _ = counts(effort)
    with files(count) as directory:
        command = [sys.executable, "-c", GROWTH, str(directory)]
        grown = subprocess.run(command, check=True, capture_output=True, text=True)
        size = sum(path.stat().st_size for path in directory.rglob("*.yaml")) / count
    memory = float(grown.stdout) / count
    rows = [Row("memory", f"a prompt of {size / 1e3:.1f} KB on average, in memory", memory / 1e3, unit="KB")]
    for held in (1_000, 100_000) if count == 10_000 else (100,):
        rows += measure_use(held, effort)
    return rows


def measure_use(held: int, effort: Effort) -> list[Row]:
    """Measure the use of one of a number of prompts."""
    many = 1_000
    with TemporaryDirectory() as name:
        for first in range(0, held, many):
            prompts = (
                f"id: team/prompt-{number}\nformat: text\ntemplate: Hello {{{{name}}}}, {number}!\n"
                f"metadata: {{description: Prompt {number}, tags: [a, b]}}\n"
                for number in range(first, min(held, first + many))
            )
            Path(name, f"{first}.yaml").write_text("---\n".join(prompts), encoding="utf-8")
        manager = PromptManager.from_directory_sync(name)
    wanted = f"team/prompt-{held // 2}"
    check_equal("use", manager.render_sync(wanted, {"name": "Ada"}), f"Hello Ada, {held // 2}!")
    timings = interleaved(
        {
            "render": lambda values: manager.render_sync(wanted, values),
            "get": lambda _: manager.get_prompt_sync(wanted),
            "page": lambda _: manager.list_prompts_sync(limit=20),
        },
        {"name": "Ada"},
        effort,
    )
    start = perf_counter_ns()
    check_equal("list", len(manager.list_prompts_sync()), held)
    whole = milliseconds(start)
    titles = {"render": "render one by id", "get": "get one prompt", "page": "list the first 20"}
    return [
        *(Row(name, f"{title}, of {held:,}", timings.ns(name) / 1e3, unit="us") for name, title in titles.items()),
        Row("list", f"list all, of {held:,}", whole, unit="ms"),
    ]
