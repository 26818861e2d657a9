"""Arguments of tool calls keep every digit and letter, whatever way they take."""

import json
import pathlib

import pydantic
import pytest

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError, PromptManagerError
from prompt_manager.integrations import (
    AnthropicIntegration,
    LangChainIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)

ENGINE = TemplateEngine()
TEXTS = [
    '{"id": 18446744073709551617}',
    '{"n": -0, "m": -0.0, "d": 0.12345678901234567890123, "e": 1E400}',
    '{"price": 1.50, "note": "\\u00e9"}',
    '{ "a" : [ 1 , { "b" : null } ] }\n',
    '{"a": {"b": {}}}',
    "",
    " ",
    "{}",
]


def call(arguments: object) -> dict:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}


RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}
USER = {"role": "user", "content": "q"}


def prompt(*messages: dict) -> Prompt:
    return Prompt(id="c", format="chat", status="active", chat_template={"messages": list(messages)})


def openai_arguments(prompt: Prompt, variables: dict | None = None) -> str:
    messages = OpenAIIntegration(ENGINE).convert_sync(prompt, variables or {})
    [made] = [message for message in messages if message.get("tool_calls")]
    return made["tool_calls"][0]["function"]["arguments"]


def anthropic_input(prompt: Prompt, variables: dict | None = None) -> dict:
    messages = AnthropicIntegration(ENGINE).convert_sync(prompt, variables or {})["messages"]
    [block] = [
        block
        for message in messages
        for block in message["content"]
        if isinstance(block, dict) and block["type"] == "tool_use"
    ]
    return block["input"]


@pytest.mark.parametrize("text", TEXTS)
def test_json_text_is_passed_on_as_it_is(text: str) -> None:
    assert openai_arguments(prompt(USER, call(text), RESULT)) == text


@pytest.mark.parametrize("text", [*TEXTS, '{"t": "{{not a template}}"}'])
def test_json_text_of_a_history_is_passed_on_as_it_is(text: str) -> None:
    history = [USER, call(text), RESULT]
    made = prompt({"role": "placeholder", "name": "h"})
    assert openai_arguments(made, {"h": history}) == text


@pytest.mark.parametrize("text", TEXTS)
def test_json_text_of_a_file_is_passed_on_as_it_is(text: str, tmp_path: pathlib.Path) -> None:
    document = {
        "id": "c",
        "version": "1.0.0",
        "format": "chat",
        "chat_template": {"messages": [USER, call(text), RESULT]},
    }
    (tmp_path / "c.yaml").write_text(json.dumps(document))
    manager = PromptManager.from_directory_sync(tmp_path)
    assert openai_arguments(manager.get_prompt_sync("c")) == text


@pytest.mark.parametrize("text", [text for text in TEXTS if "1E400" not in text])
def test_an_object_is_what_python_reads(text: str) -> None:
    expected = json.loads(text) if text.strip() else {}
    assert anthropic_input(prompt(USER, call(text), RESULT)) == expected


@pytest.mark.parametrize("number", [2**64, 2**64 + 1, -(2**63) - 1, 10**40, -(10**40)])
def test_integers_of_a_mapping_keep_every_digit(number: int, tmp_path: pathlib.Path) -> None:
    made = prompt(USER, call({"id": number}), RESULT)
    assert openai_arguments(made) == f'{{"id":{number}}}'
    assert anthropic_input(made) == {"id": number}
    history = prompt({"role": "placeholder", "name": "h"})
    assert openai_arguments(history, {"h": [USER, call({"id": number}), RESULT]}) == f'{{"id":{number}}}'

    source = "id: c\nversion: 1.0.0\nformat: chat\nchat_template:\n  messages:\n"
    source += (
        f"  - role: assistant\n    tool_calls:\n    - {{id: c1, function: {{name: f, arguments: {{id: {number}}}}}}}\n"
    )
    source += "  - {role: tool, tool_call_id: c1, content: '1'}\n"
    (tmp_path / "c.yaml").write_text(source)
    (tmp_path / "d.json").write_text(
        json.dumps(
            {
                "id": "d",
                "version": "1.0.0",
                "format": "chat",
                "chat_template": {"messages": [USER, call({"id": number}), RESULT]},
            }
        )
    )
    manager = PromptManager.from_directory_sync(tmp_path)
    assert openai_arguments(manager.get_prompt_sync("c")) == f'{{"id":{number}}}'


def test_a_saved_prompt_keeps_every_digit(tmp_path: pathlib.Path) -> None:
    from prompt_manager.storage import FileSystemStorage

    storage = FileSystemStorage(tmp_path)
    storage.save_sync(prompt(USER, call({"id": 2**70, "text": "{{x}}"}), RESULT))
    saved = storage.load_sync("c")
    assert openai_arguments(saved, {"x": "é"}) == f'{{"id":{2**70},"text":"é"}}'


def test_text_with_a_template_is_rendered() -> None:
    text = '{"id": 18446744073709551617, "q": "{{q}}"}'
    assert openai_arguments(prompt(USER, call(text), RESULT), {"q": 'a "quote"'}) == (
        '{"id":18446744073709551617,"q":"a \\"quote\\""}'
    )


@pytest.mark.parametrize("text", ['{"b": 1, "b": 2}', '{"a": {"b": 1, "b": 2}}', '{"a": 1', "[1]", "NaN", "x"])
def test_text_that_is_no_object_is_an_error(text: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="arguments"):
        prompt(USER, call(text), RESULT)
    with pytest.raises(PromptManagerError, match="arguments"):
        openai_arguments(prompt({"role": "placeholder", "name": "h"}), {"h": [USER, call(text), RESULT]})


def test_langchain_gets_the_same_integers() -> None:
    made = LangChainIntegration(ENGINE).convert_sync(prompt(USER, call({"id": 2**70}), RESULT), {})
    messages = made.invoke({}).to_messages()
    assert messages[1].tool_calls[0]["args"] == {"id": 2**70}


@pytest.mark.parametrize("text", ['{"e": 1e400}', '{"e": ' + "9" * 5000 + "}"])
def test_a_number_that_python_cannot_hold_is_a_conversion_error(text: str) -> None:
    with pytest.raises(ConversionError, match="too large"):
        anthropic_input(prompt(USER, call(text), RESULT))
    assert openai_arguments(prompt(USER, call(text), RESULT)) == text


def test_a_default_beyond_64_bits_is_an_error() -> None:
    with pytest.raises(pydantic.ValidationError, match="would lose digits"):
        Prompt(id="x", template="{{a}}", variables={"a": {"default": 2**64}})


FLOATS = ["1.50", "2.0", "1e3", "0.10", "-0.50"]


@pytest.mark.parametrize("number", FLOATS)
def test_a_decimal_in_a_file_is_sent_as_it_is_written(tmp_path: pathlib.Path, number: str) -> None:
    (tmp_path / "c.yaml").write_text(
        "messages:\n"
        "  - {role: user, content: q}\n"
        f"  - {{role: assistant, tool_calls: [{{id: c1, name: f, arguments: {{n: {number}, l: [{number}]}}}}]}}\n"
        '  - {role: tool, tool_call_id: c1, content: "1"}\n'
    )
    manager = PromptManager.from_directory_sync(tmp_path)
    expected = f'{{"n":{number},"l":[{number}]}}'
    assert openai_arguments(manager.get_prompt_sync("c")) == expected
    # A prompt that was read, changed or saved elsewhere is the same prompt.
    loaded = manager.get_prompt_sync("c")
    copied = Prompt.model_validate(loaded.model_dump())
    assert openai_arguments(copied) == expected
    assert copied.content_hash == loaded.content_hash


@pytest.mark.parametrize("number", FLOATS)
def test_a_decimal_in_json_text_with_a_template_is_sent_as_it_is_written(number: str) -> None:
    text = f'{{"n": {number}, "q": "{{{{q}}}}"}}'
    assert openai_arguments(prompt(USER, call(text), RESULT), {"q": "x"}) == f'{{"n":{number},"q":"x"}}'


@pytest.mark.parametrize("arguments", [{"{{k}}": 1}, {"a": [{"b {{k}}": 1}]}, '{"{{k}}": "{{v}}"}'])
def test_a_template_in_a_key_is_an_error(arguments: object) -> None:
    with pytest.raises(pydantic.ValidationError, match="a key of the arguments is no template"):
        prompt(USER, call(arguments), RESULT)


def test_a_key_of_a_history_is_data() -> None:
    history = [USER, call({"{{k}}": 1}), RESULT]
    assert openai_arguments(prompt({"role": "placeholder", "name": "h"}), {"h": history}) == '{"{{k}}":1}'


#: Broken arguments that mean one thing, and what they mean.
CERTAIN = [
    ('{"a": 1,}', {"a": 1}),
    ("{'a': True, 'b': None}", {"a": True, "b": None}),
    ('```json\n{"a": 12345678901234567890123}\n```', {"a": 12345678901234567890123}),
    ('{"a": "x\ny"}', {"a": "x\ny"}),
]
UNCERTAIN = ['{"a": 1', 'It is {"a": 1}', '{"a": 1} {"a": 2}', '{"a": NaN}', "{'a': 'it's'}"]


def broken_call_in_a_history(arguments: str, integration) -> object:
    history = [USER, {**call(arguments), "content": None}, RESULT]
    made = integration.convert_sync(prompt({"role": "placeholder", "name": "history"}), {"history": history})
    return made.format_messages() if isinstance(integration, LangChainIntegration) else made


@pytest.mark.parametrize(("broken", "meant"), CERTAIN)
def test_broken_arguments_that_mean_one_thing_are_repaired(broken, meant):
    problem = "the arguments of tool call 0 are not JSON"
    for kind in (OpenAIIntegration, AnthropicIntegration, LangChainIntegration):
        with pytest.raises(ConversionError, match=problem):
            broken_call_in_a_history(broken, kind(ENGINE))
    with pytest.warns(PromptConversionWarning, match=f"{problem} text; repaired"):
        sent = broken_call_in_a_history(broken, OpenAIIntegration(ENGINE, strict_validation=False))
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == meant
    with pytest.warns(PromptConversionWarning, match=f"{problem}; repaired"):
        sent = broken_call_in_a_history(broken, AnthropicIntegration(ENGINE, strict_validation=False))
    assert sent["messages"][1]["content"][0]["input"] == meant
    with pytest.warns(PromptConversionWarning, match=f"{problem}; repaired"):
        messages = broken_call_in_a_history(broken, LangChainIntegration(ENGINE, strict_validation=False))
    assert (messages[1].tool_calls[0]["args"], messages[1].invalid_tool_calls) == (meant, [])


@pytest.mark.parametrize("broken", UNCERTAIN)
def test_broken_arguments_whose_meaning_is_a_guess_stay(broken):
    with pytest.warns(PromptConversionWarning, match="sent unchanged"):
        sent = broken_call_in_a_history(broken, OpenAIIntegration(ENGINE, strict_validation=False))
    assert sent[1]["tool_calls"][0]["function"]["arguments"] == broken
    with pytest.warns(PromptConversionWarning, match="sent as `_invalid_json`"):
        sent = broken_call_in_a_history(broken, AnthropicIntegration(ENGINE, strict_validation=False))
    assert sent["messages"][1]["content"][0]["input"] == {"_invalid_json": broken}
