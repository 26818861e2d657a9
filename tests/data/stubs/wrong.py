"""Wrong uses of a typed module. Type checkers report each line with a comment, and no other; the file is never run."""

from __future__ import annotations

from typed_prompts import Prompts


async def wrong(prompts: Prompts) -> None:
    prompts.render_sync("greting", {"name": "Ada"})  # a misspelt id
    prompts.render_sync("greeting", {"role": "engineer"})  # a missing variable
    prompts.render_sync("greeting")  # no variables at all
    prompts.render_sync("greeting", {"name": "Ada", "rolle": "engineer"})  # an unknown variable
    prompts.render_sync("nothing", {"name": "Ada"})  # a variable of a prompt that has none
    prompts.render_sync("greeting", {"name": 5})  # a number for a text
    await prompts.render_messages("support/triage", {"ticket": "a", "customer": "Ada"})  # a text for a mapping
    await prompts.render_messages("support/triage", {"ticket": "a", "customer": {}, "tags": "new"})  # a text for a list
    await prompts.render_messages("support/triage", {"ticket": "a", "customer": {}, "urgency": "hi"})  # no such value
    prompts.render_sync("greeting", {"name": "Ada"}, version="3.0.0")  # an unknown version
    prompts.render_sync("greeting", {"name": "Ada"}, label="prod")  # an unknown label
    prompts.render_sync("greeting", {"name": "Ada", "role": "a"}, version="1.0.0")  # a variable that this version lacks
    prompts.render_messages_sync("greeting", {"name": "Ada"})  # messages of a text prompt
    prompts.build_request_sync("greeting", {"name": "Ada"}, "opnai")  # an unknown provider
    prompts.build_request_sync("greeting", {"nmae": "Ada"}, "anthropic")  # a misspelt variable of a request
    prompts.convert_sync("greeting", {"nmae": "Ada"}, "openai")  # a misspelt variable of a conversion
    prompts.parse_output("support/triage", "{}").data["taem"]  # a misspelt key of an answer
    prompts.parse_output("suport/triage", "{}")  # a misspelt id of an answer
    count: int = prompts.parse_output("support/triage", "{}").data["team"]  # another type than the answer has
    text: str = await prompts.render("greeting", {"name": 5}, version="1.1.0")  # a wrong type, awaited
    print(count, text)
