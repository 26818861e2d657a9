"""The command line. It needs the extra ``cli``.

This module works without the extra, to print the version or how to install it.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

#: The exit status after Ctrl-C.
INTERRUPTED = 130


def _open_closed_streams() -> None:
    """Replace standard streams that the shell closed (``>&-``) by the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            import os
            from pathlib import Path

            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open until the process ends
            setattr(sys, name, stream)


def _write_version() -> int:
    from prompt_manager.cli.version import version_line

    try:
        sys.stdout.write(version_line())
        sys.stdout.flush()
    except OSError as error:
        from prompt_manager.cli.output import give_up_output, write_error

        give_up_output()
        write_error(f"cannot write the result: {error.strerror}")
        return 1
    return 0


def main() -> int:
    """Run the command line with the arguments of the process.

    Returns:
        The exit status: 0 for success, 1 if the command failed, 2 for wrong usage, 130 if it was interrupted.
    """
    _open_closed_streams()
    try:
        if sys.argv[1:] in (["--version"], ["-V"]):
            # Importing click takes longer than Python takes to start.
            return _write_version()
        from prompt_manager.cli.app import app

        return app.run()
    except KeyboardInterrupt:
        # During an import. Later, the command line handles it.
        return INTERRUPTED
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in {"click", "rich"}:
            raise
        from prompt_manager._distribution import install_command

        sys.stderr.write(
            f"error: the command line needs {package}, which is not installed\n  hint: {install_command('cli')}\n"
        )
        return 1
