"""Messages of LlamaIndex from prompts, sent with its mock model."""

from __future__ import annotations

import json

import pytest

from helpers import chat_of
from prompt_manager import Prompt, TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import OpenAIIntegration, PromptConversionWarning
from prompt_manager.integrations.llama_index import to_llama_index_messages

pytestmark = [pytest.mark.unit, pytest.mark.newest]


def test_a_model_gets_the_messages():
    from llama_index.core.llms import MockLLM

    prompt = chat_of({"role": "system", "content": "S"}, {"role": "user", "content": "Hi, {{name}}"})
    messages = to_llama_index_messages(prompt, {"name": "Ada"})
    assert [(message.role.value, message.content) for message in messages] == [("system", "S"), ("user", "Hi, Ada")]
    assert "Hi, Ada" in str(MockLLM().chat(messages))


def test_calls_and_results_are_where_models_read_them():
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    history = [
        {"role": "user", "content": "U"},
        {"role": "assistant", "content": "A", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "R"},
    ]
    _, asking, answer = to_llama_index_messages(
        chat_of({"role": "placeholder", "name": "history"}), {"history": history}
    )
    assert asking.additional_kwargs["tool_calls"][0]["function"]["name"] == "f"
    assert (answer.role.value, answer.content, answer.additional_kwargs) == ("tool", "R", {"tool_call_id": "c1"})


def test_parts_are_blocks():
    parts = [
        {"type": "text", "text": "T"},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png", "detail": "low"}},
        {"type": "image", "media_type": "image/png", "data": "iVBORw0K"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}},
        {"type": "file", "text": "Water weekly."},
    ]
    [message] = to_llama_index_messages(chat_of({"role": "user", "content": parts}), {})
    assert [block.block_type for block in message.blocks] == [
        "text",
        "image",
        "image",
        "audio",
        "document",
        "document",
    ]
    assert message.blocks[2].resolve_image().read() == b"\x89PNG\r\n"
    assert message.blocks[4].resolve_document().read() == b"%PDF-1"


def test_a_text_prompt_is_one_user_message():
    prompt = Prompt(id="hi", format="text", template="Hi, {{name}}")
    [message] = to_llama_index_messages(prompt, {"name": "Ada"})
    assert (message.role.value, message.content) == ("user", "Hi, Ada")


def test_what_llama_index_cannot_express_is_refused_or_warned_of():
    parts = [{"type": "text", "text": "T"}, {"type": "file", "file": {"file_id": "f"}}]
    prompt = chat_of({"role": "user", "content": parts})
    problem = r"message 0 \(user\): part 1 is the id of an uploaded file, which LlamaIndex does not accept"
    with pytest.raises(ConversionError, match=problem):
        to_llama_index_messages(prompt, {})
    with pytest.warns(PromptConversionWarning, match=f"{problem}; left out"):
        assert to_llama_index_messages(prompt, {}, strict_validation=False)[0].content == "T"


def test_messages_of_llama_index_go_back_into_a_prompt():
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    parts = [
        {"type": "text", "text": "T"},
        {"type": "image_url", "image_url": {"url": "https://example.org/fern.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"filename": "document", "file_data": "data:application/pdf;base64,JVBERi0x"}},
    ]
    history = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "R"},
        {"role": "assistant", "content": "A"},
    ]
    prompt = chat_of({"role": "placeholder", "name": "history"})
    messages = to_llama_index_messages(prompt, {"history": history})
    openai = OpenAIIntegration(TemplateEngine())
    assert openai.convert_sync(prompt, {"history": messages}) == history
    dumps = [json.loads(message.model_dump_json()) for message in messages]
    assert openai.convert_sync(prompt, {"history": dumps}) == history


def test_blocks_that_only_llama_index_has_are_warned_of():
    from llama_index.core.base.llms.types import ChatMessage, TextBlock, ThinkingBlock

    message = ChatMessage(role="assistant", blocks=[ThinkingBlock(content="T"), TextBlock(text="A")])
    prompt = chat_of({"role": "placeholder", "name": "history"})
    with pytest.raises(ConversionError, match=r"message 0 \(assistant\): OpenAI does not accept `thinking`"):
        OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"history": [message]})
    with pytest.warns(PromptConversionWarning, match="`thinking`; left out"):
        made = OpenAIIntegration(TemplateEngine(), strict_validation=False).convert_sync(prompt, {"history": [message]})
    assert made == [{"role": "assistant", "content": "A"}]
