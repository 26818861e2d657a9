"""Python functions as helpers in templates."""

from __future__ import annotations

import threading

import pytest

from helpers import run_python
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError, TemplateSyntaxError


@pytest.fixture
def engine():
    return TemplateEngine()


class TestNames:
    def test_a_bare_helper_name_calls_the_helper(self, engine):
        engine.register_helper("today", lambda: "Monday")
        assert engine.render_sync("{{today}} {{name}}", {"name": "Ada"}) == "Monday Ada"
        assert engine.extract_variables("{{today}} {{name}}") == ["name"]
        assert engine.extract_variables("{{#each days as |today|}}{{today}}{{/each}}") == ["days"]


class TestArguments:
    def test_helpers_get_positional_and_named_arguments(self, engine):
        engine.register_helper("show", lambda *args, **named: f"{args} {named}")
        shown = engine.render_sync("{{show 1 'two' name key=list last=true}}", {"name": "Ada", "list": [3]})
        assert shown == "(1, 'two', 'Ada') {'key': [3], 'last': True}"

    def test_helpers_get_the_original_python_objects(self, engine):
        given = []
        engine.register_helper("keep", lambda value: given.append(value) or "")
        value = object()
        engine.render_sync("{{keep v}}", {"v": value})
        assert given[0] is value

    def test_missing_variables_are_passed_as_none(self, engine):
        engine.register_helper("show", repr)
        assert engine.render_sync("{{show nothing}}", {}) == "None"

    def test_arguments_can_be_helper_calls(self, engine):
        engine.register_helper("add", lambda a, b: a + b)
        assert engine.render_sync("{{add (add 1 2) (add x (length word))}}", {"x": 3, "word": "four"}) == "10"

    def test_wrong_arguments_raise_an_error_naming_the_helper(self, engine):
        engine.register_helper("one", lambda value: value)
        with pytest.raises(TemplateRenderError, match="helper `one` raised TypeError") as caught:
            engine.render_sync("ab{{one 1 2}}", {})
        assert (caught.value.line, caught.value.column) == (1, 5)
        assert isinstance(caught.value.__cause__, TypeError)


class TestResults:
    @pytest.mark.parametrize(("result", "text"), [("a", "a"), (True, "true"), (1.5, "1.5"), ([1, 2], "1,2")])
    def test_results_are_printed_like_variables(self, engine, result, text):
        engine.register_helper("give", lambda: result)
        assert engine.render_sync("{{give}}", {}) == text

    def test_results_work_in_each_and_if_blocks(self, engine):
        engine.register_helper("words", lambda text: text.split())
        engine.register_helper("long", lambda text: len(text) > 2)
        template = "{{#each (words t)}}{{#if (long this)}}{{this}};{{/if}}{{/each}}"
        assert engine.render_sync(template, {"t": "of all the words"}) == "all;the;words;"

    def test_printing_a_result_of_none_is_an_error(self, engine):
        engine.register_helper("nothing", lambda: None)
        with pytest.raises(TemplateRenderError, match="nothing"):
            engine.render_sync("{{nothing}}", {})
        assert TemplateEngine(allow_none=True).render_sync("{{x}}", {"x": None}) == ""

    def test_results_are_not_parsed_as_templates(self, engine):
        engine.register_helper("give", lambda: "{{secret}}")
        assert engine.render_sync("{{give}}", {"secret": "x"}) == "{{secret}}"


class TestOptions:
    def test_options_give_name_context_hash_and_data(self, engine):
        seen = []
        engine.register_helper("look", lambda options, *_: seen.append(options) or "", pass_options=True)
        engine.render_sync("{{#each items}}{{look 1 a=2}}{{/each}}", {"items": [{"n": 1}]}, data={"user": "Ada"})
        (options,) = seen
        assert options.name == "look"
        assert options.context == {"n": 1}
        assert options.hash == {"a": 2}
        assert {key: options.data[key] for key in ("index", "first", "last", "user")} == {
            "index": 0,
            "first": True,
            "last": True,
            "user": "Ada",
        }
        assert options.data["root"] == {"items": [{"n": 1}]}
        assert (options.fn(), options.inverse(), options.block_params) == ("", "", 0)

    def test_options_render_the_block_and_its_else_branch(self, engine):
        engine.register_helper(
            "only", lambda options, wanted: options.fn() if wanted else options.inverse(), pass_options=True
        )
        template = "{{#only v}}yes {{name}}{{else}}no {{name}}{{/only}}"
        assert engine.render_sync(template, {"v": 1, "name": "Ada"}) == "yes Ada"
        assert engine.render_sync(template, {"v": 0, "name": "Ada"}) == "no Ada"

    @pytest.mark.parametrize("call", [lambda o, c: o.fn(c), lambda o, c: o.fn(context=c)])
    def test_options_render_the_block_with_another_context(self, engine, call):
        engine.register_helper("on", call, pass_options=True)
        assert (
            engine.render_sync("{{#on p}}{{name}} of {{../name}}{{/on}}", {"p": {"name": "a"}, "name": "b"}) == "a of b"
        )

    def test_options_render_the_block_with_none_as_context(self, engine):
        engine.register_helper("none", lambda options: options.fn(None), pass_options=True)
        assert engine.render_sync("{{#none}}{{#if this}}a{{else}}b{{/if}}{{/none}}", {"x": 1}) == "b"

    def test_options_pass_data_and_block_parameters(self, engine):
        def times(options, count):
            return "".join(options.fn(data={"turn": n}, block_params=[n, n * n]) for n in range(count))

        engine.register_helper("times", times, pass_options=True)
        assert engine.render_sync("{{#times 3 as |n square|}}{{@turn}}:{{n}}:{{square}} {{/times}}", {}) == (
            "0:0:0 1:1:1 2:2:4 "
        )

    def test_options_can_be_used_after_the_render(self, engine):
        kept = []
        engine.register_helper("keep", lambda options: kept.append(options) or "", pass_options=True)
        engine.render_sync(
            "{{#each items}}{{#keep}}{{this}} of {{../name}}{{/keep}}{{/each}}", {"items": ["a", "b"], "name": "x"}
        )
        assert [options.fn() for options in kept] == ["a of x", "b of x"]


class TestErrors:
    def test_errors_have_helper_name_location_and_cause(self, engine):
        def broken(_):
            raise LookupError("sold out")

        engine.register_helper("price", broken)
        with pytest.raises(TemplateRenderError, match="helper `price` raised LookupError") as caught:
            engine.compile("one\n  {{price item}}", name="offer").render({"item": "the secret"})
        error = caught.value
        assert (error.template_name, error.line, error.column) == ("offer", 2, 5)
        assert isinstance(error.__cause__, LookupError)
        assert "the secret" not in str(error)

    def test_errors_within_a_block_have_the_location_within_it(self, engine):
        engine.register_helper("pass", lambda options: options.fn(), pass_options=True)
        with pytest.raises(TemplateRenderError, match="Missing variable 'name'") as caught:
            engine.render_sync("{{#pass}}\n{{name}}\n{{/pass}}", {})
        assert caught.value.line == 2

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_interrupts_pass_through_and_the_engine_stays_usable(self, engine, stop):
        waiting = [stop()]

        def interrupted(options):
            if waiting:
                raise waiting.pop()
            return options.fn()

        engine.register_helper("work", interrupted, pass_options=True)
        template = engine.compile("{{#each items}}{{#work}}{{this}}{{/work}}{{/each}}")
        with pytest.raises(stop):
            template.render({"items": ["a", "b", "c"]})
        assert template.render({"items": ["a", "b", "c"]}) == "abc"
        assert engine.render_sync("{{x}}", {"x": 1}) == "1"

    def test_a_misspelled_helper_gets_a_suggestion(self, engine):
        engine.register_helper("currency", str)
        with pytest.raises(TemplateSyntaxError, match="currency"):
            engine.compile("{{curency 1}}")

    @pytest.mark.parametrize("function", ["upper", 1])
    def test_registering_a_helper_that_is_not_callable_fails(self, engine, function):
        with pytest.raises(TypeError, match="must be callable"):
            engine.register_helper("h", function)


class TestRecursion:
    def test_endless_recursion_through_a_helper_is_an_error(self):
        code = """
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError
engine = TemplateEngine()
engine.register_helper("again", lambda options: options.fn(), pass_options=True)
engine.register_partial("p", "{{#again}}{{> p}}{{/again}}")
try:
    engine.render_sync("{{> p}}", {})
except TemplateRenderError as error:
    print(type(error).__name__)
def forever(options):
    return engine.render_sync("{{#forever}}{{/forever}}", {})
engine.register_helper("forever", forever, pass_options=True)
try:
    engine.render_sync("{{#forever}}{{/forever}}", {})
except TemplateRenderError as error:
    print(type(error).__name__)
kept = []
def own(options):
    kept.append(options)
    return kept[0].fn()
engine.register_helper("own", own, pass_options=True)
try:
    engine.render_sync("{{#own}}{{#own}}{{/own}}{{/own}}", {})
except TemplateRenderError as error:
    print(type(error).__name__)
print(engine.render_sync("{{x}}", {"x": "alive"}))
"""
        lines = run_python(code, timeout=60).splitlines()
        assert lines == ["TemplateRenderError"] * 3 + ["alive"]

    def test_recursion_in_eight_threads_is_an_error_in_each(self, engine):
        engine.register_helper("again", lambda options: options.fn(), pass_options=True)
        engine.register_partial("p", "{{#again}}{{> p}}{{/again}}")
        results: list[object] = []

        def work():
            for _ in range(5):
                try:
                    engine.render_sync("{{> p}}", {})
                except TemplateRenderError:
                    results.append(engine.render_sync("{{x}}", {"x": 1}))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == ["1"] * 40


class TestOfPrompts:
    """Helpers in prompts of a manager; if a variable has the name of a helper, the helper wins."""

    def test_a_helper_wins_over_a_variable_of_the_same_name(self, engine):
        engine.register_helper("name", lambda: "the helper")
        assert engine.render_sync("{{name}} {{./name}} {{this.name}}", {"name": "Ada"}) == "the helper Ada Ada"

    def test_a_built_in_helper_can_be_replaced(self, engine):
        engine.register_helper("upper", lambda text: f"<{text}>")
        assert engine.render_sync("{{upper x}}", {"x": "a"}) == "<a>"

    def test_the_helper_decorator_returns_the_function(self, engine):
        @engine.register_helper("double")
        def double(value):
            return value * 2

        assert double(2) == 4
        assert engine.render_sync("{{double 2}}", {}) == "4"
