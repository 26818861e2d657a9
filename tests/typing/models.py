"""Prompts as the documentation writes them. Type checkers check this file; it is never run.

Each line that is marked as an error must be one, because an unnecessary marker is an error too.
"""

from __future__ import annotations

from prompt_manager import Prompt
from prompt_manager.core.models import Message, PromptFormat, PromptStatus, PromptTemplate, Role, Settings, Variable


def short() -> list[Prompt]:
    return [
        Prompt(id="greeting", template="Hello {{name}}!"),
        Prompt(id="x", format="text", template="Hi", status="active", settings={"model": "gpt-5", "max_tokens": 800}),
        Prompt(
            id="triage",
            messages=[
                {"role": "system", "content": "You triage tickets.{{> tone}}"},
                {"role": "system", "content": "{{#if vip}}A VIP.{{/if}}", "optional": True},
                {"role": "placeholder", "name": "history", "optional": True},
                {"role": "user", "content": [{"type": "text", "text": "{{ticket}}"}]},
            ],
            variables={"ticket": "string", "urgency": {"type": "enum", "values": ["low", "high"], "default": "low"}},
            partials={"tone": "Be kind."},
            tools=[{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}],
            metadata={"author": "Support", "tags": ["support"]},
            labels=["production"],
            output_schema={"type": "object", "properties": {}},
        ),
        Prompt(id="names", template="{{a}}{{b}}", variables=["a", "b"]),
    ]


def models() -> Prompt:
    template = PromptTemplate(content="{{tone}}", variables={"tone": Variable(type="enum", values=["kind", "brief"])})
    Prompt(id="a", messages=[Message(role=Role.USER, content="Hi"), Message(role="user", content="Hi")])
    return Prompt(
        id="a", format=PromptFormat.TEXT, status=PromptStatus.ACTIVE, template=template, settings=Settings(model="m")
    )


def wrong() -> None:
    Prompt(template="Hi")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Prompt(id="a", templat="Hi")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Prompt(id="a", messages="Hi")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
