"""Nothing in a prompt can be changed, because a manager returns the same prompt to all callers."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from pydantic import BaseModel, ValidationError

from helpers import EXAMPLES, create_text_prompt
from prompt_manager import Prompt, PromptManager
from prompt_manager.core._frozen import FrozenDict, FrozenList, FrozenSet, freeze, thaw
from prompt_manager.core.models import PromptMetadata, Settings, Tool, Variable

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"id": ["{{q}}"]}}}
SCHEMA = {"type": "object", "properties": {"q": {"type": "string", "enum": ["a", "b"]}}}


def chat() -> Prompt:
    """Build a chat prompt that uses every feature of chats."""
    return Prompt(
        id="every/chat",
        format="chat",
        status="active",
        chat_template={
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "{{> tone}}", "cache": {"ttl": "1h"}}, "{{q}}"],
                },
                {"role": "placeholder", "name": "history", "optional": True},
                {"role": "user", "content": "{{q}}", "cache": {"ttl": "5m"}},
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "found"},
                {"role": "assistant", "function_call": {"name": "old", "arguments": {"deep": {"er": ["{{q}}"]}}}},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{q}}"}}]},
            ],
            "partials": {"tone": "Be kind."},
            "variables": {"q": {"type": "list", "default": [{"a": [1]}]}, "mood": {"default": {"b": {"c": [2]}}}},
        },
        tools=[{"name": "find", "description": "Finds", "parameters": SCHEMA, "strict": False}],
        tool_choice={"name": "find"},
        settings={"model": "m", "stop": ["x"], "extra": {"k": {"l": [1]}}},
        input_schema=SCHEMA,
        output_schema=SCHEMA,
        metadata={"tags": ["t"], "custom": {"a": [1, {"b": 2}]}, "team": {"of": ["two"]}, "use_cases": ["u"]},
        labels=["production"],
    )


def text() -> Prompt:
    """Build a text prompt that uses every feature of text prompts."""
    return Prompt(
        id="every/text",
        format="text",
        status="active",
        template={
            "content": "{{name}} {{> sign}}",
            "variables": {"name": {"type": "string"}},
            "partials": {"sign": "!"},
            "helpers": {"old": "x"},
        },
        input_schema="visit",
    )


def from_manager(prompt: Prompt) -> Prompt:
    """Return the prompt as a manager returns it."""
    manager = PromptManager()
    manager.create_prompt_sync(prompt)
    return manager.get_prompt_sync(prompt.id)


PROMPTS = {
    "chat": chat,
    "text": text,
    "a manager's chat": lambda: from_manager(chat()),
    "a manager's text": lambda: from_manager(text()),
    "replaced": lambda: from_manager(chat()).replace(status="deprecated"),
    "copied": lambda: copy.deepcopy(from_manager(chat())),
    "pickled": lambda: pickle.loads(pickle.dumps(from_manager(chat()))),
    "from JSON": lambda: Prompt.model_validate_json(chat().model_dump_json()),
    "bare": create_text_prompt,
}


@pytest.fixture(params=PROMPTS)
def prompt(request):
    return PROMPTS[request.param]()


def parts(value: object, found: list[object]) -> list[object]:
    """Collect the value and every model, dict, list, tuple and set within it."""
    if isinstance(value, BaseModel):
        held = (*vars(value).values(), value.model_fields_set, value.model_extra)
    elif isinstance(value, dict):
        held = (*value, *value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        held = tuple(value)
    else:
        return found
    found.append(value)
    for each in held:
        parts(each, found)
    return found


#: Every method that changes a dict, a list or a set in place, with valid arguments.
CHANGES = {
    dict: [
        lambda it: it.__init__(a=1),
        lambda it: it.__setitem__("a", 1),
        lambda it: it.__delitem__(next(iter(it), "a")),
        lambda it: it.__ior__({"a": 1}),
        lambda it: it.update(a="b"),
        lambda it: it.pop(next(iter(it), "a"), None),
        lambda it: it.popitem(),
        lambda it: it.setdefault("new", 1),
        lambda it: it.clear(),
        lambda it: it.__setattr__("a", 1),
    ],
    list: [
        lambda it: it.__init__([1]),
        lambda it: it.__setitem__(slice(0, 0), [1]),
        lambda it: it.__setitem__(0, 1),
        lambda it: it.__delitem__(slice(None)),
        lambda it: it.__delitem__(0),
        lambda it: it.__iadd__([1]),
        lambda it: it.__imul__(2),
        lambda it: it.append(2),
        lambda it: it.extend([2]),
        lambda it: it.insert(0, 2),
        lambda it: it.remove(it[0]),
        lambda it: it.pop(),
        lambda it: it.sort(key=str),
        lambda it: it.reverse(),
        lambda it: it.clear(),
        lambda it: it.__setattr__("a", 1),
    ],
    set: [
        lambda it: it.__init__({1}),
        lambda it: it.__ior__({1}),
        lambda it: it.__iand__({1}),
        lambda it: it.__ixor__({1}),
        lambda it: it.__isub__({1}),
        lambda it: it.add(1),
        lambda it: it.discard(1),
        lambda it: it.remove(1),
        lambda it: it.pop(),
        lambda it: it.clear(),
        lambda it: it.update({1}),
        lambda it: it.difference_update({1}),
        lambda it: it.intersection_update({1}),
        lambda it: it.symmetric_difference_update({1}),
    ],
}


def test_no_dict_or_list_of_a_prompt_can_be_changed(prompt):
    before, shown = pickle.dumps(prompt.model_dump()), repr(prompt)
    tried = 0
    for part in parts(prompt, []):
        for kind, changes in CHANGES.items():
            for change in changes if isinstance(part, kind) else ():
                with pytest.raises(TypeError, match=r"prompt\.replace"):
                    change(part)
                tried += 1
    assert tried > 20
    assert (pickle.dumps(prompt.model_dump()), repr(prompt)) == (before, shown)


def test_the_list_of_mutating_methods_is_complete():
    """A new Python version may add mutating methods; the read-only views must then refuse them too."""
    for view, base in ((FrozenDict, dict), (FrozenList, list), (FrozenSet, set)):
        harmless = set(dir(base)) - set(vars(view))
        for name in sorted(harmless):
            if name in dir(frozenset if base is set else tuple if base is list else object):
                continue
            assert name in {"get", "items", "keys", "values", "fromkeys", "__getitem__", "__len__", "__iter__"} | {
                *("__reversed__", "__contains__", "__or__", "__ror__", "__class_getitem__"),
            }, name


def test_no_attribute_of_a_prompt_can_be_set(prompt):
    for part in parts(prompt, []):
        if not isinstance(part, BaseModel):
            continue
        for name in (*type(part).model_fields, *(part.model_extra or ()), "unknown"):
            with pytest.raises(ValidationError):
                setattr(part, name, None)
            with pytest.raises((ValidationError, AttributeError)):
                delattr(part, name)


def test_changing_the_input_does_not_change_the_prompt():
    given = {
        "custom": {"a": [1]},
        "settings": {"extra": {"k": {}}},
        "parameters": {"type": "object", "properties": {}},
        "default": {"d": [1]},
        "partials": {"p": "x"},
    }
    before = copy.deepcopy(given)
    prompt = Prompt(
        id="p",
        format="text",
        template={"content": "", "partials": given["partials"], "variables": {"v": {"default": given["default"]}}},
        metadata={"custom": given["custom"], "own": given["custom"]},
        settings=given["settings"],
        tools=[{"name": "t", "parameters": given["parameters"]}],
        input_schema=given["parameters"],
    )
    shown = repr(prompt)
    given["custom"]["a"].append(2)
    given["settings"]["extra"]["k"]["l"] = 1
    given["parameters"]["properties"]["q"] = {}
    given["default"]["d"].clear()
    given["partials"].clear()
    assert repr(prompt) == shown
    assert prompt.metadata.custom == before["custom"]
    assert prompt.template.variables["v"].default == before["default"]


@pytest.mark.parametrize(
    ("default", "expected"),
    [({1, 2}, frozenset({1, 2})), (bytearray(b"a"), b"a"), ([(1, [2])], [(1, [2])]), (Settings(seed=1), None)],
)
def test_mutable_default_values_become_read_only(default, expected):
    variable = Variable(default=default)
    assert variable.default == (default.model_dump(mode="json") if expected is None else expected)
    assert isinstance(hash(variable.default), int)


def test_frozen_prompts_keep_equality_hash_and_pickling(prompt):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(prompt, protocol))
        assert again == prompt
        assert hash(again) == hash(prompt)
        assert repr(again) == repr(prompt)
    assert copy.copy(prompt) == copy.deepcopy(prompt) == prompt.model_copy() == prompt.model_copy(deep=True) == prompt
    assert Prompt.model_validate(prompt.model_dump()) == prompt
    assert Prompt(**dict(prompt)) == prompt
    assert len({prompt, again}) == 1


def test_read_only_views_are_dicts_and_lists(prompt):
    dumped = prompt.model_dump()
    for part in parts(dumped, []):
        assert type(part) in {dict, list, tuple, set}
    for part in parts(prompt, []):
        if isinstance(part, FrozenDict | FrozenList):
            plain = part.copy()
            assert type(plain) in {dict, list}
            assert plain == part == pickle.loads(pickle.dumps(part)) == copy.deepcopy(part) == copy.copy(part)
            assert hash(pickle.loads(pickle.dumps(part))) == hash(part)
            assert isinstance(part, type(plain))
            if not any(isinstance(each, BaseModel) for each in parts(part, [])):
                assert json.loads(json.dumps(part)) == plain


def test_a_deep_copy_of_a_view_can_be_changed():
    custom = from_manager(chat()).metadata.custom.copy()
    custom["a"].append(2)
    custom["a"][1]["b"] = 3
    assert custom == {"a": [1, {"b": 3}, 2]}
    assert thaw(freeze(custom)) == custom


def test_a_view_can_be_used_in_another_prompt():
    first = from_manager(chat())
    second = first.replace(
        id="second", metadata={"custom": {**first.metadata.custom, "more": 1}}, tools=[Tool(**dict(first.tools[0]))]
    )
    assert second.metadata.custom == {"a": [1, {"b": 2}], "more": 1}
    assert second.tools == first.tools


def test_model_copy_validates_the_changed_values():
    metadata = PromptMetadata(custom={"a": 1}, team="x")
    changed = metadata.model_copy(update={"custom": {"b": 2}, "team": "y"})
    assert (changed.custom, changed.team, metadata.team) == ({"b": 2}, "y", "x")
    with pytest.raises(TypeError, match=r"prompt\.replace"):
        changed.custom["c"] = 3
    with pytest.raises(ValidationError):
        metadata.model_copy(update={"custom": 1})


def test_the_example_prompts_can_be_dumped():
    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    for summary in manager.list_prompts_sync():
        prompt = manager.get_prompt_sync(summary.id)
        assert Prompt.model_validate_json(prompt.model_dump_json()) == prompt
        assert Prompt.model_validate(json.loads(json.dumps(prompt.model_dump(mode="json")))) == prompt


def _deep():
    value = []
    for _ in range(3000):
        value = [value]
    return value


def _shared():
    value = []
    for _ in range(60):
        value = [value, value]
    return value


def _cyclic():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [_deep(), _shared(), _cyclic()], ids=["deep", "shared", "cyclic"])
@pytest.mark.parametrize(
    "fields",
    [
        lambda value: {"template": "{{x}}", "variables": {"x": {"type": "list", "default": value}}},
        lambda value: {"template": "x", "output_schema": {"type": "object", "x": value}},
        lambda value: {"template": "x", "tools": [{"name": "f", "parameters": {"x": value}}]},
        lambda value: {"template": "x", "settings": {"extra": {"x": value}}},
        lambda value: {
            "messages": [{"role": "assistant", "tool_calls": [{"id": "a", "name": "f", "arguments": {"x": value}}]}]
        },
    ],
    ids=["default", "output_schema", "tools", "settings", "arguments"],
)
def test_a_value_without_end_is_a_validation_error(fields, value):
    with pytest.raises(ValidationError, match=r"nested more than 100 levels|more than 1,000,000 members"):
        Prompt(id="x", **fields(value))
