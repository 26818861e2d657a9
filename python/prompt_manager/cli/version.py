"""The version as the command line prints it. Nothing else is imported for it."""

__all__ = ["version_line"]


def version_line() -> str:
    """Return the name and the version, with a line break."""
    from prompt_manager import __version__

    return f"prompt-manager {__version__}\n"
