"""What a render makes of strings of every kind, and how it finds names in dicts.

Python itself is the oracle: the output is what an f-string gives.
"""

from __future__ import annotations

import gc
import sys
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prompt_manager import TemplateEngine


class Shout(str):
    """A string whose own methods must not be called."""

    __slots__ = ()

    def __str__(self) -> str:
        return "called"

    def __len__(self) -> int:
        return 99

    def __getitem__(self, _: object) -> str:
        return "called"


#: One for each way in which Python stores a string, and some that are special.
KINDS = {
    "empty": "",
    "ascii": "plain",
    "one character": "a",
    "latin-1": "naïve café",
    "only latin-1": "ÿ",
    "two bytes": "Привет, 世界",
    "four bytes": "a🎉",
    "half a pair": "a\ud83d",
    "subclass": Shout("sub"),
    "wide subclass": Shout("sub ж"),
    "interned": sys.intern("interned text"),
    "nul": "a\0b",
    "line breaks": "a\n\nb\n",
    "long": "0123456789" * 200,
    "long and wide": "Ж" * 3000,
}
strings = st.one_of(
    st.sampled_from(list(KINDS.values())),
    st.text(st.characters(codec=None, exclude_categories=())),
    st.text(st.characters(max_codepoint=0xFF)),
    st.builds(Shout, st.text()),
)

#: The template for the values `a` and `b` and the list `c`, for each width of its own text, and the same as a function.
OWN_TEXTS = {"ascii": "x", "latin-1": "é", "two bytes": "ж", "four bytes": "🎉", "none": ""}


def plain(text: str) -> str:
    """The text of a value as template output: the characters, whatever its class."""
    return str.__str__(text)


def template(own: str) -> str:
    tags = "^{{a}}^{{n}}{{#if b}}{{b}}{{/if}}{{#each c}}^{{@index}}{{this}}{{/each}}"
    return tags.replace("^", own)


def by_hand(own: str, a: str, b: str, c: list[str]) -> str:
    items = "".join(f"{own}{index}{plain(item)}" for index, item in enumerate(c))
    return f"{own}{plain(a)}{own}7{plain(b)}{items}"


ENGINE = TemplateEngine()
COMPILED = {own: ENGINE.compile(template(own)) for own in OWN_TEXTS.values()}


@given(own=st.sampled_from(list(OWN_TEXTS.values())), a=strings, b=strings, c=st.lists(strings, max_size=5))
@example(own="", a="", b="", c=[])
@example(own="", a="🎉", b="é", c=["ж", "a"])
def test_output_is_what_python_joins(own, a, b, c):
    text = COMPILED[own].render({"a": a, "b": b, "c": c, "n": 7})
    assert type(text) is str
    assert text == by_hand(own, a, b, c)
    # Python stores each text in one way only, which equality and hashes rely on.
    assert hash(text) == hash(by_hand(own, a, b, c))
    assert sys.getsizeof(text) == sys.getsizeof("".join(list(text)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_value_is_its_text(kind):
    text = ENGINE.render_sync("{{v}}", {"v": KINDS[kind]})
    assert type(text) is str
    assert text == plain(KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_indented_partial_keeps_its_line_breaks(kind):
    value = plain(KINDS[kind])
    text = ENGINE.render_sync("[\n  {{> p}}\n]", {"v": KINDS[kind]}, partials={"p": "{{v}}"})
    body = value.removesuffix("\n").replace("\n", "\n  ")
    assert text == ("[\n]" if not value else f"[\n  {body}\n]")


def test_ten_megabytes_are_copied_once():
    value = "Ж" * 5_000_000
    assert ENGINE.render_sync("a{{v}}b", {"v": value}) == f"a{value}b"


def test_very_many_small_parts_give_one_text():
    items = list(range(70_000))
    text = ENGINE.render_sync("{{#each items}}{{this}}é{{/each}}", {"items": items})
    assert text == "".join(f"{item}é" for item in items)


def test_values_are_given_back_after_a_render():
    value = str(["a value of its own"])
    before = sys.getrefcount(value)
    for _ in range(100):
        COMPILED["x"].render({"a": value, "b": value, "c": [value], "n": 7})
        with pytest.raises(Exception, match="Missing variable 'n'"):
            COMPILED["x"].render({"a": value, "b": value, "c": [value]})
    gc.collect()
    assert sys.getrefcount(value) == before


def test_a_partial_that_is_replaced_during_its_render_keeps_its_text():
    engine = TemplateEngine()

    def replace() -> str:
        engine.register_partial("p", "another text, which is longer than the first one: {{v}}")
        gc.collect()
        return "|"

    engine.register_helper("replace", replace)
    engine.register_partial("p", "ein Text für {{v}}{{replace}}und der Rest")
    assert engine.render_sync("{{> p}}{{replace}}{{> p}}", {"v": "Ada"}) == (
        "ein Text für Ada|und der Rest|another text, which is longer than the first one: Ada"
    )


def test_a_render_in_a_helper_does_not_disturb_the_outer_one():
    engine = TemplateEngine()
    engine.register_helper("inner", lambda: engine.render_sync("<{{v}}é{{n}}>", {"v": "in", "n": 3}))
    assert engine.render_sync("{{n}}{{inner}}{{v}}{{inner}}ж", {"v": "out", "n": 1}) == "1<iné3>out<iné3>ж"


# Names in dicts.

NAMES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ALL_NAMES = ENGINE.compile("".join(f"{{{{{name}}}}}," for name in NAMES))


@given(st.lists(st.permutations(NAMES), min_size=1, max_size=30), st.data())
def test_a_name_is_found_wherever_it_is_in_the_dict(orders, data):
    for order in orders:
        values = {name: f"<{name}>" for name in order}
        for number in range(data.draw(st.integers(0, 3))):
            values[f"removed{number}"] = "no"
        values |= {"extra": "no"}
        for number in range(3):
            values.pop(f"removed{number}", None)
        assert ALL_NAMES.render(values) == "".join(f"<{name}>," for name in NAMES)


def test_a_name_is_found_behind_a_gap():
    values = {f"removed{number}": number for number in range(100_000)} | {name: name for name in NAMES}
    for number in range(100_000):
        del values[f"removed{number}"]
    for _ in range(50):
        assert ALL_NAMES.render(values) == "".join(f"{name}," for name in NAMES)


def test_a_name_is_found_by_an_equal_key_that_is_another_object():
    for _ in range(50):
        values = {"".join(list(name)): name for name in reversed(NAMES)}
        assert ALL_NAMES.render(values) == "".join(f"{name}," for name in NAMES)


def test_a_key_that_only_looks_like_the_name_is_another_one():
    class Key(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            return hash("first")

    compiled = ENGINE.compile("{{default first 'none'}}")
    for _ in range(20):
        assert compiled.render({Key("first"): "no"}) == "none"


def test_a_dict_that_a_helper_changes_gives_the_new_values():
    engine = TemplateEngine()
    values = {"a": "1", "b": "2", "c": "3"}

    def change() -> str:
        first = values.pop("a")
        values["a"] = f"{first}!"
        return ""

    engine.register_helper("change", change)
    compiled = engine.compile("{{a}}{{b}}{{c}}{{change}}{{a}}{{b}}{{c}}")
    assert compiled.render(values) == "1231!23"
    assert compiled.render(values) == "1!231!!23"


def test_threads_with_dicts_of_other_orders_do_not_disturb_each_other():
    wrong: list[str] = []

    def work(turn: int) -> None:
        order = NAMES[turn:] + NAMES[:turn]
        values = {name: f"{name}{turn}" for name in order}
        expected = "".join(f"{name}{turn}," for name in NAMES)
        wrong.extend(text for _ in range(300) if (text := ALL_NAMES.render(values)) != expected)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
