"""The JSON Schemas of files agree with the reader: what they accept loads, and both refuse the same wrong files."""

from __future__ import annotations

import copy
import json
import random
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import prompt_manager
from file_schemas import file_schemas, written
from helpers import EXAMPLES, ROOT, yaml_cases
from prompt_manager import PromptManager
from prompt_manager.exceptions import PromptManagerError, StorageReadError
from prompt_manager.testing.cases import read_cases
from prompt_manager.testing.yaml_file import parse

#: The folder of the installed package, which a wheel has too.
FOLDER = Path(prompt_manager.__file__).parent / "schemas"
SHIPPED = {kind: json.loads((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")) for kind in file_schemas()}
VALIDATORS = {kind: Draft202012Validator(schema) for kind, schema in SHIPPED.items()}


def accepts(kind: str, value: Any) -> bool:
    return VALIDATORS[kind].is_valid(value)


def why(kind: str, value: Any) -> str:
    return "\n".join(f"{error.json_path}: {error.message[:200]}" for error in VALIDATORS[kind].iter_errors(value))


def documents(text: str) -> list[Any]:
    """The values of a file's documents. A text that is no YAML has none."""
    found = []
    for part in re.split(r"^---.*\n", text, flags=re.MULTILINE):
        try:
            found.append(parse("f.yaml", part.encode()).plain())
        except PromptManagerError:
            return []
    return [each for each in found if each is not None]


@pytest.mark.parametrize("kind", SHIPPED)
def test_the_shipped_schema_is_current(kind):
    shipped = (FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert shipped == written(file_schemas()[kind]), "run `python tests/file_schemas.py`"
    Draft202012Validator.check_schema(SHIPPED[kind])


# Files that load.

MARKDOWN = {
    page: page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
#: The files of the documentation, without the bad examples of checks.md.
BLOCKS = [
    (page.name, block)
    for page, text in MARKDOWN.items()
    for block in re.findall(r"(?<!Bad:\n\n)^```yaml[^\n]*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
]
KINDS = {"schemas:": "schema", "labels:\n": "labels", "- name:": "test"}


def kind_of(block: str) -> str:
    return next((kind for key, kind in KINDS.items() if re.search(rf"^{key}", block, flags=re.MULTILINE)), "prompt")


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_the_files_of_the_documentation_are_accepted(page, block):
    if "jobs:" in block or "repos:" in block:
        pytest.skip("a file of another program")
    for value in documents(block):
        assert accepts(kind_of(block), value), f"{page}\n{why(kind_of(block), value)}"


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_accepted(path):
    if ".github" not in path.parts:
        kind = "schema" if "schemas" in path.parts else "prompt"
        (value,) = documents(path.read_text(encoding="utf-8"))
        assert accepts(kind, value), why(kind, value)


@pytest.mark.parametrize(("text", "_expected"), yaml_cases("good.txt"))
def test_prompt_files_that_load_are_accepted(text, _expected):
    for value in documents(text):
        # The reader takes `id: 1.10` as it is written. An editor asks for quotes.
        quoted = {**value, "id": "1.10"} if isinstance(value.get("id"), float) else value
        assert accepts("prompt", quoted), why("prompt", quoted)


# Files that do not load.

#: What no JSON Schema can tell, in the words of the reader: rules between values, and the languages inside of texts.
UNSEEN = re.compile(
    "|".join(  # noqa: FLY002 - one line for each
        [
            "`id` is missing",  # of one document beside another
            "these arguments are not JSON",
            "two tools are named",
            "`tool_choice` names",
            "is not one of its `values`",
            "the default of variable `.*` is not of type (date|datetime|uuid)",
            "a key of the arguments is no template",
            "is defined twice",
            "is listed twice",
            "extends itself",
            "`min_value` is greater than `max_value`",
            "the pattern cannot be used",
            "the format .* cannot be used",
            "expected a date and time",
            "expected a time such as",
            "an integer beyond 64 bits",
        ]
    )
)


def is_unseen(expected: list[str]) -> bool:
    return all(UNSEEN.search(line) for line in expected if not line.startswith("hint"))


@pytest.mark.parametrize(("text", "expected"), yaml_cases("bad.txt"))
def test_wrong_prompt_files_are_refused_by_both(text, expected):
    found = documents(text)
    refused = not found or any(not accepts("prompt", value) for value in found)
    assert refused or is_unseen(expected), expected


@pytest.mark.parametrize(("text", "expected"), yaml_cases("bad_schemas.txt"))
def test_wrong_schema_files_are_refused_by_both(text, expected):
    found = documents(text)
    refused = not found or any(not accepts("schema", value) for value in found)
    assert refused or is_unseen(expected), expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("test", "- {name: a}"),
        ("test", "- {name: a, text: Hi, txt: Ho}"),
        ("test", "- {text: Hi}"),
        ("test", "- {name: a, raises: X, text: Hi}"),
        ("test", "- {name: a, version: 1.0.0, label: x, text: Hi}"),
        ("test", "- {name: a, contains: []}"),
        ("test", "- {name: a, max_chars: -1}"),
        ("test", "- {name: a, max_chars: true}"),
        ("test", "- {name: a, request: {model: x}}"),
        ("test", "- {name: a, parses: {expected: 1}}"),
        ("test", "- {name: a, text: Hi, variables: [x]}"),
        ("test", "- {name: 5, text: Hi}"),
        ("test", "- {name: a, text: Hi, label: null}"),
        ("test", "- Hi"),
        ("test", "{name: a, text: Hi}"),
        ("test", "- {name: a, text: {{x}}}"),
        ("labels", "production: 1.0.0"),
        ("labels", "labels: {a: {production: 1.0}}"),
        ("labels", "labels: {a: {production: one}}"),
        ("labels", "labels: {a: production}"),
        ("labels", "labels: [a]"),
        ("labels", "labels: {a b: {production: 1.0.0}}"),
        ("labels", "labels: {a: {1.0.0: 1.0.0}}"),
        ("labels", "labels: {a: {-x: 1.0.0}}"),
        ("labels", "history: {a: [{label: production}]}"),
        ("labels", "history: {a: {label: production}}"),
        ("labels", "id: a"),
        ("labels", "[a]"),
    ],
)
def test_wrong_test_and_label_files_are_refused_by_both(kind, text, tmp_path):
    found = documents(text)
    assert not found or not accepts(kind, found[0])
    with pytest.raises(PromptManagerError):
        load(kind, text, tmp_path)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("test", "- {name: a, text: }"),
        (
            "test",
            "- {name: a, prompt: a, variables: {x: [1]}, contains: [a, b], not_contains: c, matches: a, max_chars: 0}",
        ),
        (
            "test",
            "- {name: a, raises: TemplateRenderError}\n- {name: b, label: x, parses: {answer: a, expected: null}}",
        ),
        ("test", "- {name: a, request: {provider: openai, model: m}, messages: []}"),
        ("labels", "{}"),
        ("labels", "labels: {a: {production: 1.0.0, staging: null}, b/c: {}}"),
        ("labels", "labels: \nhistory: \n"),
    ],
)
def test_test_and_label_files_that_load_are_accepted(kind, text, tmp_path):
    load(kind, text, tmp_path)
    for value in documents(text):
        assert accepts(kind, value), why(kind, value)


def load(kind: str, text: str, folder: Path) -> None:
    """Read a file as the package does. It raises if the file is wrong."""
    names = {"prompt": "a.yaml", "schema": "schemas/a.yaml", "test": "a.test.yaml", "labels": "labels.yaml"}
    prompts = "prompts: [{id: a, template: Hi}, {id: b/c, template: Hi}, {id: a, version: 2.0.0, template: Ho}]\n"
    (folder / "schemas").mkdir(exist_ok=True)
    (folder / "a.yaml").write_text(prompts if kind in {"test", "labels"} else "template: Hi\n", encoding="utf-8")
    (folder / names[kind]).write_text(text, encoding="utf-8")
    if kind == "test":
        read_cases(folder / names[kind], folder)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PromptManager.from_directory_sync(folder)


# What the schemas accept.

#: Values in place of others. No text of them has a template or names something.
POOL = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "1.0.0",
    "string",
    "chat",
    "enum",
    "text",
    "draft",
    [],
    {},
]
POOL += [["x"], [{}], [None], {"x": "x"}, {"type": "string"}, {"name": "x"}, {"role": "user", "content": "x"}, [["x"]]]

#: Mistakes between values, and the lookups of names, that mutated files may have besides.
BETWEEN = re.compile(
    "there is no partial|schema does not exist|no such schema exists|has version .* twice|" + UNSEEN.pattern
)


def mutated(value: Any, chance: random.Random, keys: list[str]) -> Any:
    """The value with one change somewhere in it."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(part: Any) -> None:
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            places.append((part, key))
            if isinstance(part[key], (dict, list)) and key not in {
                "parameters",
                "custom",
                "input_schema",
                "output_schema",
            }:
                walk(part[key])

    walk(value)
    part, key = chance.choice(places)
    change = chance.randrange(5)
    if change == 0:
        del part[key]
    elif change == 1 and isinstance(part, dict):
        part[chance.choice(keys)] = chance.choice(POOL)
    elif change == 2 and isinstance(part, dict):
        part[chance.choice(keys)] = part.pop(key)
    else:
        part[key] = copy.deepcopy(chance.choice(POOL))
    return value


def seeds(kind: str) -> list[Any]:
    texts = [case.values[0] for case in yaml_cases("good.txt")] if kind == "prompt" else []
    texts += [block for _, block in BLOCKS if kind_of(block) == kind and "jobs:" not in block and "repos:" not in block]
    texts += [
        path.read_text(encoding="utf-8")
        for path in EXAMPLES.rglob("*.yaml")
        if kind_of(path.read_text(encoding="utf-8")) == kind
    ]
    return [value for text in texts for value in documents(text) if isinstance(value, dict)]


@pytest.mark.parametrize("kind", ["prompt", "schema"])
@pytest.mark.parametrize("seed", range(4))
def test_what_the_schema_accepts_loads(kind, seed, tmp_path):
    """Files with one or two random changes. The reader finds nothing in those that the schema lets through."""
    chance = random.Random(seed)  # noqa: S311 - the same files each time
    keys = sorted({key for schema in SHIPPED[kind]["$defs"].values() for key in schema.get("properties", ())})
    good = [value for value in seeds(kind) if accepts(kind, value)]
    accepted = refused = 0
    for _ in range(400):
        value = mutated(chance.choice(good), chance, keys)
        if chance.random() < 0.3 and value:
            value = mutated(value, chance, keys)
        if not accepts(kind, value):
            refused += 1
            continue
        accepted += 1
        try:
            load(kind, json.dumps(value), tmp_path)
        except StorageReadError as error:
            messages = [each.message for each in error.errors if not BETWEEN.search(each.message)]
            assert not messages, f"{messages}\n{json.dumps(value)}"
    assert accepted > 50
    assert refused > 50
