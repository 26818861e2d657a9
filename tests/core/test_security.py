"""Untrusted templates and values cannot reach Python internals, call code, hang, crash or leak secrets."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import itertools
import json
import pickle
from collections.abc import Mapping
from decimal import Decimal

import pytest
from pydantic import BaseModel, PrivateAttr

from helpers import SECRET, everything_said_by, run_python
from prompt_manager import PromptManager, TemplateEngine
from prompt_manager.core.models import Prompt
from prompt_manager.exceptions import (
    PromptManagerError,
    TemplateError,
    TemplateRenderError,
    TemplateSyntaxError,
)

called: list[str] = []


@pytest.fixture(autouse=True)
def nothing_is_called_and_the_engine_lives():
    called.clear()
    yield
    assert called == []
    assert TemplateEngine().render_sync("{{#each a}}{{this}}é{{/each}}", {"a": [1, 2]}) == "1é2é"


class Service:
    """An object of the application that holds secrets."""

    password = SECRET

    def __init__(self):
        self.token = SECRET

    @property
    def key(self):
        called.append("key")
        return SECRET

    def login(self):
        called.append("login")
        return SECRET

    def __call__(self):
        called.append("call")
        return SECRET

    def __str__(self):
        called.append("str")
        return SECRET

    def __repr__(self):
        called.append("repr")
        return SECRET

    def __getattr__(self, name):
        called.append(name)
        return SECRET

    def __bool__(self):
        called.append("bool")
        return True


@dataclasses.dataclass
class Record:
    name: str = "Ada"
    _private: str = SECRET

    @property
    def key(self):
        called.append("key")
        return SECRET

    def login(self):
        called.append("login")
        return SECRET


class Model(BaseModel):
    name: str = "Ada"
    _private: str = PrivateAttr(default=SECRET)

    @property
    def key(self):
        called.append("key")
        return SECRET

    @property
    def computed(self) -> str:
        called.append("computed")
        return SECRET

    def login(self):
        called.append("login")
        return SECRET


class Row(collections.namedtuple("Row", "name")):  # noqa: PYI024
    __slots__ = ()

    @property
    def key(self):
        called.append("key")
        return SECRET


VALUES = {
    "an object": Service(),
    "a dataclass": Record(),
    "a pydantic model": Model(),
    "a named tuple": Row("Ada"),
    "a class": Service,
    "a dataclass itself": Record,
    "a pydantic class itself": Model,
    "a module": json,
    "a function": nothing_is_called_and_the_engine_lives,
    "a method": Service().login,
    "a lambda": lambda: called.append("lambda"),
    "a builtin": print,
    "bytes": SECRET.encode(),
    "a bytearray": bytearray(SECRET.encode()),
    "a text": "text",
    "a number": 5,
    "a list": [1],
    "a dict": {"name": "Ada"},
    "a set": {1},
    "an exception": ValueError(SECRET),
    "a generator": (i for i in ()),
    "a file": None,
}
NAMES = [
    "__class__",
    "__class__.__mro__",
    "__init__.__globals__",
    "__dict__",
    "__doc__",
    "__module__",
    "__subclasses__",
    "__dataclass_fields__",
    "__pydantic_fields__",
    "model_fields",
    "model_dump",
    "_private",
    "_fields",
    "_asdict",
    "gi_frame",
    "args",
    "password",
    "token",
    "key",
    "computed",
    "login",
    "keys",
    "items",
    "append",
    "format",
    "decode",
    "dumps",
    "constructor",
    "constructor.constructor",
    "prototype",
    "__proto__",
    "toString",
]


def tag(inner):
    return "{{" + inner + "}}"


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in VALUES.items()])
def test_templates_cannot_reach_python_internals(engine, value):
    for name in NAMES:
        path = ".".join(f"[{part}]" for part in name.split("."))
        for template in (tag(f"v.{path}"), tag(f"v.{name}"), tag(f'lookup v "{name}"')):
            with pytest.raises(TemplateError) as caught:
                engine.render_sync(template, {"v": value})
            assert SECRET not in everything_said_by(caught.value)
        assert engine.render_sync(tag(f"#if v.{path}") + "reached{{/if}}", {"v": value}) == ""
        assert (
            engine.render_sync("{{#with v}}" + tag(f"#each {path}") + "reached{{else}}{{/each}}{{/with}}", {"v": value})
            == ""
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_variables_object_exposes_only_its_fields(engine, name):
    for variables in (Record(), Model(), {"a": 1}):
        with pytest.raises(TemplateError):
            engine.render_sync(tag("[" + name.split(".")[0] + "]"), variables)


@pytest.mark.parametrize("value", [Service(), Service, json, print, SECRET.encode(), bytearray(b"ab")])
def test_objects_without_declared_fields_are_not_printed(engine, value):
    with pytest.raises(TemplateRenderError, match="has no text") as caught:
        engine.render_sync("{{v}}", {"v": value})
    assert SECRET not in everything_said_by(caught.value)
    with pytest.raises(TemplateRenderError, match="`each` takes a list or a mapping") as caught:
        engine.render_sync("{{#each v}}walked{{else}}no{{/each}}", {"v": value})
    assert SECRET not in everything_said_by(caught.value)
    assert engine.render_sync("{{#if v}}there{{/if}}", {"v": value}) == "there"


@pytest.mark.parametrize("value", [Record(), Model(), Row("Ada")])
def test_each_over_a_record_gives_only_public_fields(engine, value):
    shown = engine.render_sync("{{#each v}}{{@key}}={{this}};{{/each}}", {"v": value})
    assert shown in ("name=Ada;", "0=Ada;")


@pytest.mark.parametrize("value", [Record(), Model()])
def test_hints_name_no_private_field(engine, value):
    with pytest.raises(TemplateRenderError) as caught:
        engine.render_sync("{{v.privat}}", {"v": value})
    assert "_private" not in everything_said_by(caught.value)


# Values whose methods raise, and templates that call these methods.


def raising(base, method, error):
    def fail(*_):
        raise error

    return type("Hostile", (base,), {method: fail})


class Walkable:
    pass


FAILING = [
    ("str of a number", raising(Decimal, "__str__", ValueError(SECRET)), (1,), "{{v}}"),
    ("truth of a number", raising(Decimal, "__bool__", ValueError(SECRET)), (1,), "{{#if v}}x{{/if}}"),
    ("equality of a number", raising(float, "__eq__", ValueError(SECRET)), (1.5,), "{{#if v}}x{{/if}}"),
    ("length of a list", raising(list, "__len__", ValueError(SECRET)), ([1],), "{{v.length}}"),
    ("length of a list in a loop", raising(list, "__len__", ValueError(SECRET)), ([1],), "{{#each v}}{{/each}}"),
    ("item of a list", raising(list, "__getitem__", ValueError(SECRET)), ([1],), "{{v.[0]}}"),
    (
        "item of a deque in a loop",
        raising(collections.deque, "__getitem__", ValueError(SECRET)),
        ([1],),
        "{{#each v}}{{this}}{{/each}}",
    ),
    ("member of a mapping", raising(collections.UserDict, "__getitem__", ValueError(SECRET)), ({"a": 1},), "{{v.a}}"),
    (
        "walk of a mapping",
        raising(collections.UserDict, "__iter__", ValueError(SECRET)),
        ({"a": 1},),
        "{{#each v}}{{/each}}",
    ),
    ("iteration over an iterable", raising(Walkable, "__iter__", ValueError(SECRET)), (), "{{#each v}}{{/each}}"),
    ("missing key of a dict", raising(dict, "__missing__", ValueError(SECRET)), (), "{{v.a}}"),
]


@pytest.mark.parametrize(("kind", "arguments", "template"), [pytest.param(*row[1:], id=row[0]) for row in FAILING])
def test_a_value_that_raises_gives_location_and_cause(engine, kind, arguments, template):
    try:
        engine.render_sync("\n" + template, {"v": kind(*arguments)})
    except TemplateRenderError as error:
        assert error.line == 2  # noqa: PT017
        assert SECRET not in everything_said_by(error)  # noqa: PT017
        if error.__cause__ is not None:  # if the method was called at all
            assert str(error.__cause__) == SECRET  # noqa: PT017


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize(
    ("hostile", "template"),
    [
        (lambda error: raising(Decimal, "__str__", error)(1), "{{v}}"),
        (lambda error: raising(Decimal, "__bool__", error)(1), "{{#if v}}x{{/if}}"),
        (lambda error: raising(list, "__len__", error)([1]), "{{#if v}}x{{/if}}"),
        (lambda error: raising(collections.UserDict, "__getitem__", error)({"a": 1}), "{{v.a}}"),
        (lambda error: raising(Walkable, "__iter__", error)(), "{{#each v}}{{/each}}"),
        (lambda error: raising(str, "__eq__", error)("x"), '{{#if (eq v "y")}}{{/if}}'),
    ],
    ids=["text", "truth", "length", "member", "iteration", "equality"],
)
def test_interrupts_pass_through_unchanged(engine, stop, hostile, template):
    error = stop("now")
    hostile = hostile(error)
    with pytest.raises(stop) as caught:
        engine.render_sync(template, {"v": hostile})
    assert caught.value is error


def test_a_value_s_str_may_render_a_template(engine):
    template = engine.compile("<{{v}}>")

    class Nested(Decimal):
        def __str__(self):
            return template.render({"v": "inner"})

    assert template.render({"v": Nested(1)}) == "<<inner>>"


def test_a_value_s_str_that_renders_itself_is_an_error():
    code = """
import threading
from decimal import Decimal
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError
template = TemplateEngine().compile("{{#if v}}{{v}}{{/if}}")
class RendersItself(Decimal):
    def __str__(self):
        return template.render({"v": self})
def work():
    try:
        template.render({"v": RendersItself(1)})
    except (TemplateRenderError, RecursionError):
        print(template.render({"v": "alive"}))
work()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    assert run_python(code, timeout=60) == "alive\nalive\n"


def test_fifty_megabytes_of_braces_are_refused_at_once(engine):
    with pytest.raises(TemplateSyntaxError, match="limit"):
        engine.compile("{" * 50_000_000)
    wide = TemplateEngine(limits={"source_bytes": 100_000_000})
    with pytest.raises(TemplateSyntaxError):
        wide.compile("{" * 50_000_000)


@pytest.mark.parametrize("partials", [{"a": "{{> a}}"}, {"a": "{{> b}}", "b": "x{{#if 1}}{{> a}}{{/if}}"}])
def test_partials_that_include_each_other_are_an_error(engine, partials):
    with pytest.raises(TemplateRenderError, match="deep"):
        engine.render_sync("{{> a}}", {}, partials=partials)


@pytest.mark.parametrize("grow", [True, False])
def test_changing_a_list_during_each_is_safe(engine, grow):
    items = []

    class ChangingItem(Decimal):
        def __str__(self):
            if not grow:
                items.clear()
            elif len(items) < 1000:
                items.extend([ChangingItem(2)] * 10)
            return "m"

    items.extend([ChangingItem(1)] * 3)
    shown = engine.render_sync("{{#each v}}{{this}}{{/each}}|{{v}}", {"v": items})
    assert set(shown) <= {"m", "|", ","}


def test_changing_a_mapping_during_each_is_safe(engine):
    members = {}

    class ChangingItem(Decimal):
        def __str__(self):
            members.clear()
            return "m"

    members.update({str(n): ChangingItem(n) for n in range(100)})
    assert engine.render_sync("{{#each v}}{{this}}{{/each}}", {"v": members}).startswith("m")


def test_an_endless_generator_stops_at_the_step_limit():
    engine = TemplateEngine(limits={"steps": 1000})
    with pytest.raises(TemplateRenderError, match="1000 steps"):
        engine.render_sync("{{#each v}}{{/each}}", {"v": itertools.count()})
    with pytest.raises(TemplateRenderError, match="1000 steps"):
        engine.render_sync("{{#each v}}{{this}}{{/each}}", {"v": itertools.repeat("x")})


class EndlessMapping(Mapping):
    """A mapping whose items never end."""

    def __getitem__(self, key):
        return key

    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 1

    def items(self):
        return ((number, number) for number in itertools.count())


@pytest.mark.parametrize(
    ("template", "schema", "value"),
    [
        pytest.param("{{#each v}}{{/each}}", None, itertools.count(), id="iterator in a loop"),
        pytest.param("{{#each v}}{{/each}}", None, EndlessMapping(), id="mapping in a loop"),
        pytest.param("{{json v}}", "values", itertools.count(), id="iterator for a schema"),
    ],
)
def test_a_value_that_never_ends_is_an_error(template, schema, value):
    """It would be kept whole, for the schema or for a second loop, and fill the memory."""
    manager = PromptManager()
    manager.register_schema("values", {"name": "values", "fields": [{"name": "v", "type": "list"}]})
    manager.create_prompt_sync(Prompt(id="p", template=template, input_schema=schema, status="active"))
    with pytest.raises(TemplateRenderError, match="more than 1000000 items"):
        manager.render_sync("p", {"v": value})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"v": itertools.count()}, "v"),
        ({"v": [], "w": {"x": itertools.count()}}, "w.x"),
        ({"v": [], "l": [{}, {"x": itertools.count()}]}, r"l\[1\].x"),
        ({"v": (1 // 0 for _ in [1])}, "v"),
    ],
)
def test_an_error_of_a_schema_names_the_field(value, path):
    manager = PromptManager()
    inner = {"name": "inner", "fields": [{"name": "x", "type": "list", "required": False}]}
    fields = [
        {"name": "v", "type": "list"},
        {"name": "w", "type": "dict", "nested_schema": "inner", "required": False},
        {"name": "l", "type": "list", "item_schema": "inner", "required": False},
    ]
    manager.register_schema("inner", inner)
    manager.register_schema("values", {"name": "values", "fields": fields})
    manager.create_prompt_sync(Prompt(id="p", template="{{json v}}", input_schema="values", status="active"))
    with pytest.raises(TemplateRenderError, match=rf"the input of prompt 'p': {path}: ") as caught:
        manager.render_sync("p", value)
    assert caught.value.context["field"] == path.replace("\\", "")


def test_output_stops_at_its_limit():
    engine = TemplateEngine(limits={"output_bytes": 1000})
    for value in ("x" * 100, "ж" * 100):
        with pytest.raises(TemplateRenderError, match="1000 bytes"):
            engine.render_sync("{{#each v}}{{this}}{{/each}}", {"v": [value] * 100})


def test_limits_count_per_render_and_not_per_engine():
    engine = TemplateEngine(limits={"steps": 50})
    for _ in range(20):
        assert engine.render_sync("{{#each v}}{{this}}{{/each}}", {"v": range(10)}) == "0123456789"


def test_printing_lists_that_contain_themselves_ends(engine):
    items: list[object] = []
    items.append(items)
    members: dict[str, object] = {}
    members["self"] = members
    with pytest.raises(TemplateRenderError, match="itself"):
        engine.render_sync("{{v}}", {"v": items})
    assert engine.render_sync("{{v.self.self.self.length}}", {"v": members}) == "1"
    with pytest.raises(TemplateRenderError, match="deep"):
        engine.render_sync("{{> p}}", members, partials={"p": "{{#with self}}{{> p}}{{/with}}"})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a = []; b = [a, a]; a += [b, b]; value = a", id="two lists that hold each other"),
        pytest.param("value = 'x'\nfor _ in range(30): value = [value] * 2", id="a list that doubles thirty times"),
        pytest.param("import builtins; value = builtins.range(2**40)", id="an endless range"),
    ],
)
def test_printing_a_huge_list_stops_at_a_limit(value):
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError
{value}
engine = TemplateEngine(limits={{"steps": 10_000, "output_bytes": 10_000}})
try:
    engine.render_sync("{{{{v}}}}", {{"v": value}})
except TemplateRenderError:
    print("error")
"""
    assert run_python(code, timeout=10) == "error\n"


@pytest.mark.parametrize(
    "template",
    ["{{#if a}}" * 100_000, "{{lookup " + "(lookup " * 100_000, "{{#if a}}" + "{{else if b}}" * 100_000],
)
def test_a_deeply_nested_template_is_refused(engine, template):
    with pytest.raises(TemplateSyntaxError, match="100 levels deep"):
        engine.compile(template)


def test_deeply_nested_data_is_safe(engine):
    deep: object = "end"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TemplateRenderError):
        engine.render_sync("{{v}}", {"v": deep})
    recursive = {"p": "{{#each this}}{{> p}}{{/each}}"}
    with pytest.raises(TemplateRenderError, match="deep"):
        engine.render_sync("{{> p v}}", {"v": deep}, partials=recursive)
    while isinstance(deep, list):  # taken apart here, so that no destructor recurses
        deep = deep.pop()


def test_a_long_path_is_safe(engine):
    path = ".".join("a" * 1 for _ in range(10_000))
    with pytest.raises(TemplateError):
        engine.render_sync("{{" + path + "}}", {"a": {"b": 1}})


def test_values_are_never_parsed_as_templates(engine):
    engine.register_partial("p", SECRET)
    value = "{{> p}}{{other}}{{{other}}}\\{{other}}{{#if other}}{{/if}}}}"
    assert engine.render_sync("{{v}}", {"v": value, "other": SECRET}) == value
    assert engine.render_sync('{{> (lookup . "v")}}', {"v": "p"}) == SECRET  # only if a template says so


LEAKS = [
    "{{missing}}",
    "{{v.missing}}",
    "{{v.[0].x}}",
    "{{#each v}}{{/each}}{{missing}}",
    "{{> missing}}",
    '{{> (lookup . "v")}}',
    "{{#with v}}{{missing}}{{/with}}",
    "{{lookup v missing}}",
]


@pytest.mark.parametrize("template", LEAKS)
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"key": SECRET}])
def test_render_errors_do_not_contain_values(engine, template, value):
    with pytest.raises(PromptManagerError) as caught:
        engine.render_sync(template, {"v": value, "w": SECRET})
    assert SECRET not in everything_said_by(caught.value)
    assert SECRET not in everything_said_by(pickle.loads(pickle.dumps(caught.value)))


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("integer", SECRET),
        ("list", SECRET),
        ("boolean", SECRET),
        ("date", SECRET),
        ("uuid", SECRET),
        ("string", [SECRET]),
        ("string", {SECRET: SECRET}),
    ],
)
def test_type_errors_do_not_contain_values(declared, value):
    manager = PromptManager()
    template = {"content": "{{v}}", "variables": {"v": declared}}
    manager.registry.register_sync(Prompt(id="a", format="text", template=template))
    with pytest.raises(TemplateRenderError, match="must be of type") as caught:
        manager.render_sync("a", {"v": value})
    assert SECRET not in everything_said_by(caught.value)


@pytest.mark.parametrize(
    "history",
    [
        SECRET,
        [SECRET],
        {"role": SECRET},
        [{"role": "user", "content": {SECRET: SECRET}}],
        [{"role": "user", "content": object(), "name": SECRET}],
        [{"role": "user", "content": [{"type": SECRET}]}],
        [{"role": SECRET, "content": "x"}],
        [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": f'["{SECRET}"]'}}]}],
        [{"role": "assistant", "tool_calls": SECRET}],
    ],
)
def test_placeholder_errors_do_not_contain_values(history):
    manager = PromptManager()
    messages = [{"role": "placeholder", "name": "history"}, {"role": "user", "content": "x"}]
    manager.registry.register_sync(Prompt(id="a", format="chat", chat_template={"messages": messages}))
    with pytest.raises(TemplateRenderError) as caught:
        manager.render_messages_sync("a", {"history": history})
    assert SECRET not in everything_said_by(caught.value)


def test_a_deep_value_in_a_placeholder_does_not_crash():
    code = """
from prompt_manager import Prompt, PromptManager
from prompt_manager.exceptions import PromptManagerError
manager = PromptManager()
messages = [{"role": "placeholder", "name": "history"}]
manager.registry.register_sync(Prompt(id="a", format="chat", chat_template={"messages": messages}))
deep = "end"
for _ in range(100_000):
    deep = [deep]
itself = []
itself.append(itself)
for content in (deep, itself):
    try:
        manager.render_messages_sync("a", {"history": [{"role": "user", "content": content}]})
    except (PromptManagerError, RecursionError):
        print("error")
while isinstance(deep, list):
    deep = deep.pop()
"""
    assert run_python(code) == "error\nerror\n"


def test_a_deep_value_in_metadata_does_not_crash():
    code = """
from pydantic import ValidationError
from prompt_manager import Prompt
itself = {}
itself["self"] = itself
deep = {}
for _ in range(100_000):
    deep = {"a": deep}
for custom in (itself, deep):
    try:
        Prompt(id="a", format="text", template="x", metadata={"custom": custom})
    except (ValidationError, RecursionError, ValueError):
        print("error")
while deep:
    deep = deep.popitem()[1]
"""
    assert run_python(code) == "error\nerror\n"


@pytest.mark.parametrize("blocks", [0, 10, 80])
@pytest.mark.parametrize("thread", [False, True], ids=["main thread", "thread"])
def test_a_property_that_renders_itself_is_an_error(blocks, thread):
    code = f"""
import threading
from dataclasses import dataclass
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError

ENGINE = TemplateEngine()
TEMPLATE = "{{{{#if 1}}}}" * {blocks} + "{{{{v.name}}}}" + "{{{{/if}}}}" * {blocks}

@dataclass
class User:
    name: str = "Ada"

    def __getattribute__(self, name):
        return ENGINE.render_sync(TEMPLATE, {{"v": self}}) if name == "name" else object.__getattribute__(self, name)

def render():
    try:
        ENGINE.render_sync(TEMPLATE, {{"v": User()}})
    except TemplateRenderError as error:
        while error.__cause__:
            error = error.__cause__
        print(type(error).__name__, ENGINE.render_sync("{{{{a}}}}", {{"a": "alive"}}))

if {thread}:
    thread = threading.Thread(target=render)
    thread.start()
    thread.join()
else:
    render()
"""
    assert run_python(code).split()[-1] == "alive"
