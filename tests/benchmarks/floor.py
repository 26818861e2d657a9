"""The least that any such call can cost: what the ratios are to be read against.

- ``call``: a bound method of C that takes one positional argument and does nothing with it, ``list.count`` of
  an empty list. A method of an extension, as ``Template.render`` is, is called the same way.
- ``format``: the two-variable text by ``str.format_map``, the same work by the interpreter's own C.
- ``percent``: the same by ``"%(name)s" % values``.
- ``wrapped``: a method in Python that hands its arguments to such a built-in, as ``manager.render_sync`` does, with the
  keyword arguments that it passes on.
- ``dicts``: the dicts of three messages without rendering a text, as every conversion must build them.
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
    """As much Python as stands between a caller and the core in ``PromptManager.render_sync``."""

    def __init__(self) -> None:
        self._core = dict

    def render(
        self, prompt_id: str, values: Values | None = None, *, version: str | None = None, label: str | None = None
    ) -> object:
        """Hands on what it was given."""
        return self._core(prompt_id=prompt_id, values={} if values is None else values, version=version, label=label)


def dicts(_values: Values) -> list[dict[str, Any]]:
    return [{"role": "system", "content": ""}, {"role": "user", "content": ""}, {"role": "user", "content": ""}]


def measure(effort: Effort) -> list[Row]:
    """A row for each, the two-variable f-string beside it."""
    template = "Hello {name}! Your role is {role}."
    percent = "Hello %(name)s! Your role is %(role)s."
    wrapper = Wrapper()
    works = {
        "call": ("an empty call with one dict", [].count),
        "format": ("str.format_map, two variables", template.format_map),
        "percent": ("% formatting, two variables", percent.__mod__),
        "wrapped": ("a method that hands on keywords", lambda values: wrapper.render("greeting", values)),
        "dicts": ("the dicts of three messages", dicts),
    }
    return [
        Row.of(name, title, interleaved({"ours": work, "by hand": two}, TWO_VALUES, effort))
        for name, (title, work) in works.items()
    ]
