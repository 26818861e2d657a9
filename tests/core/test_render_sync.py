"""`PromptManager.render_sync` is a method of the core. To callers it is a method like any other."""

from __future__ import annotations

import inspect
import weakref
from unittest import mock

import pytest

from prompt_manager import Prompt, PromptManager, PromptRegistry
from prompt_manager.core.cache import MemoryCache
from prompt_manager.observability import MetricsCollector, Observer


def registry(text):
    prompts = PromptRegistry()
    prompts.register_sync(Prompt(id="hi", template=text, status="active"))
    return prompts


def test_a_subclass_can_override_it():
    class Shouting(PromptManager):
        def render_sync(self, prompt_id, variables=None, **options):
            return super().render_sync(prompt_id, variables, **options).upper()

    assert Shouting(registry("Hi {{name}}!")).render_sync("hi", {"name": "Ada"}) == "HI ADA!"


async def test_an_override_is_used_by_render():
    class Shouting(PromptManager):
        def render_sync(self, prompt_id, variables=None, **options):
            return super().render_sync(prompt_id, variables, **options).upper()

    assert await Shouting(registry("Hi {{name}}!")).render("hi", {"name": "Ada"}) == "HI ADA!"


def test_a_patch_of_the_class_reaches_managers_that_exist():
    manager = PromptManager(registry("Hi"))
    with mock.patch.object(PromptManager, "render_sync", return_value="patched"):
        assert manager.render_sync("hi") == "patched"
    assert manager.render_sync("hi") == "Hi"


def test_a_manager_takes_attributes_and_weak_references():
    manager = PromptManager(registry("Hi"))
    manager.render_sync = mock.Mock(return_value="mine")
    assert manager.render_sync("hi") == "mine"
    assert weakref.ref(manager)() is manager


def test_it_has_the_arguments_and_the_docstring_of_render():
    coroutine, method = PromptManager.render, PromptManager.render_sync
    assert list(inspect.signature(method).parameters) == list(inspect.signature(coroutine).parameters)
    assert inspect.getdoc(method) == inspect.getdoc(coroutine)


def test_a_misspelt_option_is_refused_by_name():
    with pytest.raises(TypeError, match=r"PromptManager.render_sync\(\) got an unexpected keyword argument 'lable'"):
        PromptManager(registry("Hi")).render_sync("hi", lable="production")


def test_a_manager_that_was_not_initialized_says_so():
    with pytest.raises(AttributeError):
        PromptManager.__new__(PromptManager).render_sync("hi")


def test_a_second_initialization_takes_the_other_registry():
    manager = PromptManager(registry("first"))
    manager.__init__(registry("second"))
    assert manager.render_sync("hi") == "second"
    manager.__init__(registry("third"), metrics=MetricsCollector())
    assert manager.render_sync("hi") == "third"


class Counting(Observer):
    def __init__(self):
        self.renders = 0

    def on_render_complete(self, *_):
        self.renders += 1


@pytest.mark.parametrize("options", [{}, {"metrics": MetricsCollector()}, {"cache": MemoryCache()}], ids="".join)
def test_an_observer_hears_renders_while_it_is_there(options):
    manager, observer = PromptManager(registry("Hi {{name}}"), **options), Counting()
    for count, change in [
        (0, None),
        (1, manager.add_observer),
        (1, manager.remove_observer),
        (2, manager.add_observer),
    ]:
        if change:
            change(observer)
        assert manager.render_sync("hi", {"name": "Ada"}, version="1.0.0") == "Hi Ada"
        assert observer.renders == count
