"""The kept ratios of an earlier run, for each kind of build, and what has moved since.

``baseline.json`` has ratios and exponents only, because times depend on the machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_manager import _native

if TYPE_CHECKING:
    from report import Row

__all__ = ["changed_lines", "keep"]

FILE = Path(__file__).parent / "baseline.json"

#: A ratio that differs by less than this share of itself is noise.
NOISE = 0.15


def build() -> str:
    """The kind of the installed extension module: for one version of Python, or for the stable ABI."""
    return "abi3" if ".abi3." in Path(_native.__file__).name else "version"


def ratios(sections: dict[str, list[Row]]) -> dict[str, float]:
    """The ratios and exponents of some rows, by section and name."""
    found = {}
    for section, rows in sections.items():
        for row in rows:
            value = row.ours if row.unit == "exponent" else row.ratio
            if value is not None:
                found[f"{section}/{row.name}"] = round(value, 2)
    return found


def known() -> dict[str, dict[str, float]]:
    """The kept ratios by kind of build."""
    kept: dict[str, dict[str, float]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return kept


def keep(sections: dict[str, list[Row]]) -> None:
    """Replace the kept ratios by new ones, where there are new ones."""
    kept = known()
    kept[build()] = dict(sorted({**kept.get(build(), {}), **ratios(sections)}.items()))
    FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n", encoding="utf-8")


def changed_lines(sections: dict[str, list[Row]]) -> list[str]:
    """One line for each ratio that differs from the kept one by more than noise."""
    before = known().get(build(), {})
    lines = []
    for name, now in ratios(sections).items():
        old = before.get(name)
        if old is not None and abs(now - old) > NOISE * max(old, now):
            lines.append(f"{name}: {old:.2f} -> {now:.2f}")
    return lines
