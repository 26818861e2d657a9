"""Threads with a small stack: what nests too deep is an error there, and does not end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

PROGRAM = """
import sys, threading
from prompt_manager import TemplateEngine
from prompt_manager._native import parse_json
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.validation import Schema

engine = TemplateEngine()
engine.register_helper("again", lambda value: engine.render_sync("{{again v}}", {"v": value}))
partials = {"p": "{{#if a}}{{> p}}{{/if}}"}
value = lists = data = schema = 1
for _ in range(95):
    value = {"a": value}
for _ in range(31):
    lists = [lists]
schema = {"type": "string"}
for _ in range(60):
    schema = {"type": "object", "properties": {"a": schema}}
blocks = "{{#if a}}" * 90 + "x" + "{{/if}}" * 90
compiled = engine.compile(blocks)

DEEP = {
    "compile blocks": lambda: engine.compile(blocks + " "),
    "render blocks": lambda: compiled.render({"a": 1}),
    "subexpressions": lambda: engine.compile("{{upper " + "(upper " * 80 + "'a'" + ")" * 80 + "}}"),
    "partials": lambda: engine.render_sync("{{> p}}", {"a": 1}, partials=partials),
    "a helper that renders itself": lambda: engine.render_sync("{{again v}}", {"v": 1}),
    "json": lambda: engine.render_sync("{{json v}}", {"v": value}),
    "lists": lambda: engine.render_sync("{{v}}", {"v": lists}),
    "comparisons": lambda: engine.render_sync("{{eq v w}}", {"v": value, "w": {**value}}),
    "an answer": lambda: parse_json("[" * 100 + "]" * 100, dict=False),
    "JSON Schema": lambda: Schema.from_json_schema(schema),
}
simple = engine.compile("Hello {{name}}{{#each rows}} {{this}}{{/each}}")

def run():
    print(simple.render({"name": "Ada", "rows": [1, 2]}))
    for name, work in DEEP.items():
        try:
            work()
        except PromptManagerError as error:
            print(f"{name}: {type(error).__name__}")
        else:
            print(f"{name}: done")

engine.render_sync("{{json v}}{{upper (upper 'a')}}", {"v": [1]})
threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def outcomes(kibibytes):
    arguments = [sys.executable, "-c", PROGRAM, str(kibibytes)]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    first, *others = ended.stdout.splitlines()
    assert first == "Hello Ada 1 2"
    return dict(line.split(": ") for line in others)


@pytest.mark.parametrize("kibibytes", [64, 128, 256])
def test_deep_work_on_a_small_stack_ends_in_a_result_or_an_error(kibibytes):
    assert len(outcomes(kibibytes)) == 10


def test_a_small_stack_refuses_what_a_usual_one_can_do():
    small, usual = outcomes(64), outcomes(8192)
    assert small["compile blocks"] == "TemplateSyntaxError"
    assert small["json"] == "TemplateRenderError"
    assert usual["compile blocks"] == usual["json"] == usual["an answer"] == "done"
