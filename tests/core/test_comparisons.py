"""The helpers that compare and add values: what is equal, and that their work is bounded."""

import datetime as dt
import decimal
import fractions
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from prompt_manager import TemplateEngine
from prompt_manager.exceptions import TemplateRenderError

ENGINE = TemplateEngine()
BOUNDED = TemplateEngine(limits={"steps": 50_000})


def shared(wrap: Callable[[object], object], levels: int = 60) -> object:
    """A value whose levels each hold the next one twice: small in memory, and endless to read."""
    value: object = ()
    for _ in range(levels):
        value = wrap(value)
    return value


@dataclass(frozen=True)
class Pair:
    left: object
    right: object


@dataclass
class Money:
    amount: int
    note: str = field(default="", compare=False)


class TestEqual:
    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ([1, [2]], (1, (2.0,))),
            ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
            ({1, "x"}, frozenset([1, "x"])),
            ({"a": 1}.keys(), {"a"}),
            ({"a": [1]}.items(), {"a": [1]}.items()),
            ({(1, 2): "x"}, {(1, 2): "x"}),
            (Money(1, "a"), Money(1, "b")),
            ([decimal.Decimal("1.5")], [1.5]),
            (2**200, 2**200),
            ([dt.date(2026, 1, 31)], [dt.date(2026, 1, 31)]),
        ],
    )
    def test_equal_values(self, a: object, b: object) -> None:
        assert ENGINE.render_sync("{{eq a b}} {{ne a b}}", {"a": a, "b": b}) == "true false"

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ([1], [True]),
            ([1], ["1"]),
            ([1, 2], [1]),
            ({"a": 1}, {"b": 1}),
            ({1}, {2}),
            ({"a": 1}.values(), {"a": 1}.values()),
            (Money(1), Money(2)),
            (Money(1), Pair(1, "")),
            ([1], {0: 1}),
            (2**200, 2**200 + 1),
            ([float("nan")], [float("nan")]),
        ],
    )
    def test_different_values(self, a: object, b: object) -> None:
        assert ENGINE.render_sync("{{eq a b}} {{ne a b}}", {"a": a, "b": b}) == "false true"

    def test_an_error_of_a_class_says_what_to_compare(self) -> None:
        class Hostile:
            def __eq__(self, other: object) -> bool:
                raise RuntimeError

            __hash__ = None

        with pytest.raises(TemplateRenderError, match=r"compare members that are numbers or texts") as caught:
            ENGINE.render_sync("{{eq a b}}", {"a": Hostile(), "b": Hostile()})
        assert isinstance(caught.value.__cause__, RuntimeError)


class TestWork:
    """A comparison or a lookup counts every value that it reads."""

    @pytest.mark.parametrize("tag", ["{{eq a b}}", "{{ne a b}}"])
    @pytest.mark.parametrize("wrap", [lambda x: (x, x), lambda x: [x, x], lambda x: {"a": x, "b": x}])
    def test_values_that_are_small_only_in_memory(self, tag: str, wrap: Callable[[object], object]) -> None:
        with pytest.raises(TemplateRenderError, match="limit of 50000 steps"):
            BOUNDED.render_sync(tag, {"a": shared(wrap), "b": shared(wrap)})

    @pytest.mark.parametrize("make", [list, tuple, dict.fromkeys, set])
    def test_large_values(self, make: Callable[[range], object]) -> None:
        with pytest.raises(TemplateRenderError, match="limit of 50000 steps"):
            BOUNDED.render_sync("{{eq a b}}", {"a": make(range(100_000)), "b": make(range(100_000))})

    def test_work_adds_up(self) -> None:
        values = {"a": list(range(1000)), "b": list(range(1000)), "l": range(100)}
        with pytest.raises(TemplateRenderError, match="limit of 50000 steps"):
            BOUNDED.render_sync("{{#each l}}{{eq @root.a @root.b}}{{/each}}", values)

    def test_objects_that_hold_one_another(self) -> None:
        pair = lambda x: Pair(x, x)  # noqa: E731
        with pytest.raises(TemplateRenderError, match=r"holds more than 100000 values|50000 steps"):
            BOUNDED.render_sync("{{eq a b}}", {"a": shared(pair), "b": shared(pair)})

    @pytest.mark.parametrize("wrap", [lambda x: (x, x), lambda x: Pair(x, x)])
    def test_a_key_that_python_would_hash_without_end(self, wrap: Callable[[object], object]) -> None:
        with pytest.raises(TemplateRenderError, match="holds more than 100000 values"):
            ENGINE.render_sync("{{lookup d k}}", {"d": {"a": 1}, "k": shared(wrap)})

    def test_a_value_that_contains_itself(self) -> None:
        a: list = []
        a.append(a)
        b: list = []
        b.append(b)
        with pytest.raises(TemplateRenderError, match=r"contains itself[\s\S]*\(eq a.id b.id\)"):
            ENGINE.render_sync("{{eq a b}}", {"a": a, "b": b})

    def test_tuples_are_keys(self) -> None:
        assert ENGINE.render_sync("{{lookup d k}}", {"d": {(1, (2, "x")): "found"}, "k": (1, (2, "x"))}) == "found"

    @pytest.mark.parametrize("tag", ["eq", "lt", "add", "sub"])
    def test_large_integers_count(self, tag: str) -> None:
        number = 1 << 8 * 64 * 1000
        template = "{{#each l}}{{#if (" + tag + " @root.a @root.b)}}{{/if}}{{/each}}"
        with pytest.raises(TemplateRenderError, match="limit of 50000 steps"):
            BOUNDED.render_sync(template, {"l": range(100), "a": number, "b": number + 1})

    @pytest.mark.parametrize("tag", ["eq", "lt", "add", "sub"])
    @pytest.mark.parametrize("other", [decimal.Decimal(1), fractions.Fraction(1, 3)])
    def test_a_large_integer_with_a_decimal_or_fraction(self, tag: str, other: object) -> None:
        for a, b in [(10**100_000, other), (other, 10**100_000)]:
            with pytest.raises(TemplateRenderError, match=r"too large.*\n[\s\S]*pass two integers"):
                ENGINE.render_sync("{{" + tag + " @root.a @root.b}}", {"a": a, "b": b})


class TestAdvice:
    """An error says what to do."""

    @pytest.mark.parametrize(
        ("tag", "a", "b", "hint"),
        [
            ("add", "1", 2, "pass numbers; to join texts, write the tags next to each other: `{{a}}{{b}}`"),
            ("sub", [1], 2, "pass numbers"),
            ("add", decimal.Decimal(1), 1.5, "pass both as decimals, or both as floats"),
            ("add", 10**400, 1.5, "pass both as integers, or both as floats"),
            ("lt", "1", 2, "compare two numbers, two texts or two dates; convert one of the values before the render"),
            (
                "lt",
                dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
                dt.datetime(2026, 1, 1),  # noqa: DTZ001
                "give both a time zone before the render",
            ),
        ],
    )
    def test_the_hint_of_a_helper(self, tag: str, a: object, b: object, hint: str) -> None:
        with pytest.raises(TemplateRenderError) as caught:
            ENGINE.render_sync("{{" + tag + " @root.a @root.b}}", {"a": a, "b": b})
        assert caught.value.hint == hint


class TestDates:
    """`date` has the directives that give the same text on every machine, as Python's `strftime` has them."""

    @pytest.mark.parametrize("directive", list("aAbBdefFGhHIjklmMpPRSTuUVwWyYD%"))
    def test_a_directive_is_that_of_python(self, directive: str) -> None:
        for moment in [dt.datetime(2026, 1, 31, 9, 5, 7, 500), dt.datetime(1999, 12, 31, 23, 0, 59)]:  # noqa: DTZ001
            output = ENGINE.render_sync("{{date d f}}", {"d": moment, "f": f"<%{directive}>"})
            assert output == moment.strftime(f"<%{directive}>")

    @pytest.mark.parametrize("directive", list("cxXrZs"))
    def test_what_depends_on_the_machine_is_refused(self, directive: str) -> None:
        with pytest.raises(TemplateRenderError, match=f"`%{directive}`") as caught:
            ENGINE.render_sync("{{date d f}}", {"d": dt.date(2026, 1, 31), "f": f"%{directive}"})
        assert caught.value.hint

    def test_a_time_zone_is_that_of_the_value(self) -> None:
        zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
        moment = dt.datetime(2026, 1, 31, 9, 5, tzinfo=zone)
        assert ENGINE.render_sync("{{date d '%H:%M %z %:z'}}", {"d": moment}) == "09:05 +0530 +05:30"
