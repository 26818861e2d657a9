"""Measures how the time grows with the size of the input: the exponent ``k`` of ``time ~ size ** k``.

1 is linear and 2 is quadratic. The slope of the times on logarithmic scales is measured between the smallest and the
largest size, so constant costs make an exponent smaller than it is for large inputs. A time is that of the processor,
so that it also holds on a busy machine, and the garbage collector is disabled.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any

from batch import SHAPES, renderer, table_of
from measure import no_garbage_collector
from report import Row

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager._native import parse_json
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.exceptions import SchemaParseError, SchemaValidationError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.validation import SchemaLoader

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Effort

__all__ = ["measure"]

TARGET = 1.1

#: The largest size is this many times the smallest.
GROWTH = 16


@dataclass(frozen=True)
class Case:
    """Work whose time should grow with its size. ``prepare`` makes an input of a size, and ``run`` is timed with it."""

    name: str
    title: str
    prepare: Callable[[int], Any]
    run: Callable[[Any], object]
    size: int


def seconds(case: Case, made: Any) -> float:
    """Return the processor time of one run."""
    gc.collect()
    start = process_time()
    case.run(made)
    return process_time() - start


def exponent(case: Case, rounds: int) -> float:
    """Return the exponent of a case, from the shortest times. The sizes take turns, so a slow moment affects both."""
    inputs = [case.prepare(size) for size in (case.size, case.size * GROWTH)]
    times = [[seconds(case, made) for made in inputs] for _ in range(rounds)]
    small, large = map(min, zip(*times, strict=True))
    return log(large / small) / log(GROWTH)


def parse(text: str) -> None:
    """Parse an answer. A refusal is a result too."""
    with suppress(SchemaValidationError):
        parse_json(text, dict=True)


def repeated(frame: str, piece: str, size: int) -> str:
    """Return the frame with a piece repeated."""
    return frame.replace("%s", piece * size)


def answers() -> list[Case]:
    """Return the cases of answers: many repairs on one line, text that only resembles JSON, and markup around it."""
    items = {
        "None": "None,",
        "NaN": "NaN,",
        "comments": "1,/* */",
        "curly quotes": "“x”,",
        "single quotes": "'x',",
        "needless escapes": '"\\\'",',
        "unknown escapes": '"\\d",',
        "triple quotes": '"""x""",',
        "line breaks in texts": '"\n",',
        "trailing commas": "[1,],",
    }
    texts = {f"repairs: {name}": ('{"a":[%s1]}', piece) for name, piece in items.items()}
    others = {
        "prose in brackets": ('%s{"a":1}', "{a b} "),
        "backticks": ('%s{"a":1}', "```"),
        "doubled braces": ('%s"a":1}', "{"),
        "fences": ('%s{"a":1}', "```\nx\n```\n"),
        "comments without an end": ('%s{"a":1}', "{/*} "),
    }
    markup = {
        "turns": "User: hi\n",
        "quotations": "> ",
        "escaped quotations": "&gt; ",
        "footnotes": "[^1]: a\n\n  ",
        "inline code": "``` ",
        "fences without an end": "```quote\n",
        "fences of tildes": "~~~\n",
        "tags": "<p class='a'>",
        "angle brackets": "<",
        "special tokens": "<\uff5cUser\uff5c>",
        "rows": "a | b\n",
        "sentences": "Here is the JSON. ",
        "empty lines": "\n\n",
        "labels": "**Answer:** ",
        "directives": "::: quote\n",
        "answers": '{"a":1} ',
    }
    around = {f"around: {name}": ('%s{"a":1}', piece) for name, piece in markup.items()}
    cases = [
        Case(name, f"{piece!r} repeated", partial(repeated, frame, piece), parse, 20_000)
        for name, (frame, piece) in {**texts, **others, **around}.items()
    ]
    keys = Case("repairs: unquoted keys", "'k1:1,' repeated", unquoted_keys, parse, 20_000)
    return [*cases, keys]


def unquoted_keys(size: int) -> str:
    """Return a dict with this many keys without quotes."""
    return "{" + "".join(f"k{number}:1," for number in range(size)) + "}"


def templates() -> list[Case]:
    """Return the cases of templates: their size, the length of a list, nesting, and partials."""
    engine = TemplateEngine(limits={"nesting": 200, "depth": 600, "partial_depth": 600})

    def partials(size: int) -> dict[str, str]:
        chain = {f"p{number}": f"{{{{> p{number + 1} a=b b=a}}}}" for number in range(size)}
        return {**chain, f"p{size}": "{{a}}{{b}}"}

    def inlines(size: int) -> str:
        defined = "".join(f'{{{{#*inline "p{number}"}}}}x{{{{/inline}}}}' for number in range(size))
        return defined + "".join(f"{{{{> p{number}}}}}" for number in range(size))

    return [
        Case("template size: compile", "tags", lambda size: "text {{a}} " * size, engine.compile, 2000),
        Case(
            "template size: render",
            "tags",
            lambda size: engine.compile("text {{a}} " * size),
            lambda template: template.render({"a": "x"}),
            2000,
        ),
        Case(
            "list length",
            "items",
            range,
            lambda items: engine.render_sync("{{#each l}}{{this}}, {{/each}}", {"l": items}),
            2000,
        ),
        Case(
            "nesting",
            "blocks in blocks",
            lambda size: "{{#if a}}" * size + "x" + "{{/if}}" * size,
            lambda template: [engine.compile(template).render({"a": 1}) for _ in range(20)],
            12,
        ),
        Case(
            "partial chains",
            "partials with arguments",
            partials,
            lambda partials: engine.render_sync("{{> p0 a=1 b=2}}", {}, partials=partials),
            30,
        ),
        Case(
            "inline partials",
            "partials, each included once",
            lambda size: engine.compile(inlines(size)),
            lambda template: template.render({}),
            500,
        ),
    ]


def batches() -> list[Case]:
    """Return the case of a batch, if pyarrow is installed."""
    if find_spec("pyarrow") is None:
        return []
    chat = next(shape for shape in SHAPES if shape.name == "chat")
    return [Case("rows of a batch", "chats with documents", partial(table_of, chat), renderer(chat, 1), 2000)]


def schemas(folder: Path) -> list[Case]:
    """Return the cases of schemas: many in a file, that extend each other, and that are nested in each other."""

    def chain(size: int) -> Path:
        directory = folder / f"chain-{size}"
        directory.mkdir()
        field = "fields: [{{name: f{0}, type: integer}}]"
        first = f"schemas:\n- {{name: s0, {field.format(0)}}}\n"
        others = (f"- {{name: s{n}, extends: s{n - 1}, {field.format(n)}}}\n" for n in range(1, size))
        (directory / "chain.yaml").write_text(first + "".join(others))
        return directory

    def schema_file(name: str, schema: str, size: int) -> Path:
        directory = folder / f"{name}-{size}"
        directory.mkdir()
        lines = (f"- {schema.format(number, number - 1)}\n" for number in range(1, size))
        (directory / "schemas.yaml").write_text("schemas:\n" + "".join(lines))
        return directory

    def load_schemas(directory: Path) -> None:
        with suppress(SchemaParseError):
            SchemaLoader().load_directory_sync(directory)

    def nested(size: int) -> Callable[[], object]:
        loader = SchemaLoader()
        loader.register({"name": "s0", "fields": [{"name": "f", "type": "integer"}]})
        for number in range(1, size):
            field = {"name": "f", "type": "dict", "nested_schema": f"s{number - 1}"}
            loader.register({"name": f"s{number}", "fields": [field]})
        return partial(loader.to_json_schema, f"s{size - 1}")

    contents = {
        "schemas in a file": "{{name: s{0}, fields: [{{name: f, type: integer}}]}}",
        "schemas with definitions that extend each other": "{{name: s{0}, extends: s{1}, definitions: "
        "[{{name: d, fields: [{{name: f, type: string}}]}}]}}",
        "schemas that extend one that does not exist": "{{name: s{0}, extends: s{1}}}",
    }

    def load_chain(directory: Path) -> None:
        loader = SchemaLoader()
        loader.load_directory_sync(directory)
        size = len(loader.names())
        loader.validate_data_sync(f"s{size - 1}", {f"f{number}": number for number in range(size)})

    return [
        Case("schemas that extend each other", "schemas, loaded and used once", chain, load_chain, 250),
        *(
            Case(name, "schemas", partial(schema_file, name, schema), load_schemas, 250)
            for name, schema in contents.items()
        ),
        Case("schemas nested in each other", "schemas, as JSON Schema", nested, lambda write: write(), 250),
    ]


def prompts(folder: Path) -> list[Case]:
    """Return the cases of prompts: many in a file, in a registry, and tool calls in a message."""

    source = "---\nid: p{0}\nversion: 1.0.0\nformat: text\ntemplate: Hello {{{{name}}}} {0}\n"

    def file(size: int) -> Path:
        directory = folder / f"documents-{size}"
        directory.mkdir()
        (directory / "prompts.yaml").write_text("".join(source.format(number) for number in range(size)))
        return directory

    def register(size: int) -> None:
        registry = PromptRegistry()
        for number in range(size):
            registry.register_sync(Prompt(id=f"p{number}", format="text", template="Hello", status="active"))

    def history(size: int) -> list[dict[str, Any]]:
        function = {"name": "f", "arguments": "{}"}
        calls = [{"id": f"c{number}", "type": "function", "function": function} for number in range(size)]
        results = [{"role": "tool", "tool_call_id": f"c{number}", "content": "1"} for number in range(size)]
        return [{"role": "assistant", "tool_calls": calls}, *results]

    placeholder = {"role": "placeholder", "name": "history"}
    chat = Prompt(id="c", format="chat", chat_template={"messages": [placeholder]}, status="active")
    openai = OpenAIIntegration(TemplateEngine())
    return [
        Case("prompts in a file", "YAML documents", file, PromptManager.from_directory_sync, 500),
        Case("prompts in a registry", "registered one by one", int, register, 500),
        Case(
            "tool calls in a message",
            "calls with their results",
            history,
            lambda history: openai.convert_sync(chat, {"history": history}),
            2500,
        ),
    ]


def measure(effort: Effort) -> list[Row]:
    """Measure the exponent of each case."""
    rounds = min(effort.rounds, 5)
    with TemporaryDirectory() as folder, no_garbage_collector():
        cases = [*templates(), *prompts(Path(folder)), *schemas(Path(folder)), *answers(), *batches()]
        return [Row(case.name, case.title, exponent(case, rounds), target=TARGET, unit="exponent") for case in cases]
