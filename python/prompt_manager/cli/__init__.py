"""The command line: list, show and render prompts. Needs the extra ``cli``.

This module holds no more than what must work where the extra is missing.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command with the arguments of the process.

    Returns:
        The exit status: 0, 1 for a job that failed, 2 for wrong usage.
    """
    try:
        from prompt_manager.cli.app import app

        return app.run()
    except ModuleNotFoundError as missing:
        if missing.name not in {"click", "rich"}:
            raise
        from prompt_manager._distribution import install_command

        sys.stderr.write(
            f"error: the command line needs {missing.name}, which is not installed\n  hint: {install_command('cli')}\n"
        )
        return 1
