"""What to say to who lacks an extra. The distribution's name comes from ``pyproject.toml``, its one place."""

from prompt_manager._native import DISTRIBUTION

__all__ = ["DISTRIBUTION", "install_command"]


def install_command(extra: str) -> str:
    """The command that installs an extra.

    >>> install_command("openai")
    'pip install prompt-manager[openai]'
    """
    return f"pip install {DISTRIBUTION}[{extra}]"
