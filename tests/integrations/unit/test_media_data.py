"""Base64 data of images, sounds and files: every provider gets the one spelling that it reads."""

from __future__ import annotations

import json

import pytest

from helpers import SECRET, chat_of, everything_said_by
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()


class LangChain(LangChainIntegration):
    """Gives the messages of the template."""

    def convert_sync(self, prompt, variables):
        template = super().convert_sync(prompt, variables)
        return [message.content for message in template.format_messages(**variables)]


KINDS = {
    "langchain": LangChain,
    "openai": OpenAIIntegration,
    "responses": lambda *a, **o: OpenAIIntegration(*a, api="responses", **o),
    "litellm": LiteLLMIntegration,
    "anthropic": AnthropicIntegration,
    "gemini": GeminiIntegration,
}


def parts(data):
    """Each part that can have data."""
    return {
        "image": {"type": "image", "media_type": "image/png", "data": data},
        "image_url": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        "file": {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{data}"}},
        "url": {"type": "file", "url": f"data:application/pdf;base64,{data}"},
        "audio": {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
    }


CASES = [
    (target, kind)
    for target in KINDS
    for kind in parts("")
    # These have no sounds.
    if kind != "audio" or target not in ("responses", "anthropic")
]


@pytest.mark.parametrize(("target", "kind"), CASES)
@pytest.mark.parametrize("data", ["iVBO\nRw+/", "iVBO\r\nRw-_", " iVBORw+/ ", "{{data}}"])
def test_data_are_sent_without_line_breaks(target, kind, data):
    prompt = chat_of({"role": "user", "content": [parts(data)[kind]]})
    sent = json.dumps(KINDS[target](ENGINE).convert_sync(prompt, {"data": "iVBO\nRw+/"}))
    assert "iVBORw+/" in sent
    assert "\\n" not in sent


@pytest.mark.parametrize(("target", "kind"), CASES)
def test_data_that_are_no_base64_are_refused_or_dropped(target, kind):
    prompt = chat_of({"role": "user", "content": ["A", parts("{{data}}")[kind]]})
    with pytest.raises(ConversionError, match=r"message 0 \(user\): the data of part 1 are not base64") as caught:
        KINDS[target](ENGINE).convert_sync(prompt, {"data": SECRET + "*"})
    assert SECRET not in everything_said_by(caught.value)
    lenient = KINDS[target](ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="the data of part 1 are not base64; dropped"):
        sent = lenient.convert_sync(prompt, {"data": SECRET + "*"})
    assert SECRET not in json.dumps(sent)


@pytest.mark.parametrize("target", KINDS)
def test_a_data_url_of_a_file_is_sent_as_data(target):
    url = "data:application/pdf;base64,iVBORw+/"
    files = [{"type": "file", "url": url}, {"type": "file", "file": {"file_data": url}}]
    prompts = [chat_of({"role": "user", "content": ["A", file]}) for file in files]
    sent, expected = (KINDS[target](ENGINE).convert_sync(prompt, {}) for prompt in prompts)
    assert sent == expected


def test_bedrock_gets_the_bytes_of_a_data_url():
    file = {"type": "file", "url": "data:application/pdf;base64,JVBERi0="}
    [message] = BedrockIntegration(ENGINE).convert_sync(chat_of({"role": "user", "content": ["A", file]}), {})[
        "messages"
    ]
    assert message["content"][1]["document"]["source"] == {"bytes": b"%PDF-"}


def test_data_of_a_variable_are_assumed_to_be_base64():
    for make in KINDS.values():
        prompt = chat_of({"role": "user", "content": [parts("{{data}}")["image_url"]]})
        assert make(ENGINE).explain_compatibility(prompt) == []
