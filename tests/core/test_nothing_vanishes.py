"""What a caller gives or an author writes is never dropped in silence."""

import collections
import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import itertools
import types
import typing

import pytest
from pydantic import ValidationError, create_model

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.core.template import ChatTemplateEngine
from prompt_manager.exceptions import (
    ConversionError,
    PromptManagerError,
    SchemaValidationError,
    TemplateRenderError,
    TemplateSyntaxError,
)
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)

ENGINE = TemplateEngine()


def chat(*messages: dict, **fields: object) -> Prompt:
    """A chat prompt with these messages."""
    return Prompt(id="c", format="chat", status="active", chat_template={"messages": list(messages)}, **fields)


def text(template: str, **variables: object) -> Prompt:
    """A text prompt that declares these variables."""
    return Prompt(id="t", format="text", status="active", template={"content": template, "variables": variables})


def pydantic_model(name: str, fields: typing.Iterable[str]) -> type:
    """A pydantic model with these fields."""
    return create_model(name, **dict.fromkeys(fields, (int, ...)))  # type: ignore[no-any-return, call-overload]


def tuple_of_fields(name: str, fields: typing.Iterable[str]) -> type:
    """A named tuple with these fields."""
    return collections.namedtuple(name, fields)  # type: ignore[misc]  # noqa: PYI024


class TestNumbersInTemplates:
    """Whole numbers that a template holds, in the default dialect."""

    @pytest.mark.parametrize("number", [0, 9007199254740993, -9007199254740993, 2**63 - 1, -(2**63)])
    def test_a_whole_number_keeps_its_digits(self, number: int) -> None:
        assert ENGINE.render_sync(f"{{{{json {number}}}}} {{{{add x {number}}}}}", {"x": 0}) == f"{number} {number}"
        equal = f"{{{{#if (eq x {number})}}}}equal{{{{else}}}}other{{{{/if}}}}"
        assert ENGINE.render_sync(equal, {"x": number}) == "equal"
        assert ENGINE.render_sync(equal, {"x": number + 1}) == "other"

    @pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 18446744073709551617, "9" * 5000])
    def test_a_number_of_more_than_64_bits_is_an_error_with_its_place(self, number: object) -> None:
        with pytest.raises(TemplateSyntaxError, match="more than 64 bits") as error:
            ENGINE.compile(f"a\n{{{{json {number}}}}}")
        assert "write it in quotes" in str(error.value)
        assert "line 2" in str(error.value)

    def test_in_javascript_every_number_is_a_double(self) -> None:
        engine = TemplateEngine(dialect="handlebars")
        assert engine.render_sync("{{#with 9007199254740993}}{{this}}{{/with}}", {}) == "9007199254740992"


class TestLoops:
    """`each`, `with` and `{{#x}}` on values that have no items."""

    @pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), 1, 1.5, True, "text", enum.Enum("E", "A").A])
    def test_a_loop_needs_a_list(self, value: object) -> None:
        with pytest.raises(TemplateRenderError, match="`each` takes a list or a mapping"):
            ENGINE.render_sync("{{#each d}}x{{/each}}", {"d": value})

    @pytest.mark.parametrize("value", [[1], (1,), {"a": 1}, {1}, frozenset({1}), collections.deque([1]), range(1)])
    def test_what_has_items_is_looped_over(self, value: object) -> None:
        assert ENGINE.render_sync("{{#each d}}x{{/each}}", {"d": value}) == "x"

    @pytest.mark.parametrize("block", ["{{#each l}}x{{/each}}", "{{#with l}}x{{/with}}", "{{#l}}x{{/l}}"])
    def test_a_declared_variable_may_be_left_out(self, block: str) -> None:
        manager = PromptManager()
        manager.create_prompt_sync(text(f"[{block}]", l={"type": "list", "required": False}))
        assert manager.render_sync("t", {}) == "[]"
        assert manager.render_sync("t", {"l": None}) == "[]"

    def test_a_helper_that_returns_nothing_is_an_empty_list(self) -> None:
        engine = TemplateEngine()
        engine.register_helper("documents", lambda: None)
        assert engine.render_sync("[{{#each (documents)}}x{{/each}}]", {}) == "[]"

    def test_a_block_with_else_makes_its_variable_optional(self) -> None:
        usage = ENGINE.analyze("{{#each a}}{{this}}{{else}}none{{/each}}{{#b}}x{{/b}}{{#c}}x{{else}}{{/c}}")
        assert {name: variable["required"] for name, variable in usage.items()} == {"a": False, "b": True, "c": False}


class TestManyMembers:
    """Objects and mappings with more members than a hint compares."""

    NAMES = tuple(f"a{number}" for number in range(1500))

    @pytest.mark.parametrize("make", [dataclasses.make_dataclass, pydantic_model, tuple_of_fields])
    def test_none_is_left_out(self, make: typing.Any) -> None:
        value = make("Wide", self.NAMES)(**dict.fromkeys(self.NAMES, 1))
        assert ENGINE.render_sync("{{#each v}}{{this}}{{/each}}", {"v": value}) == "1" * 1500
        assert ENGINE.render_sync("{{json v}}", {"v": value}).count("1") >= 1500
        assert ENGINE.render_sync("{{v.a1499}}", {"v": value}) == "1"

    def test_a_schema_sees_all(self) -> None:
        manager = PromptManager()
        fields = [{"name": name, "type": "integer"} for name in self.NAMES]
        manager.register_schema("wide", {"name": "wide", "strict": True, "fields": fields})
        manager.create_prompt_sync(Prompt(id="p", template="x", input_schema="wide", status="active"))
        given = pydantic_model("Wide", [*self.NAMES, "extra"])(**dict.fromkeys([*self.NAMES, "extra"], 1))
        with pytest.raises(SchemaValidationError, match="extra: is not a field of the schema"):
            manager.render_sync("p", given)

    def test_an_unknown_variable_is_found_among_many(self) -> None:
        manager = PromptManager(unknown_variables="error")
        manager.create_prompt_sync(text("{{a0}}", **dict.fromkeys(self.NAMES, "integer")))
        given = dict.fromkeys([*self.NAMES, "extra"], 1)
        with pytest.raises(TemplateRenderError, match="Unknown variable 'extra'"):
            manager.render_sync("t", given)

    def test_a_mapping_without_end_is_an_error(self) -> None:
        class Endless(collections.abc.Mapping):  # type: ignore[type-arg]
            def __getitem__(self, key: object) -> object:
                if key == "x":
                    raise KeyError(key)
                return key

            def __iter__(self) -> typing.Iterator[str]:
                return map(str, itertools.count())

            def __len__(self) -> int:
                return 1

        for template in ("{{json v}}", "{{#each v}}{{/each}}"):
            with pytest.raises(TemplateRenderError, match="more than 1000000 items"):
                ENGINE.render_sync(template, {"v": Endless()})
        with pytest.raises(TemplateRenderError, match="has no such member"):
            ENGINE.render_sync("{{v.x}}", {"v": Endless()})


class TestHelperNames:
    """A built-in helper without arguments is the variable of that name."""

    def test_it_is_the_variable(self) -> None:
        assert ENGINE.render_sync("Log: {{log}}.", {"log": "ERR"}) == "Log: ERR."
        assert ENGINE.extract_variables("{{length}} {{#if json}}x{{/if}}") == ["json", "length"]

    def test_a_missing_one_says_how_to_call_the_helper(self) -> None:
        with pytest.raises(TemplateRenderError, match=r"Missing variable 'upper'(.|\n)*{{upper text}}"):
            ENGINE.render_sync("{{upper}}", {})

    @pytest.mark.parametrize("context", [{"a": 1}, collections.UserDict(a=1), types.MappingProxyType({"a": 1})])
    def test_the_number_of_variables_is_not_the_variable_length(self, context: collections.abc.Mapping) -> None:
        for template in ("{{length}}", "{{./length}}", "{{@root.length}}", "{{#each length}}{{/each}}"):
            with pytest.raises(TemplateRenderError, match="length"):
                ENGINE.render_sync(template, context)
        assert ENGINE.render_sync("{{length this}}{{v.length}}", {"v": context}) == "11"

    def test_a_registered_helper_still_wins(self) -> None:
        engine = TemplateEngine()
        engine.register_helper("length", lambda: "helper")
        assert engine.render_sync("{{length}}", {"length": 1}) == "helper"


class TestPlaceholders:
    """Templates of a chat see no placeholder that they do not name."""

    MESSAGES = ({"role": "system", "content": "{{json this}}"}, {"role": "placeholder", "name": "h"})
    VARIABLES: typing.ClassVar = {"a": 1, "h": [{"role": "user", "content": "q"}]}

    @pytest.mark.parametrize(
        "integration", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration, LangChainIntegration]
    )
    def test_the_context_has_no_placeholder(self, integration: type) -> None:
        converted = integration(ENGINE).convert_sync(chat(*self.MESSAGES), dict(self.VARIABLES))
        if integration is LangChainIntegration:
            converted = converted.invoke(self.VARIABLES).to_messages()[0].content
        assert '"h"' not in str(converted)
        assert '{"a":1}' in str(converted)

    def test_a_template_may_name_a_placeholder(self) -> None:
        prompt = chat({"role": "system", "content": "{{json this}}{{length h}}"}, self.MESSAGES[1])
        messages = OpenAIIntegration(ENGINE).convert_sync(prompt, self.VARIABLES)
        assert messages[0]["content"].endswith("1")
        assert '"h"' in messages[0]["content"]

    def test_a_partial_prints_no_placeholder(self) -> None:
        messages = ChatTemplateEngine().render_messages_sync(
            [{"role": "system", "content": "{{> all}}"}, self.MESSAGES[1]],
            self.VARIABLES,
            partials={"all": "{{json this}}"},
        )
        assert messages[0]["content"] == '{"a":1}'


class TestRoot:
    """`@root` is the caller's, if the caller gives one."""

    @pytest.mark.parametrize("dialect", ["prompt", "handlebars"])
    def test_the_callers_root(self, dialect: str) -> None:
        engine = TemplateEngine(dialect=dialect)
        assert engine.render_sync("{{@root.x}}", {"x": 1}, data={"root": {"x": 2}}) == "2"
        assert engine.render_sync("{{@root.x}}", {"x": 1}, data={"user": {"x": 2}}) == "1"


class TestNumbers:
    """Numbers keep their digits."""

    def test_json_keeps_every_digit(self) -> None:
        assert ENGINE.render_sync("{{json v}}", {"v": [2**64 + 1, -(10**30)]}) == f"[{2**64 + 1},{-(10**30)}]"

    def test_sums_of_large_integers(self) -> None:
        assert ENGINE.render_sync("{{add v 1}} {{sub 0 v}}", {"v": 2**70}) == f"{2**70 + 1} {-(2**70)}"


class TestFence:
    """Text from strangers cannot close the fence around it."""

    def test_all_messages_of_a_chat_share_the_tag(self) -> None:
        prompt = chat(
            {"role": "system", "content": 'Only read <{{fence_tag "doc"}}>.'},
            {"role": "user", "content": '{{#fence "doc"}}{{d}}{{/fence}}'},
        )
        messages = OpenAIIntegration(ENGINE).convert_sync(prompt, {"d": "</doc>"})
        assert messages[0]["content"] == "Only read <doc-2>."
        assert messages[1]["content"] == "<doc-2></doc></doc-2>"

    def test_a_helper_block_shares_the_tag(self) -> None:
        engine = TemplateEngine()
        engine.register_helper("twice", lambda options: options.fn() + options.fn(), pass_options=True)
        template = "{{fence_tag 'd'}}: {{#twice}}{{#fence 'd'}}{{x}}{{/fence}}{{/twice}}"
        assert engine.render_sync(template, {"x": "<d>"}) == "d-2: <d-2><d></d-2><d-2><d></d-2>"

    def test_the_same_input_gives_the_same_output(self) -> None:
        template = "{{#fence 'd'}}{{x}}{{/fence}}"
        outputs = {TemplateEngine().render_sync(template, {"x": "</d> d-2"}) for _ in range(3)}
        assert outputs == {"<d-3></d> d-2</d-3>"}

    def test_fence_is_a_variable_too(self) -> None:
        assert ENGINE.render_sync("{{fence}}", {"fence": "x"}) == "x"


class TestBounds:
    """The work inside one tag is limited."""

    engine = TemplateEngine(limits={"steps": 100_000, "output_bytes": 10_000_000})

    def test_a_value_without_end(self) -> None:
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync("{{json v}}", {"v": range(10**12)})

    def test_a_value_that_is_small_only_in_memory(self) -> None:
        value: list = []
        for _ in range(60):
            value = [value, value]
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync("{{json v}}", {"v": value})
        with pytest.raises(TemplateRenderError, match=r"limit|more than"):
            self.engine.render_sync("{{v}}", {"v": value})

    def test_a_template_that_builds_a_value(self) -> None:
        n = 30
        template = (
            '{{#*inline "p"}}{{#if '
            + "x." * (n - 1)
            + "x"
            + "}}{{json .}}{{else}}{{> p x=. y=.}}{{/if}}{{/inline}}{{> p}}"
        )
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync(template, {})

    @pytest.mark.parametrize(
        "tag",
        [
            "{{upper @root.v}}",
            "{{#if (json @root.v)}}{{/if}}",
            "{{#if (eq @root.v @root.w)}}{{/if}}",
            "{{length (trim @root.v)}}",
        ],
    )
    def test_helpers_count_the_text_that_they_read(self, tag: str) -> None:
        value = "x" * 1_000_000
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync(
                "{{#each l}}" + tag + "{{/each}}", {"l": range(10_000), "v": value, "w": value[:-1] + "y"}
            )

    def test_joined_items_count(self) -> None:
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync("{{#each a}}{{join ../a ''}}{{/each}}", {"a": [""] * 5000})
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync("{{join a ''}}", {"a": iter(str, None)})

    def test_a_fence_around_a_fence_counts(self) -> None:
        nested = "".join(f'{{{{#fence "f{n}"}}}}' for n in range(60)) + "{{x}}" + "{{/fence}}" * 60
        with pytest.raises(TemplateRenderError, match="limit"):
            self.engine.render_sync(nested, {"x": "<" * 100_000})

    @pytest.mark.parametrize("template", ["{{indent 'a' 2000}}", "{{json 'a' indent=40}}"])
    def test_a_width_that_is_too_large_is_an_error(self, template: str) -> None:
        with pytest.raises(TemplateRenderError, match="at most"):
            self.engine.render_sync(template, {})

    @pytest.mark.parametrize("value", [-1, 2**70, "x", 1.5])
    def test_a_limit_is_a_whole_number(self, value: object) -> None:
        with pytest.raises(ValueError, match=r"limits\.steps must be a whole number"):
            TemplateEngine(limits={"steps": value})

    def test_items_count_towards_the_limit_on_steps(self) -> None:
        engine = TemplateEngine(limits={"steps": 1000})
        with pytest.raises(TemplateRenderError, match="limit of 1000 steps"):
            engine.render_sync("{{json v}}{{json v}}", {"v": list(range(600))})

    @pytest.mark.parametrize("limit", ["nesting", "depth", "partial_depth"])
    def test_a_limit_cannot_exceed_what_the_stack_holds(self, limit: str) -> None:
        with pytest.raises(ValueError, match=rf"limits.{limit} can be at most \d+"):
            TemplateEngine(limits={limit: 100_000})

    def test_the_highest_limits_fit_the_stack(self) -> None:
        engine = TemplateEngine(limits={"nesting": 200, "depth": 600, "partial_depth": 600})
        assert engine.render_sync("{{#if a}}" * 200 + "x" + "{{/if}}" * 200, {"a": 1}) == "x"
        with pytest.raises(TemplateRenderError, match="more than 600 levels deep"):
            engine.render_sync("{{> p}}", {}, partials={"p": "  {{> p a=1}}\n"})


class Word(str):
    """A text that is equal to nothing but itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class TestNullInLists:
    """A null within a list is no empty text."""

    @pytest.mark.parametrize("value", [[1, None], (None,), [[None]], collections.deque([None, 1])])
    @pytest.mark.parametrize("template", ["{{x}}", "{{upper x}}", "{{join x}}"])
    def test_a_printed_list_with_null_is_an_error(self, template: str, value: object) -> None:
        with pytest.raises(TemplateRenderError, match="None"):
            ENGINE.render_sync(template, {"x": value})

    def test_null_in_a_list_prints_nothing_where_asked_for(self) -> None:
        assert TemplateEngine(allow_none=True).render_sync("[{{x}}]", {"x": [1, None]}) == "[1,]"
        assert TemplateEngine(dialect="handlebars").render_sync("[{{x}}]", {"x": [1, None]}) == "[1,]"

    def test_json_writes_null(self) -> None:
        assert ENGINE.render_sync("{{json x}}", {"x": [1, None]}) == "[1,null]"


class TestKeysThatPrintAlike:
    """JSON has only texts as keys."""

    KEYS = (
        (1, "1"),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (enum.Enum("E", {"A": "a"}).A, "a"),
        (Word("a"), Word("a")),
        (decimal.Decimal("1.0"), "1.0"),
    )

    @pytest.mark.parametrize("keys", KEYS)
    @pytest.mark.parametrize("wrap", [dict, collections.UserDict, lambda members: [{"in": dict(members)}]])
    def test_json_refuses_a_key_twice(self, keys: tuple[object, object], wrap: typing.Any) -> None:
        for first, second in (keys, keys[::-1]):
            with pytest.raises(TemplateRenderError, match="two keys of a mapping are the same text in JSON"):
                ENGINE.render_sync("{{json x}}", {"x": wrap({first: 2, second: 3})})

    def test_different_keys_are_written(self) -> None:
        assert ENGINE.render_sync("{{json x}}", {"x": {1: 2, "01": 3, None: 4}}) == '{"1":2,"01":3,"null":4}'

    @pytest.mark.parametrize("keys", KEYS)
    def test_a_tool_calls_arguments_have_no_key_twice(self, keys: tuple[object, object]) -> None:
        prompt = chat({"role": "placeholder", "name": "h"})
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": dict.fromkeys(keys, 1)}}
        history = [
            {"role": "user", "content": "q"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
        ]
        with pytest.raises(PromptManagerError, match="key"):
            OpenAIIntegration(ENGINE).convert_sync(prompt, {"h": history})

    @pytest.mark.parametrize("keys", KEYS)
    def test_a_prompt_has_no_key_twice(self, keys: tuple[object, object]) -> None:
        with pytest.raises(ValidationError, match="two keys of a mapping are the same text in JSON"):
            chat({"role": "user", "content": "q"}, settings={"extra": {"a": [dict.fromkeys(keys, 1)]}})

    @pytest.mark.parametrize("keys", KEYS)
    def test_an_argument_of_a_request_has_no_key_twice(self, keys: tuple[object, object]) -> None:
        prompt = chat({"role": "user", "content": "q"}, settings={"model": "m"})
        with pytest.raises(ConversionError, match="two keys of a mapping are the same text in JSON"):
            OpenAIIntegration(ENGINE).build_request_sync(prompt, {}, extra_body={"a": dict.fromkeys(keys, 1)})


class TestHelpersAsBlocks:
    """A block on a helper that has no use for the block."""

    @pytest.mark.parametrize(
        "call",
        ["upper 'a'", "join x", "json x", "default x 'a'", "lookup x 'a'", "and x x", "length x", "log x", "add 1 2"],
    )
    def test_a_built_in_that_takes_no_block_is_an_error(self, call: str) -> None:
        name = call.split(maxsplit=1)[0]
        for template in (f"{{{{#{call}}}}}body{{{{/{name}}}}}", f"{{{{#if y}}}}{{{{else {call}}}}}body{{{{/if}}}}"):
            with pytest.raises(TemplateSyntaxError, match=f"`{name}` is no block helper") as caught:
                ENGINE.compile(template)
            assert f"({name} …)" in str(caught.value)

    def test_a_comparison_is_a_condition(self) -> None:
        template = "{{#eq a 1}}one{{else gt a 1}}more{{else}}less{{/eq}}"
        assert [ENGINE.render_sync(template, {"a": a}) for a in (0, 1, 2)] == ["less", "one", "more"]

    def test_a_registered_helper_that_gets_no_block_is_an_error(self) -> None:
        for options in ({}, {"dialect": "handlebars"}):
            engine = TemplateEngine(**options)  # type: ignore[arg-type]
            engine.register_helper("shout", lambda text: text.upper())
            engine.register_helper("twice", lambda options: options.fn() * 2, pass_options=True)
            assert engine.render_sync("{{#twice}}ab{{/twice}}{{shout 'a'}}", {}) == "ababA"
            if options:
                assert engine.render_sync("{{#shout 'a'}}body{{/shout}}", {}) == "A"
                continue
            with pytest.raises(TemplateRenderError, match="helper `shout` is called as a block") as caught:
                engine.render_sync("{{#shout 'a'}}body{{/shout}}", {})
            assert "pass_options=True" in str(caught.value)
