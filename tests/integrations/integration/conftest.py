"""The providers on the loopback interface, and their own packages as clients."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings

import pytest

from providers.server import Providers


@pytest.fixture(scope="session")
def server():
    providers = Providers()
    yield providers
    providers.close()


@pytest.fixture
def provider(server):
    """The server, which has forgotten what came before."""
    server.forget()
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
def lite(provider):
    """``litellm.completion`` for a model of the server's. What litellm itself warns of is not ours."""
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
    # It leaves an event loop and connections open, of which a later test would be told.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(RuntimeError):
            asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
        litellm.in_memory_llm_clients_cache.flush_cache()
        gc.collect()
