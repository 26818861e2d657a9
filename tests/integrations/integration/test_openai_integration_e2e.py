"""From a prompt in the registry to OpenAI's package with a mock client."""

from __future__ import annotations

from unittest.mock import AsyncMock, patch

import pytest

from helpers import create_chat_prompt_in_registry
from prompt_manager.integrations.openai import OpenAIIntegration


def create_mock_openai_response():
    from openai.types.chat import ChatCompletion

    from providers.server import chat_answer

    return ChatCompletion.model_validate(chat_answer({"model": "gpt-4"}))


@pytest.mark.integration
async def test_openai_chat_completion_e2e(prompt_manager):
    """Test full workflow: Prompt Manager → OpenAI SDK."""
    # Setup
    prompt = create_chat_prompt_in_registry(prompt_manager)
    integration = OpenAIIntegration(prompt_manager.template_engine)

    # Convert prompt
    messages = await integration.convert(prompt, {"company": "Acme Corp", "user_query": "How do I reset password?"})

    # Verify OpenAI format
    assert isinstance(messages, list)
    assert all("role" in msg and "content" in msg for msg in messages)

    # Mock OpenAI API call
    with patch("openai.AsyncOpenAI") as mock_client:
        mock_response = create_mock_openai_response()
        mock_client.return_value.chat.completions.create = AsyncMock(return_value=mock_response)

        # Use with real OpenAI SDK
        import openai

        client = openai.AsyncOpenAI(api_key="test-key")
        response = await client.chat.completions.create(model="gpt-4", messages=messages)

        assert response.choices[0].message.content
