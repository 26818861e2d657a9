"""Measures a batch renderer: Arrow in, Arrow out, in nanoseconds for each row.

By hand is a list comprehension of f-strings over Python dicts, without Arrow. The other engines render each row of
``table.to_pylist()`` and put the results into an Arrow array, which is what a program with Arrow at both ends does.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from measure import Timings, interleaved
from report import Row, check_equal

from prompt_manager import Prompt, PromptManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from measure import Effort

    Values = Mapping[str, Any]
    Messages = list[dict[str, str]]

__all__ = ["SHAPES", "measure", "table_of"]

SYSTEM = "You answer questions of customers in a few plain sentences, and say so if the documents have no answer."

LOOP = "{{#each documents}}## {{title}}\n{{text}}\n{{/each}}"
JINJA_LOOP = "{% for d in documents %}## {{ d.title }}\n{{ d.text }}\n{% endfor %}"


@dataclass(frozen=True)
class Shape:
    """A prompt with rows for it, in our language, in Jinja's and by hand.

    ``jinja`` has a role with each template, or an empty one for a prompt that is a text. With ``history`` the row has
    messages that come behind the first one.
    """

    name: str
    title: str
    prompt: Prompt
    row: Callable[[int], dict[str, Any]]
    by_hand: Callable[[Values], str | Messages]
    jinja: tuple[tuple[str, str], ...]
    history: bool = False
    target: float | None = None

    @property
    def to(self) -> str:
        return "messages" if self.jinja[0][0] else "text"


def chat(name: str, *messages: tuple[str, str], placeholder: str | None = None) -> Prompt:
    entries: list[dict[str, str]] = [{"role": role, "content": content} for role, content in messages]
    if placeholder:
        entries.insert(1, {"role": "placeholder", "name": placeholder})
    return Prompt(id=name, messages=entries)


def document(number: int, text: str) -> dict[str, str]:
    return {"title": f"Document {number}", "text": text}


def plain(values: Values) -> str:
    return f"Hello {values['name']}, you are {values['role']} at {values['company']}."


def documents(values: Values) -> str:
    return "".join(f"## {each['title']}\n{each['text']}\n" for each in values["documents"])


def two_messages(values: Values) -> Messages:
    question = f"{'Important: ' if values['vip'] else ''}{values['question']}\n{documents(values)}"
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


def answer(values: Values) -> str:
    return f"{documents(values)}{values['question']}"


def with_history(values: Values) -> Messages:
    return [
        {"role": "system", "content": SYSTEM},
        *values["history"],
        {"role": "user", "content": f"And {values['question']}"},
    ]


LATIN = "The printer on the third floor does not answer since the last update of its firmware, see the log. "
CYRILLIC = "Принтер на третьем этаже не отвечает после последнего обновления, смотрите журнал событий. "


def rag(name: str, title: str, sentence: str) -> Shape:
    return Shape(
        name,
        title,
        Prompt(id=name, template=LOOP + "{{question}}"),
        lambda n: {
            "question": f"{sentence}{n}",
            "documents": [document(at, (sentence * 6)[:500]) for at in range(20)],
        },
        answer,
        (("", JINJA_LOOP + "{{ question }}"),),
    )


SHAPES = [
    Shape(
        "plain",
        "three columns in a sentence",
        Prompt(id="plain", template="Hello {{name}}, you are {{role}} at {{company}}."),
        lambda n: {"name": f"Ada {n}", "role": "engineer", "company": "Acme"},
        plain,
        (("", "Hello {{ name }}, you are {{ role }} at {{ company }}."),),
        target=1.0,
    ),
    Shape(
        "chat",
        "two messages, `if`, three documents",
        chat("chat", ("system", SYSTEM), ("user", "{{#if vip}}Important: {{/if}}{{question}}\n" + LOOP)),
        lambda n: {
            "vip": n % 3 == 0,
            "question": f"Why is printer {n} offline?",
            "documents": [document(at, LATIN * 2) for at in range(3)],
        },
        two_messages,
        (("system", SYSTEM), ("user", "{% if vip %}Important: {% endif %}{{ question }}\n" + JINJA_LOOP)),
    ),
    rag("rag", "20 documents of 500 characters", LATIN),
    rag("cyrillic", "the same, Cyrillic", CYRILLIC),
    Shape(
        "history",
        "a history of ten messages",
        chat("history", ("system", SYSTEM), ("user", "And {{question}}"), placeholder="history"),
        lambda n: {
            "question": f"why is printer {n} offline?",
            "history": [{"role": ("user", "assistant")[at % 2], "content": LATIN} for at in range(10)],
        },
        with_history,
        (("system", SYSTEM), ("user", "And {{ question }}")),
        history=True,
    ),
]


def table_of(shape: Shape, count: int) -> pa.Table:
    """Make a table with rows of a shape."""
    import pyarrow as pa

    return pa.Table.from_pylist([shape.row(number) for number in range(count)])


def renderer(shape: Shape, threads: int) -> Callable[[Any], Any]:
    """The batch renderer of a shape."""
    manager = PromptManager()
    manager.create_prompt_sync(shape.prompt)
    return manager.batch(shape.prompt.id, to=shape.to, threads=threads)


def jinja_loop(shape: Shape) -> Callable[[pa.Table], pa.Array]:
    environment = import_module("jinja2").Environment(keep_trailing_newline=True)
    return _loop(shape, [environment.from_string(source).render for _, source in shape.jinja])


def minijinja_loop(shape: Shape) -> Callable[[pa.Table], pa.Array]:
    sources = {str(at): source for at, (_, source) in enumerate(shape.jinja)}
    environment = import_module("minijinja").Environment(keep_trailing_newline=True, templates=sources)

    def rendering(name: str) -> Callable[[Values], str]:
        return lambda values: environment.render_template(name, **values)

    return _loop(shape, [rendering(name) for name in sources])


def _loop(shape: Shape, renders: list[Callable[[Values], str]]) -> Callable[[pa.Table], pa.Array]:
    """Renders each row in Python, from Arrow and to Arrow."""
    import pyarrow as pa

    if not shape.jinja[0][0]:
        (render,) = renders
        return lambda table: pa.array([render(row) for row in table.to_pylist()])
    roles = [role for role, _ in shape.jinja]
    kind = pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))

    def messages(row: Values) -> Messages:
        made = [{"role": role, "content": render(row)} for role, render in zip(roles, renders, strict=True)]
        return [made[0], *row["history"], *made[1:]] if shape.history else made

    return lambda table: pa.array([messages(row) for row in table.to_pylist()], kind)


def through_polars(shape: Shape) -> Callable[[pa.Table], Any]:
    import polars as pl

    render, frames = renderer(shape, 1), {}
    return lambda table: render(frames.setdefault(id(table), pl.DataFrame(table)))


def texts_of(made: Any, shape: Shape) -> list[Any]:
    """The results of a renderer, with messages that have only a role and a text."""
    results = made.column(shape.to).to_pylist()
    if shape.to == "text":
        return results
    return [[{"role": each["role"], "content": each["content"]} for each in messages] for messages in results]


def measure(effort: Effort) -> list[Row]:
    """Measure each shape: the renderer on one thread, by hand, on two threads, and the other engines."""
    count = 2000 if effort.rounds > 10 else 50
    return [measure_shape(shape, count, effort) for shape in SHAPES]


def measure_shape(shape: Shape, count: int, effort: Effort) -> Row:
    try:
        table = table_of(shape, count)
    except ImportError:
        return Row(shape.name, shape.title, 0.0, left_out={"ours": "pyarrow is not installed"})
    rows = table.to_pylist()
    ours = renderer(shape, 1)
    wanted = [shape.by_hand(row) for row in rows]
    check_equal(shape.name, texts_of(ours(table), shape), wanted)
    functions: dict[str, Callable[[Any], object]] = {
        "ours": ours,
        "by hand": lambda _: [shape.by_hand(row) for row in rows],
        "ours, two threads": renderer(shape, 2),
    }
    left_out = {}
    for name, make in {"ours, polars": through_polars, "jinja2": jinja_loop, "minijinja": minijinja_loop}.items():
        try:
            functions[name] = make(shape)
        except ImportError as error:
            left_out[name] = str(error)
        else:
            if "ours" not in name:
                check_equal(f"{shape.name}: {name}", functions[name](table).to_pylist(), wanted)
    timings = interleaved(functions, table, effort)
    each = Timings({name: [taken / count for taken in rounds] for name, rounds in timings.rounds.items()})
    return Row.of(shape.name, shape.title, each, shape.target, left_out=left_out)
