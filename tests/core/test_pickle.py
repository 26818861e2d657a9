"""Engines and templates that are pickled, copied, or used by another process."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import pickle

import pytest

from prompt_manager import TemplateEngine
from prompt_manager.core.template import ChatTemplateEngine
from prompt_manager.exceptions import TemplateRenderError, TemplateSyntaxError

OPTIONS = [
    {"strict": False},
    {"allow_none": True},
    {"escape": True},
    {"limits": {"steps": 7}},
    {"assume_objects": True},
    {"known_helpers": ["later"], "known_helpers_only": True},
    {"prevent_indent": True},
    {"ignore_standalone": True},
    {"explicit_partial_context": True},
    {"compat": True},
    {"dialect": "handlebars"},
    {"dialect": "handlebars", "strict": True, "escape": False},
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_template_keeps_its_engine(protocol):
    engine = TemplateEngine()
    engine.register_helper("shout", str.upper)
    engine.register_partial("sign", "-- {{shout name}}")
    template = engine.compile("Dear {{title}},\n{{> sign}}", name="letter")
    copied = pickle.loads(pickle.dumps(template, protocol))
    assert copied.source == template.source
    assert copied.render({"title": "Dr", "name": "ada"}) == "Dear Dr,\n-- ADA"
    with pytest.raises(TemplateRenderError) as caught:
        copied.render({"title": "Dr"})
    assert caught.value.template_name == "sign"
    with pytest.raises(TemplateRenderError) as caught:
        copied.render({"name": "ada"})
    assert caught.value.template_name == "letter"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_pickled_engine_keeps_its_options(options):
    engine = TemplateEngine(**options)
    copied = pickle.loads(pickle.dumps(engine))
    assert type(copied) is TemplateEngine
    assert copied.__getnewargs_ex__() == engine.__getnewargs_ex__()
    defaults = TemplateEngine().__getnewargs_ex__()
    assert copied.__getnewargs_ex__() != defaults


def test_templates_pickled_together_share_their_engine():
    engine = TemplateEngine()
    first, second = pickle.loads(pickle.dumps([engine.compile("{{> p}}"), engine.compile("<{{> p}}>")]))
    owner = first.__reduce__()[1][0]
    owner.register_partial("p", "hello")
    assert (first.render({}), second.render({})) == ("hello", "<hello>")
    with pytest.raises(TemplateRenderError):
        engine.render_sync("{{> p}}", {})


def test_a_copied_engine_is_independent():
    engine = TemplateEngine()
    engine.register_partial("p", "one")
    copied = copy.copy(engine)
    copied.register_partial("p", "two")
    assert (engine.render_sync("{{> p}}", {}), copied.render_sync("{{> p}}", {})) == ("one", "two")


def test_an_unpicklable_helper_raises_python_s_own_error():
    engine = TemplateEngine()
    engine.register_helper("local", lambda: "x")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(engine)


def test_another_process_renders_a_template():
    template = TemplateEngine().compile("Hello {{name}}!")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(template.render, {"name": "Ada"}).result(timeout=60) == "Hello Ada!"


def test_chat_engines_and_errors_can_be_pickled():
    engine = pickle.loads(pickle.dumps(ChatTemplateEngine()))
    assert engine.render_messages_sync([{"role": "user", "content": "{{x}}"}], {"x": 1}) == [
        {"role": "user", "content": "1"}
    ]
    with pytest.raises(TemplateSyntaxError) as caught:
        TemplateEngine().compile("{{#if a}}", name="t")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.line, copied.template_name) == (str(caught.value), 1, "t")


def test_a_template_cannot_be_changed():
    template = TemplateEngine().compile("{{x}}")
    for name in ("source", "variables", "anything"):
        with pytest.raises(AttributeError):
            setattr(template, name, "y")
