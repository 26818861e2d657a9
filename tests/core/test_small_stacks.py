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


FILES_PROGRAM = """
import pathlib, sys, threading
from prompt_manager import PromptManager
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.storage import FileSystemStorage
from prompt_manager.testing.yaml_file import parse

root = pathlib.Path(sys.argv[2])

def brackets(count):
    return "[" * count + "]" * count

def mappings(count):
    return "{'a': " * count + "1" + "}" * count

FILES = {
    "plain.yaml": "template: Hi",
    "brackets.yaml": "template: Hi\\nmetadata: {x: " + brackets(3000) + "}",
    "mappings.yaml": "template: Hi\\nmetadata: {x: " + mappings(3000) + "}",
    "open.yaml": "template: Hi\\nmetadata: {x: " + "[" * 3000,
    "brackets.json": '{"template": "Hi", "metadata": {"x": ' + brackets(3000) + "}}",
    "allowed.yaml": "template: Hi\\nmetadata: {x: " + brackets(36) + "}",
    "allowed.json": '{"template": "Hi", "metadata": {"x": ' + mappings(36).replace("'", '"') + "}}",
}
WORK = {}
for name, text in FILES.items():
    directory = root / name.replace(".", "-")
    (directory / "stored" / "p").mkdir(parents=True)
    (directory / "prompts").mkdir()
    (directory / "stored" / "p" / f"1.0.0.{name[-4:]}").write_text('{"id": "p", "version": "1.0.0", ' + text[1:])
    (directory / "prompts" / name).write_text(text)
    storage = FileSystemStorage(directory / "stored")
    WORK[f"load {name}"] = lambda directory=directory: PromptManager.from_directory_sync(directory / "prompts")
    WORK[f"schemas {name}"] = lambda directory=directory: PromptManager().load_schemas_sync(directory / "prompts")
    WORK[f"stored {name}"] = lambda storage=storage: storage.load_sync("p")
    WORK[f"test file {name}"] = lambda text=text: parse("t.yaml", text.encode())
usual = PromptManager.from_directory_sync(root / "plain-yaml" / "prompts")
prompt = usual.get_prompt_sync("plain")
for encoding in ("json", "yaml"):
    kept = FileSystemStorage(root / encoding, format=encoding)
    WORK[f"save {encoding}"] = lambda kept=kept: kept.save_sync(prompt)
WORK["label"] = lambda: usual.set_label_sync("plain", "live", "1.0.0")

def run():
    for name, work in WORK.items():
        try:
            work()
        except (PromptManagerError, ValueError) as error:
            print(f"{name}: {type(error).__name__}", flush=True)
        else:
            print(f"{name}: done", flush=True)

threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_files_are_read_and_written_on_a_small_stack_as_on_any_other(tmp_path):
    def outcomes_of_files(kibibytes):
        arguments = [sys.executable, "-W", "ignore", "-c", FILES_PROGRAM, str(kibibytes), tmp_path / str(kibibytes)]
        ended = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
        return dict(line.split(": ") for line in ended.stdout.splitlines())

    small, usual = outcomes_of_files(64), outcomes_of_files(8192)
    # Python objects are made on the stack of the thread.
    made = {"stored allowed.json", "test file allowed.yaml", "test file allowed.json"}
    assert {name: end for name, end in small.items() if name not in made} == {
        name: end for name, end in usual.items() if name not in made
    }
    assert small["load brackets.yaml"] == small["load mappings.yaml"] == "StorageReadError"
    assert small["load plain.yaml"] == small["load allowed.yaml"] == small["save yaml"] == small["label"] == "done"


CHAIN_PROGRAM = """
import pickle, threading
from prompt_manager import Prompt, PromptManager

manager = PromptManager()
for name in ("s0", "n0"):
    manager.register_schema(name, {"name": name, "fields": [{"name": "a", "type": "string"}]})
for number in range(1, 2000):
    manager.register_schema(f"s{number}", {"name": f"s{number}", "extends": f"s{number - 1}"})
    manager.register_schema(f"n{number}", {"name": f"n{number}", "fields": [
        {"name": "a", "type": "dict", "required": False, "nested_schema": f"n{number - 1}"}]})

def run():
    for schema, answer in (("s1999", '{"a": "x"}'), ("n1999", "{}")):
        manager.create_prompt_sync(Prompt(id=schema, template="Hi", status="active", output_schema=schema))
        batch = pickle.loads(pickle.dumps(manager.batch(schema, to="text")))
        print(type(batch).__name__, manager.parse_output(schema, answer).data)

threading.stack_size(128 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_a_long_chain_of_schemas_needs_no_more_stack_than_a_short_one():
    ended = subprocess.run(
        [sys.executable, "-c", CHAIN_PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.splitlines() == ["BatchRenderer {'a': 'x'}", "BatchRenderer {}"]
