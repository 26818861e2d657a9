"""Serves the example prompts over the Model Context Protocol on standard input and output. It needs ``mcp`` 2.

Try it with the inspector: ``npx @modelcontextprotocol/inspector python examples/integrations/mcp_server.py``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from mcp import stdio_server
from mcp.server.lowlevel import Server
from mcp.types import GetPromptRequestParams, GetPromptResult, ListPromptsResult
from mcp.types import Prompt as Entry

from prompt_manager import PromptManager
from prompt_manager.integrations.mcp import to_mcp_prompt, to_mcp_result

EXAMPLES = Path(__file__).parents[1]
manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")


async def list_prompts(_context: Any, _params: Any) -> ListPromptsResult:
    prompts = [to_mcp_prompt(manager.get_prompt_sync(summary.id)) for summary in manager.list_prompts_sync()]
    return ListPromptsResult(prompts=[Entry.model_validate(prompt) for prompt in prompts])


async def get_prompt(_context: Any, params: GetPromptRequestParams) -> GetPromptResult:
    # System messages become messages of the user, because MCP has no others.
    result = to_mcp_result(
        await manager.get_prompt(params.name),
        params.arguments,
        template_engine=manager.template_engine,
        strict_validation=False,
    )
    return GetPromptResult.model_validate(result)


async def main() -> None:
    server = Server("prompts", on_list_prompts=list_prompts, on_get_prompt=get_prompt)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
