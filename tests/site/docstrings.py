"""Docstrings as Markdown.

In the sources they are as ``help()`` shows them: with roles of Sphinx, such as ``:class:`Prompt```, and with examples
that ``doctest`` runs. Markdown has code and links, and blocks of code.
"""

from __future__ import annotations

import re

__all__ = ["markdown"]

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod|ref):`(~?)([^`]+)`")
EXAMPLE = re.compile(r"^([ \t]*)>>> .*\n(?:\1[^ \t\n].*\n|\1 .*\n)*", flags=re.MULTILINE)


def markdown(docstring: str) -> str:
    """Return a docstring with its references as code and its examples as blocks of code."""
    text = EXAMPLE.sub(lambda example: f"{example[1]}```pycon\n{example[0]}{example[1]}```\n", f"{docstring}\n")
    return ROLE.sub(_code, text).removesuffix("\n")


def _code(role: re.Match[str]) -> str:
    name = role[2].rpartition(".")[2] if role[1] else role[2]
    return f"`{name}`"
