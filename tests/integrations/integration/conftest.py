"""A mock server of the providers on the loopback interface, and the providers' own clients."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings

import pytest

from providers.server import MockProviders


@pytest.fixture(scope="session")
def server():
    providers = MockProviders()
    yield providers
    providers.close()


@pytest.fixture
def provider(server):
    """The server, without the requests of earlier tests."""
    server.reset()
    return server


@pytest.fixture
def openai_client(provider):
    import openai

    with openai.OpenAI(api_key="none", base_url=f"{provider.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(provider):
    import anthropic

    with anthropic.Anthropic(api_key="none", base_url=provider.url, max_retries=0) as client:
        yield client


@pytest.fixture
def gemini_client(provider):
    from google import genai

    options = {"base_url": provider.url, "retry_options": {"attempts": 1}}
    client = genai.Client(api_key="none", http_options=options)
    yield client
    with contextlib.suppress(AttributeError):  # The oldest release has no such method.
        client.close()


@pytest.fixture
def bedrock_client(provider):
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=provider.url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - no secret
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture
def lite(provider):
    """``litellm.completion`` with the mock server. Warnings of litellm itself are ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm

    bases = {"openai": f"{provider.url}/v1", "anthropic": provider.url}

    def completion(model, **request):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            base = bases[model.partition("/")[0]]
            return litellm.completion(model=model, api_base=base, api_key="none", num_retries=0, **request)

    yield completion
    # litellm leaves an event loop and connections open. Later tests would get warnings about them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(RuntimeError):
            asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
        litellm.in_memory_llm_clients_cache.flush_cache()
        gc.collect()
