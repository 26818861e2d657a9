"""The short spelling of prompts: what may be left out in a file and in Python, and what is refused."""

from __future__ import annotations

from collections.abc import Coroutine

import pytest
from pydantic import ValidationError

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.core.models import ChatPromptTemplate, PromptTemplate
from prompt_manager.exceptions import PromptManagerError, StorageReadError, TemplateRenderError
from prompt_manager.integrations import AnthropicIntegration, LangChainIntegration, OpenAIIntegration

USER = {"role": "user", "content": "{{q}}"}

#: A prompt in two spellings, in Python.
SPELLINGS = [
    (
        {"messages": [USER], "variables": {"q": "string"}, "partials": {"p": "x"}},
        {"format": "chat", "chat_template": {"messages": [USER], "variables": {"q": "string"}, "partials": {"p": "x"}}},
    ),
    ({"messages": [USER]}, {"chat_template": {"messages": [USER]}}),
    (
        {"template": "{{q}}", "variables": ["q"], "partials": {"p": "x"}},
        {"format": "text", "template": {"content": "{{q}}", "variables": ["q"], "partials": {"p": "x"}}},
    ),
    (
        {"template": {"content": "{{q}}", "partials": {"p": "x"}}, "variables": {"q": {"type": "enum", "values": [1]}}},
        {"template": {"content": "{{q}}", "partials": {"p": "x"}, "variables": {"q": {"type": "enum", "values": [1]}}}},
    ),
    ({"template": "x"}, {"version": "1.0.0", "format": "text", "status": "draft", "template": {"content": "x"}}),
    ({"format": "completion", "template": "x"}, {"format": "completion", "template": {"content": "x"}}),
]


@pytest.mark.parametrize(("short", "long"), SPELLINGS, ids=str)
def test_both_spellings_are_the_same_prompt(short, long):
    one, other = Prompt(id="a", **short), Prompt(id="a", **long)
    assert one.content_hash == other.content_hash
    assert one.model_dump(exclude={"uid", "created_at", "updated_at"}) == other.model_dump(
        exclude={"uid", "created_at", "updated_at"}
    )
    assert Prompt.model_validate({"id": "a", **short}).format == other.format


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": [USER], "chat_template": {"messages": [USER]}}, "both `messages` and `chat_template`"),
        (
            {"variables": ["q"], "template": {"content": "{{q}}", "variables": ["q"]}},
            "both `variables` and `template.variables`",
        ),
        (
            {"variables": ["q"], "chat_template": {"messages": [USER], "variables": ["q"]}},
            "both `variables` and `chat_template.variables`",
        ),
        (
            {"partials": {"p": ""}, "chat_template": {"messages": [USER], "partials": {"p": ""}}},
            "both `partials` and `chat_template.partials`",
        ),
        ({"messages": [USER], "template": "x"}, "a prompt has `template` or `messages`, not both"),
        ({"variables": ["q"]}, "`variables` needs a `template` or `messages`"),
        ({"format": "text", "messages": [USER]}, "format text takes `template`, not `messages`"),
        ({"status": "active"}, "format text needs `template`"),
        ({"status": "active", "format": "chat"}, "format chat needs `messages`"),
    ],
    ids=str,
)
def test_python_refuses_two_spellings_and_what_is_missing(fields, message):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", **fields)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "piece"),
    [
        ("model", "hint: the model is a setting: `settings: {model: …}`"),
        ("prompt", "hint: the text of a prompt is its `template`"),
        ("templat", "unknown key `templat`; did you mean `template`?"),
    ],
)
def test_an_unknown_field_gets_the_hint_that_a_file_gets(field, piece):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", status="archive", **{field: "x"})
    assert piece in str(caught.value)
    assert len(caught.value.errors()) == 2


def test_a_changed_prompt_may_be_written_in_the_short_spelling():
    chat = Prompt(id="a", messages=[USER], variables={"q": "string"}, partials={"p": "x"})
    changed = chat.replace(messages=[{"role": "user", "content": "Hi {{q}}"}])
    assert changed.chat_template is not None
    assert changed.chat_template.messages[0].content == "Hi {{q}}"
    assert changed.chat_template.variables == chat.chat_template.variables
    assert changed.chat_template.partials == {"p": "x"}
    text = Prompt(id="a", template="{{q}}").replace(variables={"q": "integer"})
    assert text.template.content == "{{q}}"
    assert text.template.variables["q"].type == "integer"
    assert text.replace(template=None, format="chat", messages=[USER]).format == "chat"
    with pytest.raises(TypeError, match="did you mean 'messages'"):
        chat.replace(mesages=[USER])


TONE = {"tone": {"type": "enum", "values": ["kind", "firm"], "default": "kind"}}
PARTS = {"variables": TONE, "partials": {"sign": "Yours"}}
WORDS = [{"role": "user", "content": "Your tone: {{tone}}"}]
TEXT = {"content": "Your tone: {{tone}}"}

#: For a text prompt and a chat with the parts above: a change, and what the changed template has.
CHANGES = [
    ("template", {"template": "Your tone: {{tone}}"}, {**TEXT, **PARTS}),
    ("template", {"template": TEXT}, {**TEXT, **PARTS}),
    ("template", {"template": {**TEXT, "variables": ["tone"]}}, {**TEXT, **PARTS, "variables": ["tone"]}),
    ("template", {"template": {**TEXT, "variables": []}}, {**TEXT, "partials": PARTS["partials"]}),
    ("template", {"template": {**TEXT, "partials": {}}}, {**TEXT, "variables": TONE}),
    ("template", {"template": {"partials": {"sign": "Bye"}}}, {**PARTS, "partials": {"sign": "Bye"}}),
    ("template", {"template": PromptTemplate(**TEXT)}, TEXT),
    ("template", {"template": PromptTemplate(**TEXT, variables=["tone"])}, {**TEXT, "variables": ["tone"]}),
    ("template", {"template": TEXT["content"], "variables": ["tone"]}, {**TEXT, **PARTS, "variables": ["tone"]}),
    ("template", {"template": TEXT, "partials": {}}, {**TEXT, "variables": TONE}),
    ("template", {"variables": {"tone": "string"}}, {**PARTS, "variables": {"tone": {"type": "string"}}}),
    ("template", {"partials": {"sign": "Bye"}}, {**PARTS, "partials": {"sign": "Bye"}}),
    ("chat_template", {"messages": WORDS}, {"messages": WORDS, **PARTS}),
    ("chat_template", {"chat_template": {"messages": WORDS}}, {"messages": WORDS, **PARTS}),
    ("chat_template", {"chat_template": ChatPromptTemplate(messages=WORDS)}, {"messages": WORDS}),
    ("chat_template", {"messages": WORDS, "variables": []}, {"messages": WORDS, "partials": PARTS["partials"]}),
    ("chat_template", {"variables": ["tone"]}, {**PARTS, "variables": ["tone"]}),
]


def changed_by_replace(prompt, changes):
    return prompt.replace(**changes)


def changed_by_model_copy(prompt, changes):
    return prompt.model_copy(update=changes)


def changed_by_update(prompt, changes):
    manager = PromptManager()
    return manager.update_prompt_sync(manager.create_prompt_sync(prompt), **changes)


async def changed_by_awaited_update(prompt, changes):
    manager = PromptManager()
    return await manager.update_prompt(await manager.create_prompt(prompt), **changes)


@pytest.mark.parametrize(
    "change", [changed_by_replace, changed_by_model_copy, changed_by_update, changed_by_awaited_update]
)
@pytest.mark.parametrize(("owner", "changes", "expected"), CHANGES, ids=str)
async def test_a_change_keeps_what_it_does_not_name_of_the_template(change, owner, changes, expected):
    held = {
        "template": {"content": "Be {{tone}}."},
        "chat_template": {"messages": [{**WORDS[0], "content": "{{tone}}"}]},
    }
    prompt = Prompt(id="a", status="active", **{owner: {**held[owner], **PARTS}})
    changed = change(prompt, changes)
    if isinstance(changed, Coroutine):
        changed = await changed
    written = getattr(changed, owner).model_dump(mode="json", exclude_none=True)
    wanted = {"variables": [], "partials": {}, "helpers": {}, **held[owner], **expected}
    assert written == wanted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"template": {"content": "x", "variables": ["q"]}, "variables": ["q"]},
            "`variables` and `template.variables`",
        ),
        (
            {"template": {"content": "x", "partials": {"p": ""}}, "partials": {"p": ""}},
            "`partials` and `template.partials`",
        ),
        ({"template": "x", "messages": [USER]}, "a prompt has `template` or `messages`, not both"),
    ],
    ids=str,
)
def test_a_change_in_two_spellings_is_refused(changes, message):
    manager = PromptManager()
    prompt = manager.create_prompt_sync(Prompt(id="a", template="{{q}}", variables={"q": "string"}))
    for change in (prompt.replace, lambda **given: manager.update_prompt_sync(prompt, **given)):
        with pytest.raises(ValidationError) as caught:
            change(**changes)
        assert message in str(caught.value)


def test_a_file_needs_only_a_template(directory):
    root = directory(
        {
            "greeting.yaml": 'template: "Hello {{name}}!"\n',
            "support/triage.v2.YML": "messages: [{role: user, content: '{{ticket}}'}]\nvariables: {ticket: string}\n",
        }
    )
    manager = PromptManager.from_directory_sync(root)
    greeting, triage = manager.get_prompt_sync("greeting"), manager.get_prompt_sync("support/triage.v2")
    assert (greeting.version, greeting.format, greeting.status) == ("1.0.0", "text", "active")
    assert (triage.version, triage.format, triage.status) == ("1.0.0", "chat", "active")
    assert manager.render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"


@pytest.mark.parametrize(
    ("files", "line", "piece"),
    [
        ({"my prompt.yaml": "version: 1.0.0\ntemplate: x\n"}, 1, "the path of the file gives no id"),
        ({"a.yaml": "template: x\n---\ntemplate: y\n"}, 1, "`id` is missing"),
        ({"a.yaml": "prompts:\n  - template: x\n"}, 2, "`id` is missing"),
    ],
    ids=str,
)
def test_a_file_that_gives_no_id_needs_one(directory, files, line, piece):
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(directory(files))
    error = caught.value.errors[0]
    assert piece in error.message
    assert error.context["line"] == line
    assert "`id" in error.hint


class TestEnum:
    @pytest.fixture
    def prompt(self):
        return Prompt(
            id="a",
            template="{{u}}",
            status="active",
            variables={"u": {"type": "enum", "values": ["low", "high", 3, True], "default": "low"}},
        )

    def test_a_value_of_an_enum_must_be_listed(self, prompt):
        manager = PromptManager()
        manager.create_prompt_sync(prompt)
        assert manager.render_sync("a", {}) == "low"
        assert manager.render_sync("a", {"u": "high"}) == "high"
        assert manager.render_sync("a", {"u": 3}) == "3"
        assert manager.render_sync("a", {"u": True}) == "true"
        for wrong in ("medium", "3", 1, False, "", b"low"):
            with pytest.raises(TemplateRenderError) as caught:
                manager.render_sync("a", {"u": wrong})
            assert caught.value.message == "variable 'u' of prompt 'a' must be one of 'low', 'high', 3, true"

    @pytest.mark.parametrize(
        ("variable", "piece"),
        [
            ("enum", "an enum needs `values`"),
            ({"type": "enum"}, "an enum needs `values`"),
            ({"type": "enum", "values": []}, "an enum needs `values`"),
            ({"type": "string", "values": ["a"]}, "`values` needs `type: enum`"),
            ({"values": ["a"]}, "`values` needs `type: enum`"),
            ({"type": "enum", "values": ["a", "a"]}, "is listed twice"),
            ({"type": "enum", "values": [1, 1.0]}, "is listed twice"),
            ({"type": "enum", "values": [["a"]]}, "expected a string, a number or a boolean, found a list"),
            ({"type": "enum", "values": ["a"], "default": "b"}, "is not one of its `values`"),
        ],
        ids=str,
    )
    def test_an_enum_without_sense_is_refused(self, variable, piece):
        with pytest.raises(ValidationError) as caught:
            Prompt(id="a", template="{{u}}", variables={"u": variable})
        assert piece in str(caught.value)

    @pytest.mark.parametrize(
        ("values", "bump"),
        [(["low"], "major"), (["low", "high", 3, True, "x"], "minor"), (["high", "low", 3, True], "patch")],
    )
    def test_a_change_of_the_values_raises_the_version(self, prompt, values, bump):
        from prompt_manager.versioning import diff

        new = prompt.replace(variables={"u": {"type": "enum", "values": values, "default": "low"}})
        assert diff(prompt, new).bump == bump


class TestOptionalMessages:
    MESSAGES = (
        {"role": "system", "content": "{{#if x}}sys{{/if}}", "optional": True},
        {"role": "user", "content": [{"type": "text", "text": " {{default y ''}}\n"}], "optional": True},
        {"role": "user", "content": "{{q}}"},
    )

    @pytest.fixture
    def prompt(self):
        variables = {"x": {"required": False}, "y": {"required": False}, "q": "string"}
        return Prompt(id="a", status="active", messages=self.MESSAGES, variables=variables)

    @pytest.mark.parametrize(
        ("given", "roles"),
        [({}, ["user"]), ({"x": True}, ["system", "user"]), ({"y": "Hi"}, ["user", "user"]), ({"y": " \t"}, ["user"])],
        ids=str,
    )
    def test_a_blank_one_is_left_out_everywhere(self, prompt, given, roles):
        variables = {"q": "Why?", **given}
        manager = PromptManager()
        manager.create_prompt_sync(prompt)
        rendered = manager.render_messages_sync("a", variables)
        assert [message["role"] for message in rendered] == roles
        assert all("optional" not in message for message in rendered)
        sent = OpenAIIntegration(TemplateEngine()).convert_sync(prompt, variables)
        assert [message["role"] for message in sent] == roles
        items = OpenAIIntegration(TemplateEngine(), api="responses").convert_sync(prompt, variables)
        assert ("instructions" in items, len(items["input"])) == ("system" in roles, roles.count("user"))
        if roles.count("user") == 1:
            turns = AnthropicIntegration(TemplateEngine()).convert_sync(prompt, variables)
            assert ("system" in turns) == ("system" in roles)
        template = LangChainIntegration(TemplateEngine()).convert_sync(prompt, {})
        types = {"system": "system", "user": "human"}
        assert [message.type for message in template.format_messages(**variables)] == [types[role] for role in roles]

    def test_the_transcript_leaves_it_out(self, prompt):
        manager = PromptManager()
        manager.create_prompt_sync(prompt)
        assert manager.render_sync("a", {"q": "Why?"}) == "user: Why?"

    def test_instructions_for_the_output_survive_a_message_that_is_left_out(self, prompt):
        asking = prompt.replace(output_schema={"type": "object", "properties": {"a": {"type": "string"}}})
        sent = OpenAIIntegration(TemplateEngine()).convert_sync(asking, {"q": "Why?"})
        assert [message["role"] for message in sent] == ["system", "user"]
        template = LangChainIntegration(TemplateEngine()).convert_sync(asking, {})
        assert [message.type for message in template.format_messages(q="Why?")] == ["system", "human"]

    @pytest.mark.parametrize("role", ["system", "developer", "user"])
    @pytest.mark.parametrize("content", ["{{x}}", " {{x}}\n", [{"type": "text", "text": "{{x}}"}]], ids=str)
    def test_a_blank_message_that_is_not_optional_is_an_error(self, role, content):
        prompt = Prompt(id="a", messages=[{"role": role, "content": content}, {"role": "user", "content": "Hi"}])
        for convert in (
            OpenAIIntegration(TemplateEngine()).convert_sync,
            OpenAIIntegration(TemplateEngine(), api="responses").convert_sync,
            AnthropicIntegration(TemplateEngine()).convert_sync,
        ):
            with pytest.raises(PromptManagerError) as caught:
                convert(prompt, {"x": " "})
            assert "empty" in caught.value.message or "blank" in caught.value.message
        if isinstance(content, list):
            with pytest.raises(PromptManagerError, match="empty"):
                LangChainIntegration(TemplateEngine()).convert_sync(prompt, {}).format_messages(x=" ")
        manager = PromptManager()
        manager.registry.register_sync(prompt)
        assert len(manager.render_messages_sync("a", {"x": " "})) == 2


def test_messages_of_none_take_the_chat_away():
    chat = Prompt(id="c", messages=[{"role": "user", "content": "{{x}}"}], variables={"x": "string"})
    text = chat.replace(messages=None, template="{{x}}!", variables={"x": "string"}, format="text")
    assert text == Prompt(id="c", template="{{x}}!", variables={"x": "string"}).replace(
        uid=text.uid, created_at=text.created_at, updated_at=text.updated_at
    )
    assert chat.replace(messages=None, template="{{x}}", format="text").chat_template is None
    assert text.replace(messages=None, updated_at=text.updated_at) == text
    with pytest.raises(ValidationError):
        chat.replace(messages=None, status="active")


@pytest.mark.parametrize("variables", [3, "name", [{"name": "n"}], [1]], ids=["number", "text", "mappings", "numbers"])
def test_variables_of_another_shape_are_one_error(variables):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="p", template="x", variables=variables)
    (error,) = caught.value.errors()
    assert error["loc"] == ("template", "variables")
    assert error["msg"] == "expected a mapping of names to variables, or a list of names"


def test_a_mistake_in_a_variable_names_only_its_place():
    with pytest.raises(ValidationError) as caught:
        Prompt(id="p", template="x", variables={"n": {"tpye": "string"}, "m": 3})
    assert [error["loc"] for error in caught.value.errors()] == [
        ("template", "variables", "mapping", "n", "tpye"),
        ("template", "variables", "mapping", "m"),
    ]


@pytest.mark.parametrize(
    "short", [{"variables": {"a": "string"}}, {"partials": {"a": "b"}}], ids=lambda short: next(iter(short))
)
@pytest.mark.parametrize("owner", ["template", "chat_template"])
@pytest.mark.parametrize("template", [5, [1], b"Hi", object()], ids=["number", "list", "bytes", "object"])
def test_a_template_of_another_type_is_named_by_the_error(template, owner, short):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="p", **{owner: template}, **short)
    assert owner in {error["loc"][0] for error in caught.value.errors()}
