"""Servers with an API like OpenAI's: each row of the table in the documentation, through the openai client."""

from __future__ import annotations

import re

import openai
import pytest

from helpers import ROOT, chat_of
from prompt_manager import TemplateEngine
from prompt_manager.integrations import OpenAIIntegration, PromptConversionWarning
from providers import server as mock
from providers.chat_servers import ACCEPTED
from providers.server import ANSWER

pytestmark = [pytest.mark.integration, pytest.mark.newest]

ENGINE = TemplateEngine()
#: The options in the table, by the server.
TABLE = {
    server.lower().partition(" ")[0]: dict(re.findall(r'`(\w+)="(\w+)"`', options))
    for server, options in re.findall(
        r"^\| (\w[\w ]+) \| `openai\.\w+\(.*?\| (.*?) \|",
        (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
}
SETTINGS = {"temperature": 0.5, "max_tokens": 50, "stop": ["END"]}
TOOLS = [{"name": "stock", "parameters": {"type": "object", "properties": {}}}]


def client_of(server, provider):
    if server == "azure":
        return openai.AzureOpenAI(azure_endpoint=f"{provider.url}/azure", api_version="2025-04-01", api_key="none")
    return openai.OpenAI(api_key="none", base_url=f"{provider.url}/{server}", max_retries=0)


def test_the_table_has_every_server():
    assert set(TABLE) == set(ACCEPTED)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_server_accepts_requests_with_the_options_of_the_table(provider, monkeypatch, name):
    # Azure's client has the deployment in the path.
    path = "/azure/openai/deployments/m/chat/completions"
    monkeypatch.setitem(mock.ROUTES, path, mock.ROUTES["/azure/chat/completions"])
    prompt = chat_of(
        {"role": "system", "content": "S"},
        {"role": "user", "content": "U"},
        tools=TOOLS,
        settings={**SETTINGS, **({"top_k": 5} if name == "vllm" else {})},
    )
    request = OpenAIIntegration(ENGINE, **TABLE[name]).build_request_sync(prompt, {}, model="m")
    with client_of(name, provider) as client:
        assert client.chat.completions.create(**request).choices[0].message.content == ANSWER
    assert provider.errors == []
    [body] = provider.bodies
    assert body.get("top_k") == (5 if name == "vllm" else None)


def test_without_the_option_such_a_server_refuses_the_request(provider):
    request = OpenAIIntegration(ENGINE).build_request_sync(
        chat_of({"role": "user", "content": "U"}, settings=SETTINGS), {}, model="m"
    )
    with client_of("mistral", provider) as client, pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        client.chat.completions.create(**request)


def test_top_k_is_left_out_for_openai_with_a_warning():
    prompt = chat_of({"role": "user", "content": "U"}, settings={"top_k": 5})
    with pytest.warns(PromptConversionWarning, match=r"does not accept `settings\.top_k`"):
        OpenAIIntegration(ENGINE).build_request_sync(prompt, {}, model="m")
