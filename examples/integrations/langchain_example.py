"""Prompts at the head of LangChain's chains.

Setup::

    pip install "prompt-manager[langchain,openai]"
    python examples/integrations/langchain_example.py

The chain's model is OpenAI's client, which talks to a stand-in on this machine; with ``langchain-openai`` installed it
is ``ChatOpenAI(model="gpt-4.1")``.

Pitfalls:

- What is given to ``convert`` is bound in the template; everything else is given to ``invoke``. So a variable that is
  missing is an error of ``invoke`` (LangChain's ``KeyError``), not of ``convert``.
- A template of plain variables becomes LangChain's own class, with an f-string. One with blocks, helpers or partials,
  or with typed variables, becomes a class of ours that works in chains just as well: do not test for LangChain's own.
- Values are never formatted again: braces in them stay as they are.
- LangChain loads a saved template of ours only with the allow-list of ``prompt_manager.integrations.langchain``.
"""

from __future__ import annotations

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


def main() -> None:
    """Run a chain, and print what its model was sent and answered."""
    from stand_in import StandIn

    manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
    integration = LangChainIntegration(manager.template_engine)
    template = integration.convert_sync(manager.get_prompt_sync("customer_support"), {"company": "Acme"})
    print("to be given:", template.input_variables)

    with StandIn() as server, openai.OpenAI(api_key="none", base_url=f"{server.url}/v1") as client:

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
            print("refused:", str(error).split(".")[0].strip("\"'"))

    for prompt_id in ("greeting", "code_review"):
        template = integration.convert_sync(manager.get_prompt_sync(prompt_id), {})
        print(f"{prompt_id}: {type(template).__name__} of {', '.join(sorted(template.input_variables))}")


if __name__ == "__main__":
    main()

# Expected output:
#
# to be given: ['user_query']
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
# refused: Input to ChatPromptTemplate is missing variables {'user_query'}
# greeting: PromptTemplate of name, role
# code_review: HandlebarsPromptTemplate of diff, language
