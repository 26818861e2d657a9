"""The cases A to I: a template in each language, a function with the same f-string, and the values.

The function takes one dict, as ``Template.render`` does. The template for each engine is written as its users would
write it, without escaping, and must render exactly the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Values = dict[str, Any]

__all__ = ["CASES", "COMPILED", "Case", "shout"]


@dataclass(frozen=True)
class Sources:
    """The templates of a case: one, or one for each message of a chat."""

    handlebars: tuple[str, ...]
    jinja: tuple[str, ...]
    mustache: tuple[str, ...]
    #: Partials by name in each language.
    partials: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A case. ``target`` is the maximum of the time divided by that of the f-string, if there is one."""

    name: str
    title: str
    sources: Sources
    by_hand: Callable[[Values], object]
    values: Values
    target: float | None = None
    #: Whether templates call the helper ``shout``.
    helper: bool = False


def shout(text: str) -> str:
    """The helper of case I."""
    return text.upper()


def two(v: Values) -> str:
    return f"Hello {v['name']}! Your role is {v['role']}."


TWO = Sources(
    *[("Hello {{name}}! Your role is {{role}}.",)] * 2, mustache=("Hello {{{name}}}! Your role is {{{role}}}.",)
)
TWO_VALUES = {"name": "Ada Lovelace", "role": "engineer"}


def chat(v: Values) -> list[str]:
    return [
        f"You answer the customers of {v['company']}. Be brief, and answer in {v['language']}.",
        f"The customer is {v['customer']}.",
        f"{v['question']}",
    ]


CHAT = Sources(
    *[
        (
            "You answer the customers of {{company}}. Be brief, and answer in {{language}}.",
            "The customer is {{customer}}.",
            "{{question}}",
        )
    ]
    * 2,
    mustache=(
        "You answer the customers of {{{company}}}. Be brief, and answer in {{{language}}}.",
        "The customer is {{{customer}}}.",
        "{{{question}}}",
    ),
)
CHAT_VALUES = {
    "company": "Acme",
    "language": "English",
    "customer": "Ada Lovelace",
    "question": "How do I reset my password? The link in the mail has expired.",
}


def documents(v: Values) -> str:
    texts = "".join(
        f"## {d['title']} (from {d['source']})\n{d['text']}\n\n" if d["source"] else f"## {d['title']}\n{d['text']}\n\n"
        for d in v["documents"]
    )
    return f"{texts}Answer from these documents: {v['question']}"


DOCUMENTS = Sources(
    handlebars=(
        (
            "{{#each documents}}## {{title}}{{#if source}} (from {{source}}){{/if}}\n{{text}}\n\n{{/each}}"
            "Answer from these documents: {{question}}"
        ),
    ),
    jinja=(
        (
            "{% for d in documents %}## {{d.title}}{% if d.source %} (from {{d.source}}){% endif %}\n{{d.text}}\n\n"
            "{% endfor %}Answer from these documents: {{question}}"
        ),
    ),
    mustache=(
        (
            "{{#documents}}## {{{title}}}{{#source}} (from {{{source}}}){{/source}}\n{{{text}}}\n\n{{/documents}}"
            "Answer from these documents: {{{question}}}"
        ),
    ),
)


def few_shot(v: Values) -> str:
    examples = "".join(f"Q: {e['question']}\nA: {e['answer']}\n\n" for e in v["examples"])
    return f"{examples}Q: {v['question']}"


FEW_SHOT = Sources(
    handlebars=("{{#each examples}}Q: {{question}}\nA: {{answer}}\n\n{{/each}}Q: {{question}}",),
    jinja=("{% for e in examples %}Q: {{e.question}}\nA: {{e.answer}}\n\n{% endfor %}Q: {{question}}",),
    mustache=("{{#examples}}Q: {{{question}}}\nA: {{{answer}}}\n\n{{/examples}}Q: {{{question}}}",),
)

SENTENCES = {
    "ASCII": ("What is kept here?", "A prompt is kept as a file and rendered with values. "),
    "Cyrillic": ("Что здесь хранится?", "Подсказка хранится как файл и заполняется значениями. "),
    "Chinese": ("这里存放什么?", "提示词以文件的形式保存并用给定的值渲染出来。"),
}


def document_values(script: str) -> Values:
    """Return twenty documents of 500 characters, half of them with a source. Every text is a separate object."""
    question, sentence = SENTENCES[script]
    text = sentence * 40
    return {
        "question": question,
        "documents": [
            {
                "title": f"{question} {i}",
                "text": f"{i:02} {text}"[:500],
                "source": f"{sentence[:12]}/{i}" if i % 2 else "",
            }
            for i in range(20)
        ],
    }


def few_shot_values(script: str) -> Values:
    """Return two hundred questions with answers."""
    question, sentence = SENTENCES[script]
    examples = [{"question": f"{question} {i}", "answer": f"{i}: {sentence}"} for i in range(200)]
    return {"examples": examples, "question": question}


def nested(v: Values) -> str:
    return f"Dear {v['name']},\nyou are {v['role']} at {v['company']}.\nYours, {v['sender']}\n"


NESTED = Sources(
    handlebars=("{{> letter}}",),
    jinja=("{% include 'letter' %}",),
    mustache=("{{> letter}}",),
    partials={
        "handlebars": {
            "letter": "Dear {{name}},\n{{> body}}",
            "body": "you are {{role}} at {{company}}.\n{{> close}}",
            "close": "Yours, {{sender}}\n",
        },
        "jinja": {
            "letter": "Dear {{name}},\n{% include 'body' %}",
            "body": "you are {{role}} at {{company}}.\n{% include 'close' %}",
            "close": "Yours, {{sender}}\n",
        },
        "mustache": {
            "letter": "Dear {{{name}}},\n{{> body}}",
            "body": "you are {{{role}}} at {{{company}}}.\n{{> close}}",
            "close": "Yours, {{{sender}}}\n",
        },
    },
)


def shouted(v: Values) -> str:
    return "".join(f"{shout(w)} " for w in v["words"])


SHOUTED = Sources(
    handlebars=("{{#each words}}{{shout this}} {{/each}}",),
    jinja=("{% for w in words %}{{shout(w)}} {% endfor %}",),
    mustache=("{{#words}}{{#shout}}{{{.}}}{{/shout}} {{/words}}",),
)

SCRIPTS = [("C", "D", "ASCII"), ("F1", "F2", "Cyrillic"), ("F3", "F4", "Chinese")]

CASES = [
    Case("A", "two variables", TWO, two, TWO_VALUES, target=1.05),
    Case("B", "a chat of three messages", CHAT, chat, CHAT_VALUES),
    *(
        case
        for c, d, script in SCRIPTS
        for case in (
            Case(c, f"20 documents, {script}", DOCUMENTS, documents, document_values(script), target=0.4),
            Case(
                d,
                f"200 few-shot items, {script}",
                FEW_SHOT,
                few_shot,
                few_shot_values(script),
                target=0.55 if script == "ASCII" else 0.45,
            ),
        )
    ),
    Case(
        "E",
        "A with 10,000 unused rows",
        TWO,
        two,
        {**TWO_VALUES, "rows": [{"id": i, "text": f"row {i}"} for i in range(10_000)]},
        target=1.05,
    ),
    Case(
        "H",
        "partials three deep",
        NESTED,
        nested,
        {"name": "Ada", "role": "engineer", "company": "Acme", "sender": "Grace"},
    ),
    Case(
        "I", "a Python helper, 100 calls", SHOUTED, shouted, {"words": [f"word {i}" for i in range(100)]}, helper=True
    ),
]


def of_size(paragraph: str, size: int) -> str:
    """Return a template of about the given number of bytes."""
    return paragraph * max(1, size // len(paragraph))


#: Case G: the paragraph that is repeated in the templates to compile, by language.
PARAGRAPH = {
    "handlebars": (
        "## About {{user.name}}\n{{#if active}}Since {{since}}, for {{company}}.{{else}}No longer.{{/if}}\n"
        "{{#each documents}}- {{title}}: {{text}}\n{{/each}}Answer in a few plain sentences, without a list.\n"
    ),
    "jinja": (
        "## About {{user.name}}\n{% if active %}Since {{since}}, for {{company}}.{% else %}No longer.{% endif %}\n"
        "{% for d in documents %}- {{d.title}}: {{d.text}}\n{% endfor %}"
        "Answer in a few plain sentences, without a list.\n"
    ),
}

#: Case G: name, title and the text in each language.
COMPILED = [
    (
        f"G{kilobytes}",
        f"compile {kilobytes} KB",
        {language: of_size(text, kilobytes * 1000) for language, text in PARAGRAPH.items()},
    )
    for kilobytes in (1, 10, 100)
]
