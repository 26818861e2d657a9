"""The models of prompts, built in Python."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.core.models import (
    ChatPromptTemplate,
    Message,
    Prompt,
    PromptExecution,
    PromptFormat,
    PromptMetadata,
    PromptSchema,
    PromptStatus,
    PromptSummary,
    PromptTemplate,
    PromptVersion,
    Role,
    Settings,
    Tool,
    Variable,
)
from prompt_manager.exceptions import PromptManagerError

USER = {"role": "user", "content": "{{q}}"}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"id": "{{q}}"}}}


def whole_prompt() -> Prompt:
    """Build a prompt that sets every field."""
    return Prompt(
        id="support/triage",
        version="2.0.0-rc.1",
        format="chat",
        status="active",
        chat_template={
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "For {{company}}. {{> tone}}"}]},
                {"role": "placeholder", "name": "history", "optional": True},
                {"role": "user", "name": "ada", "content": "{{q}}", "cache": True},
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "found"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{url}}"}}]},
            ],
            "partials": {"tone": "Be kind."},
            "variables": {
                "company": {"type": "string", "description": "Ours", "default": "Acme"},
                "q": "string",
                "url": {"required": False},
            },
        },
        tools=[{"name": "find", "parameters": {"type": "object", "properties": {"id": {"enum": ["a", None]}}}}],
        tool_choice="auto",
        settings={"model": "m", "temperature": 0.5, "stop": ["END"], "extra": {"k": None}},
        input_schema={"type": "object"},
        output_schema="answer",
        metadata={"author": "A", "tags": ["x", "y"], "custom": {"n": [1, None]}, "team": {"size": 3}},
        labels=["production"],
    )


WHOLE = [
    pytest.param(create_text_prompt(), id="a text"),
    pytest.param(create_chat_prompt(), id="a chat"),
    pytest.param(Prompt(id="later", format="completion"), id="a draft without template"),
    pytest.param(whole_prompt(), id="everything"),
]


def test_omitted_fields_have_defaults():
    prompt = Prompt(id="a", format="text", template="x")
    assert prompt.version == "1.0.0"
    assert prompt.status is PromptStatus.DRAFT
    assert prompt.format is PromptFormat.TEXT
    assert isinstance(prompt.uid, UUID)
    assert prompt.uid != Prompt(id="a", format="text", template="x").uid
    assert prompt.created_at.tzinfo is dt.UTC
    assert (prompt.tools, prompt.labels, prompt.metadata.tags) == ((), (), ())
    assert (prompt.settings, prompt.metadata) == (Settings(), PromptMetadata())
    assert (prompt.input_schema, prompt.output_schema, prompt.tool_choice) == (None, None, None)


@pytest.mark.parametrize("prompt", WHOLE)
def test_a_prompt_survives_json_pickle_and_copy(prompt):
    assert Prompt.model_validate_json(prompt.model_dump_json()) == prompt
    assert Prompt.model_validate(prompt.model_dump()) == prompt
    assert pickle.loads(pickle.dumps(prompt)) == prompt
    assert copy.copy(prompt) == prompt
    assert copy.deepcopy(prompt) == prompt
    assert prompt.model_copy() == prompt
    assert prompt.model_copy(deep=True) == prompt


def test_a_used_prompt_survives_json_pickle_and_copy():
    manager = PromptManager()
    prompt = create_text_prompt()
    manager.registry.register_sync(prompt)
    held = manager.get_prompt_sync("greeting")
    for used in (prompt, held):
        for other in (pickle.loads(pickle.dumps(used)), copy.deepcopy(used), copy.copy(used)):
            assert other == used
            fresh = PromptManager()
            fresh.registry.register_sync(other)
            assert fresh.render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"


@pytest.mark.parametrize(
    "prompt", [create_text_prompt(), create_chat_prompt(), pytest.param(whole_prompt(), id="everything")]
)
def test_a_registry_returns_the_prompt_it_was_given(prompt):
    manager = PromptManager()
    manager.registry.register_sync(prompt)
    assert manager.get_prompt_sync(prompt.id) == prompt


@pytest.mark.parametrize(
    "metadata",
    [
        {"note": None},
        {"custom": {"note": None}},
        {"custom": {"when": dt.date(2026, 1, 31)}},
        {"custom": {"pair": (1, 2)}},
        {"team": {"since": dt.datetime(2026, 1, 31, tzinfo=dt.UTC)}},
    ],
    ids=str,
)
def test_storing_does_not_change_metadata(metadata):
    prompt = create_text_prompt(metadata=metadata)
    manager = PromptManager()
    manager.registry.register_sync(prompt)
    assert manager.get_prompt_sync(prompt.id).metadata == prompt.metadata
    assert Prompt.model_validate_json(prompt.model_dump_json()) == prompt


def test_dates_in_metadata_become_text_and_tuples_lists():
    prompt = create_text_prompt(metadata={"custom": {"when": dt.date(2026, 1, 31), "pair": (1, 2)}})
    assert json.loads(prompt.model_dump_json())["metadata"]["custom"] == {"when": "2026-01-31", "pair": [1, 2]}
    assert prompt.metadata.custom == {"when": "2026-01-31", "pair": [1, 2]}


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), b"bytes", print, float("nan"), float("inf")],
    ids=["set", "object", "bytes", "function", "nan", "inf"],
)
@pytest.mark.parametrize("top", [True, False])
def test_metadata_that_is_not_json_is_refused_with_its_path(value, top):
    metadata = {"team": {"deep": [0, value]}} if top else {"custom": {"team": {"deep": [0, value]}}}
    with pytest.raises(ValidationError) as caught:
        create_text_prompt(metadata=metadata)
    message = str(caught.value)
    assert "team" in message
    assert "deep" in message


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        (dt.datetime(2026, 1, 31, 10), "2026-01-31T10:00:00+00:00"),  # noqa: DTZ001 - naive on purpose
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00+00:00"),
        (dt.datetime(2026, 1, 31, 10, tzinfo=dt.timezone(dt.timedelta(hours=-1))), "2026-01-31T11:00:00+00:00"),
    ],
)
def test_naive_times_are_read_as_utc(time, utc):
    prompt = create_text_prompt(created_at=time, updated_at=time)
    assert (prompt.created_at.isoformat(), prompt.updated_at.isoformat()) == (utc, utc)
    assert PromptVersion(prompt=prompt, version="1.0.0", created_at=time).created_at.isoformat() == utc


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "b"), ("version", "9.9.9"), ("status", "active"), ("template", "x"), ("labels", ("x",)), ("new", 1)],
)
def test_a_prompt_cannot_be_changed(field, value):
    prompt = create_text_prompt()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(prompt, field, value)
    for part, name in ((prompt.metadata, "author"), (prompt.settings, "model"), (prompt.template, "content")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, "x")


def test_lists_of_a_prompt_are_tuples():
    prompt = whole_prompt()
    values = (
        prompt.tools,
        prompt.labels,
        prompt.metadata.tags,
        prompt.chat_template.messages,
        prompt.chat_template.messages[3].tool_calls,
        prompt.settings.stop,
        PromptSchema(prompts=[prompt]).prompts,
        create_text_prompt(template={"content": "{{a}}", "variables": ["a"]}).template.variables,
    )
    assert {type(value) for value in values} == {tuple}


class TestReplace:
    def test_replace_returns_a_new_prompt(self):
        prompt = create_text_prompt()
        changed = prompt.replace(version="1.1.0", template="Bye {{name}}")
        assert (changed.version, changed.template.content) == ("1.1.0", "Bye {{name}}")
        assert (prompt.version, prompt.template.content) == ("1.0.0", "Hello {{name}}!")
        assert (changed.id, changed.uid, changed.created_at) == (prompt.id, prompt.uid, prompt.created_at)
        assert changed.updated_at >= prompt.updated_at

    def test_replace_drops_the_compiled_template(self, prompt_manager):
        prompt_manager.registry.register_sync(create_text_prompt())
        changed = prompt_manager.get_prompt_sync("greeting").replace(version="1.1.0", template="Bye {{name}}!")
        prompt_manager.registry.register_sync(changed)
        assert prompt_manager.render_sync("greeting", {"name": "A"}, version="1.1.0") == "Bye A!"
        assert prompt_manager.render_sync("greeting", {"name": "A"}, version="1.0.0") == "Hello A!"

    @pytest.mark.parametrize(
        "changes",
        [
            {"version": "1.0"},
            {"id": "../x"},
            {"format": "chat"},
            {"template": None, "status": "active"},
            {"settings": {"temperature": 99}},
        ],
        ids=str,
    )
    def test_replace_and_model_copy_validate_the_changes(self, changes):
        prompt = create_text_prompt()
        with pytest.raises(ValidationError):
            prompt.replace(**changes)
        with pytest.raises(ValidationError):
            prompt.model_copy(update=changes)

    def test_model_copy_applies_its_update(self):
        copied = create_text_prompt().model_copy(update={"version": "3.0.0"})
        assert copied.version == "3.0.0"


@pytest.mark.parametrize(
    "prompt_id",
    ["a", "a.b", "A-1_2", "a/b/c", "1.10", "x" * 255, "support/triage.v2"],
)
def test_valid_ids_are_accepted(prompt_id):
    assert create_text_prompt(id=prompt_id).id == prompt_id


@pytest.mark.parametrize(
    "prompt_id",
    ["", " ", "a b", "../a", "a/../b", "a//b", "/a", "a/", ".a", "a/.b", ".", "ä", "a\n", "a\\b", "C:a", "x" * 256,
     "a\x00", "a%2f"],
)  # fmt: skip
def test_an_id_that_could_escape_a_directory_is_refused(prompt_id):
    with pytest.raises(ValidationError, match="an id"):
        create_text_prompt(id=prompt_id)


@pytest.mark.parametrize("version", ["0.0.0", "1.2.3", "10.20.30", "1.0.0-rc.1", "1.0.0-alpha", "1.0.0-0.3.7"])
def test_semantic_versions_are_accepted(version):
    assert create_text_prompt(version=version).version == version


@pytest.mark.parametrize(
    "version", ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.02.0", "v1.0.0", "1.0.0+5", "1.0.0-", "1.0.0-01", "1.0.x",
                "-1.0.0"]
)  # fmt: skip
def test_other_versions_are_refused(version):
    with pytest.raises(ValidationError, match="version"):
        create_text_prompt(version=version)


WRONG = [
    ("an unknown format", {"format": "poem"}, "format"),
    ("an unknown status", {"status": "done"}, "status"),
    ("an unknown key", {"templat": "x"}, "templat"),
    ("a text format with a chat template", {"template": None, "chat_template": {"messages": [USER]}}, "template"),
    ("a chat format with a text template", {"format": "chat"}, "format chat takes `messages`, not `template`"),
    ("both templates", {"chat_template": {"messages": [USER]}}, "`template` or `messages`, not both"),
    ("no template in an active prompt", {"template": None, "status": "active"}, "template"),
    ("a variable listed twice", {"template": {"content": "x", "variables": ["a", "a"]}}, "twice"),
    ("an unknown type", {"template": {"content": "x", "variables": {"a": "strin"}}}, "did you mean `string`"),
    ("a default of another type",
     {"template": {"content": "x", "variables": {"a": {"type": "integer", "default": "x"}}}}, "default"),
    ("a temperature beyond the range", {"settings": {"temperature": 3}}, "temperature"),
    ("a number of tokens below one", {"settings": {"max_tokens": 0}}, "max_tokens"),
    ("a label that is not a string", {"labels": [1]}, "labels"),
    ("a tool without name", {"tools": [{"description": "x"}]}, "name"),
    ("an unknown key of metadata's parts", {"settings": {"temprature": 1}}, "temprature"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "match"), [pytest.param(*row[1:], id=row[0]) for row in WRONG])
def test_an_invalid_prompt_raises_pydantic_validation_error(changes, match):
    with pytest.raises(ValidationError, match=match):
        create_text_prompt(**changes)


WRONG_MESSAGES = [
    ("an unknown role", {"role": "usr", "content": "x"}),
    ("a placeholder without name", {"role": "placeholder"}),
    ("a placeholder with content", {"role": "placeholder", "name": "h", "content": "x"}),
    ("content of a wrong kind", {"role": "user", "content": 5}),
    ("a part of unknown type", {"role": "user", "content": [{"type": "smell"}]}),
    ("a part without the field of its type", {"role": "user", "content": [{"type": "image_url"}]}),
    ("a call without name", {"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": {}}}]}),
    ("a call whose arguments are not JSON",
     {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}]}),
    ("an unknown key", {"role": "user", "content": "x", "contents": "y"}),
]  # fmt: skip


@pytest.mark.parametrize("message", [pytest.param(row[1], id=row[0]) for row in WRONG_MESSAGES])
def test_an_invalid_message_raises_pydantic_validation_error(message):
    with pytest.raises(ValidationError):
        chat_of(message)


@pytest.mark.parametrize(
    "given",
    [
        {"id": f"../{SECRET}"},
        {"version": SECRET},
        {"format": SECRET},
        {"status": SECRET},
        {"created_at": SECRET},
        {"template": [SECRET]},
        {"settings": {"temperature": SECRET}},
        {"metadata": {"tags": SECRET}},
        {"template": {"content": "x", "variables": {"a": {"type": "integer", "default": SECRET}}}},
    ],
    ids=lambda given: next(iter(given)),
)
def test_validation_errors_hide_the_input(given):
    with pytest.raises(ValidationError) as caught:
        create_text_prompt(**given)
    assert "input_value" not in str(caught.value)
    if next(iter(given)) not in ("id", "version"):  # these two are field names, which the error shows
        assert SECRET not in str(caught.value)


class TestDraft:
    @pytest.mark.parametrize("format", list(PromptFormat))
    def test_a_draft_may_lack_a_template(self, format):
        assert Prompt(id="later", format=format).status == "draft"

    @pytest.mark.parametrize("status", [PromptStatus.ACTIVE, PromptStatus.DEPRECATED, PromptStatus.ARCHIVED])
    def test_a_draft_without_template_cannot_become_active(self, status):
        with pytest.raises(ValidationError, match="template"):
            Prompt(id="later", format="text").replace(status=status)

    def test_a_draft_without_template_cannot_be_stored(self, prompt_manager):
        with pytest.raises(PromptManagerError, match=r"[Tt]emplate"):
            prompt_manager.registry.register_sync(Prompt(id="later", format="text"))
        assert not prompt_manager.registry.exists_sync("later")


class TestShortForms:
    def test_a_string_is_accepted_as_template(self):
        prompt = create_text_prompt(template="x")
        assert prompt == prompt.replace(template={"content": "x"}, updated_at=prompt.updated_at)
        assert isinstance(prompt.template, PromptTemplate)

    @pytest.mark.parametrize(
        ("variables", "read"),
        [
            (["a", "b"], ("a", "b")),
            ({"a": "integer"}, {"a": Variable(type="integer")}),
            ({"a": None}, {"a": Variable()}),
            ({"a": {}}, {"a": Variable()}),
            ({"a": {"type": "list", "default": []}}, {"a": Variable(type="list", default=[])}),
            ({"a": Variable(required=False)}, {"a": Variable(required=False)}),
        ],
        ids=str,
    )
    def test_variables_may_be_a_list_or_a_mapping(self, variables, read):
        given = {"content": "{{a}}{{b}}", "variables": variables}
        assert create_text_prompt(template=given).template.variables == read
        chat = ChatPromptTemplate(messages=[USER], variables=variables)
        assert chat.variables == read

    def test_variables_are_dumped_in_their_short_format(self):
        given = {"a": "integer", "b": {"type": "string", "default": "x"}, "c": {"required": False}}
        template = PromptTemplate(content="{{a}}{{b}}{{c}}", variables=given)
        assert template.model_dump()["variables"] == {
            "a": {"type": "integer"},
            "b": {"type": "string", "default": "x"},
            "c": {"required": False},
        }
        assert PromptTemplate(content="x", variables=["a"]).model_dump()["variables"] == ["a"]

    @pytest.mark.parametrize(
        "type_", ["string", "integer", "float", "boolean", "list", "dict", "any", "date", "datetime", "uuid"]
    )
    def test_ten_variable_types_are_one_word(self, type_):
        create_text_prompt(template={"content": "{{a}}", "variables": {"a": type_}})

    def test_the_eleventh_variable_type_has_values(self):
        create_text_prompt(template={"content": "{{a}}", "variables": {"a": {"type": "enum", "values": ["low"]}}})


def test_models_and_dicts_build_equal_prompts():
    built = Prompt(
        id="a",
        format=PromptFormat.CHAT,
        uid=(uid := uuid4()),
        created_at=(now := dt.datetime.now(dt.UTC)),
        updated_at=now,
        chat_template=ChatPromptTemplate(messages=(Message(role=Role.USER, content="{{q}}"),)),
        tools=(Tool(name="f"),),
        settings=Settings(model="m"),
        metadata=PromptMetadata(author="A"),
    )
    read = Prompt.model_validate(
        {
            "id": "a",
            "format": "chat",
            "uid": str(uid),
            "created_at": now,
            "updated_at": now,
            "chat_template": {"messages": [USER]},
            "tools": [{"name": "f"}],
            "settings": {"model": "m"},
            "metadata": {"author": "A"},
        }
    )
    assert built == read
    assert built != built.replace(version="1.0.1")


class TestPromptSchema:
    def test_a_prompt_schema_holds_several_prompts(self):
        schema = PromptSchema(prompts=[create_text_prompt(), create_text_prompt(version="2.0.0")])
        assert [prompt.version for prompt in schema.prompts] == ["1.0.0", "2.0.0"]
        assert PromptSchema.model_validate_json(schema.model_dump_json()) == schema

    def test_a_duplicate_id_and_version_is_refused_by_name(self):
        with pytest.raises(ValidationError, match=r"'greeting' has version 1\.0\.0 twice"):
            PromptSchema(prompts=[create_text_prompt(), create_text_prompt(template="other")])

    def test_an_empty_prompt_schema_is_refused(self):
        with pytest.raises(ValidationError):
            PromptSchema(prompts=[])


def test_each_record_has_its_own_id_and_time():
    def record(**more):
        return PromptExecution(
            prompt_id="a", prompt_version="1.0.0", variables={"a": 1}, rendered_content="x", success=True, **more
        )

    first = record(tenant="T")
    assert first.execution_id != record().execution_id
    assert first.timestamp.tzinfo is dt.UTC
    assert first.tenant == "T"
    assert PromptExecution.model_validate_json(first.model_dump_json()) == first


def test_a_summary_is_frozen_and_has_no_template():
    summary = PromptSummary(id="a", version="1.0.0", format="text", status="active")
    with pytest.raises(ValidationError, match="frozen"):
        summary.id = "b"
    with pytest.raises(ValidationError):
        PromptSummary(id="a", version="1.0.0", format="text", status="active", template="x")


def test_enum_values_are_the_words_of_prompt_files():
    assert [str(role) for role in Role] == [
        "system", "developer", "user", "assistant", "function", "tool", "placeholder",
    ]  # fmt: skip
    assert [str(each) for each in PromptFormat] == ["text", "chat", "completion", "instruction"]
    assert [str(status) for status in PromptStatus] == ["draft", "active", "deprecated", "archived"]
