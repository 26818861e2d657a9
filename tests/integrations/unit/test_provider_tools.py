"""Tools of one provider among the tools of a prompt: each goes to its own provider, in the provider's format."""

from __future__ import annotations

import warnings

import pytest
from pydantic import ValidationError

from helpers import create_chat_prompt
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.core.models import Tool
from prompt_manager.exceptions import ConversionError, StorageReadError
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration

ENGINE = TemplateEngine()
TARGETS = {
    "openai": OpenAIIntegration(ENGINE, max_tokens_key="max_tokens"),
    "responses": OpenAIIntegration(ENGINE, api="responses"),
    "anthropic": AnthropicIntegration(ENGINE),
    "litellm": LiteLLMIntegration(ENGINE),
}
SEARCH = {"type": "web_search", "search_context_size": "low", "filters": {"allowed_domains": ["example.org"]}}
BASH = {"type": "bash_20250124", "name": "bash"}
TOOLS = [{"name": "now"}, {"provider": "openai", **SEARCH}, {**BASH, "provider": "anthropic"}]


def asks(**changes):
    return create_chat_prompt(settings={"model": "m", "max_tokens": 9}, **changes)


def tools_of(target, prompt, **arguments):
    """Return the tools of a request besides functions, and the rest of it."""
    request = TARGETS[target].build_request_sync(prompt, {"topic": "AI"}, **arguments)
    tools = request.pop("tools", [])
    return [tool for tool in tools if "now" not in str(tool)], request


@pytest.mark.parametrize(
    ("target", "own"), [("openai", [SEARCH]), ("responses", [SEARCH]), ("anthropic", [BASH]), ("litellm", [])]
)
def test_a_tool_reaches_its_provider_alone_and_unchanged(target, own):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tools_of(target, asks(tools=TOOLS)) == (own, tools_of(target, asks(tools=TOOLS))[1])
        # With no function, a provider without a tool of its own gets none.
        only, request = tools_of(target, asks(tools=TOOLS[1:], tool_choice="auto"))
        assert only == own
        assert ("tool_choice" in request) is bool(own)


def test_chat_completions_accept_functions_and_custom_tools_only():
    custom = {"type": "custom", "custom": {"name": "shell"}}
    prompt = asks(tools=[{"provider": "openai", **custom}])
    request = OpenAIIntegration(ENGINE).build_request_sync(prompt, {"topic": "AI"})
    assert request["tools"] == [custom]
    with pytest.raises(ConversionError, match="Chat Completions accepts no tool of type `web_search`") as caught:
        OpenAIIntegration(ENGINE).build_request_sync(asks(tools=TOOLS), {"topic": "AI"})
    assert 'api="responses"' in str(caught.value)
    with pytest.warns(UserWarning, match="`web_search`; left out"):
        request = OpenAIIntegration(ENGINE, strict_validation=False).build_request_sync(
            asks(tools=TOOLS), {"topic": "AI"}
        )
    assert len(request["tools"]) == 1


def test_a_choice_of_a_tool_of_another_provider_is_left_out_with_a_warning():
    prompt = asks(tools=TOOLS, tool_choice={"name": "bash"})
    assert tools_of("anthropic", prompt)[1]["tool_choice"] == {"type": "tool", "name": "bash"}
    with pytest.warns(UserWarning, match="`tool_choice` names `bash`, which is a tool of another provider; left out"):
        assert "tool_choice" not in tools_of("responses", prompt)[1]


def test_a_tool_of_a_provider_survives_files_and_python(directory):
    manager = PromptManager.from_directory_sync(
        directory({"a.yaml": "template: Hi\ntools: [{type: web_search, provider: openai, x: [1]}]"})
    )
    prompt = manager.get_prompt_sync("a")
    (tool,) = prompt.tools
    assert (tool.name, tool.provider, tool.definition) == ("web_search", "openai", {"type": "web_search", "x": [1]})
    assert "provider: openai" in prompt.to_yaml()
    again = Prompt(**prompt.model_dump())
    assert again.tools == prompt.tools
    assert again.content_hash == prompt.content_hash
    assert again.content_hash != prompt.replace(tools=[{"type": "web_search", "provider": "openai"}]).content_hash
    assert prompt.replace(tools=[tool, Tool(provider="openai", definition={"type": "mcp"})]).tools[1].name == "mcp"
    with pytest.raises(TypeError):
        tool.definition["x"] = 1
    assert Tool(name="now").model_dump(exclude_none=True) == {"name": "now"}


def test_a_difference_names_the_provider_of_a_tool():
    server = {"provider": "openai", "type": "mcp"}
    old = asks(tools=[{**server, "server_label": "a"}, {**server, "server_label": "b"}])
    new = asks(tools=[{**server, "server_label": "a"}, {**server, "server_label": "c"}], version="1.1.0")
    manager = PromptManager()
    manager.create_prompt_sync(old.replace(status="active"))
    manager.create_prompt_sync(new.replace(status="active"))
    assert [change.name for change in manager.compare_versions_sync("explain", "1.0.0", "1.1.0").tools] == [
        "openai.mcp 2"
    ]


@pytest.mark.parametrize(
    ("tool", "problem"),
    [
        ({"type": "web_search"}, "provider: openai"),
        ({"type": "web_search", "provider": "opnai"}, "openai"),
        ({"provider": "openai", "search_context_size": "low"}, "needs its `type`"),
    ],
)
def test_a_mistake_in_a_tool_of_a_provider_has_a_remedy(tool, problem, directory):
    with pytest.raises(ValidationError, match=problem):
        asks(tools=[tool])
    text = "{template: Hi, tools: [{" + ", ".join(f"{key}: {value}" for key, value in tool.items()) + "}]}"
    with pytest.raises(StorageReadError, match=problem):
        PromptManager.from_directory_sync(directory({"a.yaml": text}))


def test_two_tools_of_one_provider_may_not_have_one_name():
    with pytest.raises(ValidationError, match="two tools are named `bash`"):
        asks(tools=[TOOLS[2], TOOLS[2]])
    with pytest.raises(ValidationError, match="two tools are named `bash`"):
        asks(tools=[TOOLS[2], {"name": "bash"}])
    asks(tools=[TOOLS[2], {**BASH, "provider": "litellm"}, TOOLS[1], TOOLS[1]])
