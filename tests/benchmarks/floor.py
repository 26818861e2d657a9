"""Measures the minimum cost of calls like ours, to compare the other figures with.

- ``call``: a bound method in C that takes one positional argument and does nothing: ``list.count`` of an empty list.
  Python calls a method of an extension, such as ``Template.render``, in the same way.
- ``format``: the two-variable text with ``str.format_map``, which does the same work in the interpreter's C code.
- ``percent``: the same text with ``"%(name)s" % values``.
- ``wrapped``: a Python method that passes its arguments as keywords to a built-in, as ``manager.render_sync`` does.
- ``dicts``: building the dicts of three messages without rendering, which every conversion must do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from measure import interleaved
from report import Row
from templates import TWO_VALUES, two

if TYPE_CHECKING:
    from measure import Effort
    from templates import Values

__all__ = ["measure"]


class Wrapper:
    """The same Python code as between a caller and the core in ``PromptManager.render_sync``."""

    def __init__(self) -> None:
        self._core = dict

    def render(
        self, prompt_id: str, values: Values | None = None, *, version: str | None = None, label: str | None = None
    ) -> object:
        """Pass the arguments on."""
        return self._core(prompt_id=prompt_id, values={} if values is None else values, version=version, label=label)


def dicts(_values: Values) -> list[dict[str, Any]]:
    return [{"role": "system", "content": ""}, {"role": "user", "content": ""}, {"role": "user", "content": ""}]


def measure(effort: Effort) -> list[Row]:
    """Measure each call, and compare it with the two-variable f-string."""
    template = "Hello {name}! Your role is {role}."
    percent = "Hello %(name)s! Your role is %(role)s."
    wrapper = Wrapper()
    works = {
        "call": ("an empty call with one dict", [].count),
        "format": ("str.format_map, two variables", template.format_map),
        "percent": ("% formatting, two variables", percent.__mod__),
        "wrapped": ("a method that passes keywords on", lambda values: wrapper.render("greeting", values)),
        "dicts": ("the dicts of three messages", dicts),
    }
    return [
        Row.of(name, title, interleaved({"ours": work, "by hand": two}, TWO_VALUES, effort))
        for name, (title, work) in works.items()
    ]
