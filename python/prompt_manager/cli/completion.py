"""The command ``completion``."""

from __future__ import annotations

import click

from prompt_manager.cli.output import write_text

__all__ = ["completion"]


@click.command(
    "completion",
    epilog="\b\nExamples:\n"
    "  prompt-manager completion bash > prompt-manager.bash\n"
    "  prompt-manager completion zsh > ~/.zfunc/_prompt-manager\n"
    "  prompt-manager completion fish > prompt-manager.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which a shell completes commands, options and the ids of prompts."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"this version of click has no completion for {shell}")
    name = "prompt-manager"
    write_text(kind(ctx.find_root().command, {}, name, "_PROMPT_MANAGER_COMPLETE").source())
