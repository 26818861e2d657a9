"""The command line: list, show and render prompts. It needs the extra ``cli``.

This module works without the extra, to print how to install it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["main"]


def _open_closed_streams() -> None:
    """Replace standard streams that the shell closed (``>&-``) by the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open until the process ends
            setattr(sys, name, stream)


def main() -> int:
    """Run the command line with the arguments of the process.

    Returns:
        The exit status: 0 for success, 1 if the command failed, 2 for wrong usage, 130 if it was interrupted.
    """
    _open_closed_streams()
    try:
        from prompt_manager.cli.app import app

        return app.run()
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in {"click", "rich"}:
            raise
        from prompt_manager._distribution import install_command

        sys.stderr.write(
            f"error: the command line needs {package}, which is not installed\n  hint: {install_command('cli')}\n"
        )
        return 1
