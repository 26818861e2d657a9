"""The install command for a missing optional dependency. The distribution's name comes from ``pyproject.toml``."""

from prompt_manager._native import DISTRIBUTION

__all__ = ["DISTRIBUTION", "install_command"]


def install_command(extra: str) -> str:
    """Return the command that installs an extra.

    >>> install_command("openai")
    'pip install prompt-manager[openai]'
    """
    return f"pip install {DISTRIBUTION}[{extra}]"
