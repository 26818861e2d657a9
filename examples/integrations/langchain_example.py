"""Use prompts as the first step of LangChain chains.

Setup::

    pip install "prompt-manager[langchain,openai]"
    python examples/integrations/langchain_example.py

The chain calls OpenAI's client with a mock server on your machine. To use the real API, set the environment variable
``OPENAI_API_KEY`` and leave out ``base_url``. If you have ``langchain-openai``, use
``ChatOpenAI(model="gpt-4.1")`` in its place.

Pitfalls:

- ``convert`` binds the variables that you pass to it. You pass the others to ``invoke``. If a variable is missing,
  ``invoke`` raises LangChain's ``KeyError``; ``convert`` does not.
- A template that contains only plain variables becomes one of LangChain's own classes, with an f-string. A template
  with blocks, helpers, partials or typed variables becomes a class of this package. It works in chains too, so do not
  check for LangChain's classes.
- Values are never formatted: braces in them do not change.
- To load a saved template of this package, pass ``ALLOWED_OBJECTS`` and ``VALID_NAMESPACES`` of
  ``prompt_manager.integrations.langchain`` to LangChain's ``loads``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import openai
from langchain_core.messages import convert_to_openai_messages
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

from prompt_manager import PromptManager
from prompt_manager.integrations import LangChainIntegration

if TYPE_CHECKING:
    from langchain_core.prompt_values import PromptValue

EXAMPLES = Path(__file__).resolve().parent.parent
#: The mock server takes any key.
KEY = os.getenv("OPENAI_API_KEY", "none")


def main() -> None:
    """Run a chain, and print the request and the answer."""
    from mock_server import MockServer

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    integration = LangChainIntegration(manager.template_engine)
    template = integration.convert_sync(manager.get_prompt_sync("customer_support"), {"company": "Acme"})
    print("input variables:", template.input_variables)

    with MockServer() as server, openai.OpenAI(api_key=KEY, base_url=f"{server.url}/v1") as client:

        def ask(value: PromptValue) -> str:
            messages = convert_to_openai_messages(value.to_messages())
            completion = client.chat.completions.create(model="gpt-4.1", messages=messages)
            return completion.choices[0].message.content

        chain = template | RunnableLambda(ask) | StrOutputParser()
        answer = chain.invoke({"user_query": "How do I write {braces}?"})
        server.show()
        print("answer:", answer)

        try:
            chain.invoke({})
        except KeyError as error:
            print("error:", str(error).split(".")[0].strip("\"'"))

    for prompt_id in ("greeting", "code_review"):
        template = integration.convert_sync(manager.get_prompt_sync(prompt_id), {})
        print(f"{prompt_id}: {type(template).__name__} with {', '.join(sorted(template.input_variables))}")


if __name__ == "__main__":
    main()

# Expected output:
#
# input variables: ['user_query']
# POST /v1/chat/completions
# {
#   "model": "gpt-4.1",
#   "messages": [
#     {
#       "role": "system",
#       "content": "You answer the customers of Acme in its support ch… (623 more characters)"
#     },
#     {
#       "role": "user",
#       "content": "How do I write {braces}?"
#     }
#   ]
# }
# answer: Gladly.
# error: Input to HandlebarsChatPromptTemplate is missing variables {'user_query'}
# greeting: FStringPromptTemplate with name, role
# code_review: HandlebarsPromptTemplate with diff, language
