"""`Template.render` has a fast way for the usual call. To callers there is one method."""

from __future__ import annotations

import contextlib
import gc
import inspect
import pickle
import re
import sys
import threading
import weakref
from collections import UserDict

import pytest

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError

ENGINE = TemplateEngine()

#: A template that only prints and loops, and one that includes a partial.
PRINTING = "Hi {{name}}{{#each items}}, {{this}}{{/each}}"
INCLUDING = "Hi {{name}}{{> end}}"

CALLS = {
    "positional": lambda render, variables: render(variables),
    "by name": lambda render, variables: render(variables=variables),
    "with nothing else": lambda render, variables: render(variables, partials=None, data=None),
    "unpacked": lambda render, variables: render(*[variables]),
    "another mapping": lambda render, variables: render(UserDict(variables)),
    "of the class": lambda render, variables: type(render.__self__).render(render.__self__, variables),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("source", [PRINTING, INCLUDING])
def test_each_way_to_call_it_gives_the_same(call, source):
    engine = TemplateEngine()
    engine.register_partial("end", "{{#each items}}, {{this}}{{/each}}")
    assert call(engine.compile(source).render, {"name": "Ada", "items": ["a", "b"]}) == "Hi Ada, a, b"


WRONG_CALLS = {
    "nothing": ((), {}, "missing 1 required positional argument: 'variables'"),
    "two": (({}, {}), {}, "takes 1 positional arguments but 2 were given"),
    "an unknown name": (({},), {"varibles": 1}, "got an unexpected keyword argument 'varibles'"),
    "twice": (({},), {"variables": {}}, "got multiple values for argument 'variables'"),
}


@pytest.mark.parametrize(("arguments", "named", "message"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_a_wrong_call_says_what_is_wrong(arguments, named, message):
    with pytest.raises(TypeError, match=re.escape(f"Template.render() {message}")):
        ENGINE.compile(PRINTING).render(*arguments, **named)


def test_a_value_that_is_no_mapping_is_refused():
    with pytest.raises(TypeError, match="variables must be a mapping of names to values, not int"):
        ENGINE.compile(PRINTING).render(3)


def test_another_object_has_no_such_method():
    with pytest.raises(TypeError, match="doesn't apply to a 'int' object"):
        type(ENGINE.compile(PRINTING)).render(3, {})


def test_its_signature_can_be_read():
    signature = inspect.signature(ENGINE.compile(PRINTING).render)
    assert str(signature) == "(variables, *, partials=None, data=None)"


def test_the_bound_method_can_be_pickled():
    render = pickle.loads(pickle.dumps(ENGINE.compile(PRINTING).render))
    assert render({"name": "Ada", "items": []}) == "Hi Ada"


def test_an_exception_of_a_value_arrives():
    def items():
        yield "one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINE.compile(PRINTING).render({"name": "Ada", "items": items()})


def test_an_exception_of_a_value_is_given_back_at_once():
    class ApplicationError(Exception):
        pass

    def items(error):
        yield "one"
        raise error

    def render():
        error = ApplicationError()
        known = weakref.ref(error)
        with contextlib.suppress(ApplicationError, TemplateRenderError):
            template.render({"name": "Ada", "items": items(error)})
        return known

    template = ENGINE.compile(PRINTING)
    known = render()
    gc.collect()
    assert known() is None


def test_a_value_may_render_another_template():
    def items():
        yield ENGINE.compile("[{{x}}]").render({"x": "inner"})
        yield ENGINE.render_sync("{{upper x}}", {"x": "b"})

    assert ENGINE.compile(PRINTING).render({"name": "é", "items": items()}) == "Hi é, [inner], B"


def test_no_reference_is_kept_or_lost():
    template, variables = ENGINE.compile(PRINTING), {"name": "Ada Lovelace", "items": ["one", "two"]}
    counted = [template, variables, variables["name"], variables["items"], variables["items"][0]]
    before = [sys.getrefcount(value) for value in counted]
    for _ in range(1_000):
        template.render(variables)
        template.render(variables=variables)
        with pytest.raises(Exception, match="Missing variable"):
            template.render({"items": variables["items"]})
        with pytest.raises(TypeError):
            template.render(variables, variables)
    gc.collect()
    assert [sys.getrefcount(value) for value in counted] == before


def test_threads_render_at_the_same_time():
    template, wrong = ENGINE.compile("{{name}} {{name}} {{#each items}}{{this}}{{/each}}"), []

    def render(name):
        for count in range(2_000):
            text = template.render({"items": [name] * (count % 5), "name": name})
            if text != f"{name} {name} " + name * (count % 5):
                wrong.append(text)

    threads = [threading.Thread(target=render, args=(f"n{i}é" * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
