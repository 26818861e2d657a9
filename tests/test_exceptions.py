"""The exceptions: their classes, attributes, text and pickling."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from prompt_manager import PromptManager, TemplateEngine, exceptions
from prompt_manager._distribution import DISTRIBUTION
from prompt_manager.exceptions import (
    ConversionError,
    IntegrationNotAvailableError,
    PromptManagerError,
    PromptValidationError,
    StorageReadError,
    TemplateRenderError,
    TemplateSyntaxError,
)

CLASSES = {
    name: value
    for name, value in vars(exceptions).items()
    if inspect.isclass(value)
    and issubclass(value, PromptManagerError)
    and not name.startswith("_")
    and value.__name__ == name
}

#: Names that the published package has for one of the classes.
ALIASES = {"TelemetryError": exceptions.ObservabilityError, "TracingError": exceptions.ObservabilityError}


def made(kind):
    if kind is IntegrationNotAvailableError:
        return kind("LangChain", "langchain")
    return kind("It broke", path="a.yaml", line=3, errors=[PromptManagerError("inner", n=1)])


def drawn():
    """Return the classes in the tree in the module's docstring, each with its base class."""
    found, above = {}, {}
    for line in exceptions.__doc__.splitlines():
        match = re.fullmatch(r"    ([│├└─ ]*)(\w+Error)", line)
        if match:
            depth = len(match[1]) // 4
            above[depth] = match[2]
            found[match[2]] = above.get(depth - 1)
    return found


def test_the_class_tree_in_the_docstring_is_correct():
    real = {}
    for name, kind in CLASSES.items():
        parents = [base.__name__ for base in kind.__mro__[1:] if base.__name__ in CLASSES]
        real[name] = parents[0] if parents else None
    assert len(real) == 26
    assert drawn() == real


def test_all_lists_every_exception():
    assert sorted(exceptions.__all__) == sorted([*CLASSES, *ALIASES, "PromptWarning"])
    assert {name: getattr(exceptions, name) for name in ALIASES} == ALIASES


@pytest.mark.parametrize("kind", CLASSES.values())
class TestEach:
    def test_is_a_prompt_manager_error(self, kind):
        assert issubclass(kind, PromptManagerError)
        with pytest.raises(PromptManagerError):
            raise made(kind)

    def test_has_a_message_and_a_context(self, kind):
        error = made(kind)
        assert str(error) == error.message
        assert error.args == (error.message,)
        if kind is not IntegrationNotAvailableError:
            assert error.message == "It broke"
            assert error.context["path"] == "a.yaml"
            assert kind("alone").context == {}

    @pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
    def test_can_be_pickled(self, kind, protocol):
        error = made(kind)
        error._report = f"{error.message}\n  at a.yaml:3:1"
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is kind
        assert (str(again), again.message, again.args) == (str(error), error.message, error.args)
        assert str(again) == f"{error.message}\n  at a.yaml:3:1"
        assert str(again.context) == str(error.context)

    def test_can_be_copied(self, kind):
        error = made(kind)
        for again in (copy.copy(error), copy.deepcopy(error)):
            assert (type(again), str(again), again.context.keys()) == (kind, str(error), error.context.keys())

    def test_has_its_own_docstring(self, kind):
        assert kind.__doc__ not in {base.__doc__ for base in kind.__mro__[1:]}


def raised_by_the_core(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def test_a_raised_error_survives_pickling(tmp_path):
    engine = TemplateEngine()
    (tmp_path / "a.yaml").write_text("id: a\nformat: text\ntemplate: {{a}}\n")
    (tmp_path / "b.yaml").write_text("id: b\nformat: text\ntemplate: '{{#if a}}'\n")
    for error in (
        raised_by_the_core(lambda: engine.render_sync("{{a", {}), TemplateSyntaxError),
        raised_by_the_core(lambda: engine.render_sync("{{a}}", {}), TemplateRenderError),
        raised_by_the_core(lambda: PromptManager.from_directory_sync(tmp_path), StorageReadError),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.message) == (type(error), str(error), error.message)
        assert (again.line, again.column, again.hint) == (error.line, error.column, error.hint)
        for inner, before in zip(getattr(again, "errors", ()), getattr(error, "errors", ()), strict=True):
            assert (type(inner), str(inner), inner.line) == (type(before), str(before), before.line)


def test_str_shows_the_message_position_and_hint():
    error = raised_by_the_core(lambda: TemplateEngine().render_sync("{{nmae}}", {"name": 1}), TemplateRenderError)
    assert str(error).splitlines() == [
        "Missing variable 'nmae'",
        "  at line 1, column 3",
        "  1 | {{nmae}}",
        "    |   ^",
        "  hint: did you mean `name`?",
    ]


def test_position_attributes_are_none_without_a_position():
    error = TemplateRenderError("x")
    assert (error.line, error.column, error.source_line, error.hint, error.template_name) == (None,) * 5
    error = PromptValidationError("x")
    assert (error.path, error.line, error.errors) == (None, None, ())


def test_a_missing_package_error_has_the_install_command():
    error = IntegrationNotAvailableError("LangChain", "langchain")
    assert str(error) == f"LangChain integration not available. Install with: pip install {DISTRIBUTION}[langchain]"
    assert error.context == {"integration": "LangChain", "extra": "langchain"}


def test_a_hint_that_python_code_gives_is_shown():
    error = exceptions.ConversionError("MCP has no tools", hint="remove the tools")
    for shown in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert str(shown) == "MCP has no tools\n  hint: remove the tools"
        assert shown.message == "MCP has no tools"


def test_a_custom_exception_can_be_pickled():
    again = pickle.loads(pickle.dumps(OwnError(7)))
    assert (str(again), again.number) == ("number 7", 7)


class OwnError(ConversionError):
    def __init__(self, number):
        super().__init__(f"number {number}")
        self.number = number
