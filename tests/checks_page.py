"""Writes docs/checks.md from the documentation of the rules in src/check.

A rule is documented where it is written: at the top of its file, or, if its problems are found while a file is read, at
its variant of ``Code``. ``make format`` writes the page, and a test fails where it differs.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RULES = ROOT / "src" / "check"
PAGE = ROOT / "docs" / "checks.md"

#: What is above it on the page is written by hand.
MARK = "<!-- The rest is written by tests/checks_page.py from src/check. -->\n"


@dataclass(frozen=True)
class Rule:
    """A rule with its documentation."""

    code: str
    name: str
    severity: str
    #: One line: what it finds.
    finds: str
    #: All of it, with the examples.
    text: str

    def examples(self, title: str) -> list[tuple[str, str]]:
        """The language and the text of each file of the bad or the good example."""
        part = re.search(rf"^{title}\b[^\n]*:\n(.*?)(?=^\w|\Z)", self.without_quotes(), flags=re.MULTILINE | re.DOTALL)
        return re.findall(r"^```(\w+)\n(.*?)^```$", part[1] if part else "", flags=re.MULTILINE | re.DOTALL)

    def without_quotes(self) -> str:
        """The text, in which lines of examples begin with blanks, so that none looks like the end of a part."""
        return re.sub(r"^(```\w+\n)(.*?)(^```$)", _shielded, self.text, flags=re.MULTILINE | re.DOTALL)


def _shielded(block: re.Match[str]) -> str:
    return block[1] + re.sub(r"^", "\0", block[2], flags=re.MULTILINE).removesuffix("\0") + block[3]


def files_of(examples: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """The path, the language and the text of each file. The first line may name the path and options."""
    files = []
    for language, shielded in examples:
        text = shielded.replace("\0", "")
        named = re.match(r"(?:#|\{\{!) (prompts/[\w/.]+)", text)
        path = named[1] if named else "prompts/example.yaml"
        files.append((path, language, re.sub(r"^\{\{![^\n]*\n", "", text)))
    return files


def rules() -> list[Rule]:
    """Every rule, in the order of the codes."""
    source = (RULES / "code.rs").read_text(encoding="utf-8")
    rows = re.findall(r'Self::(\w+) => \("(PM\d+)", "([\w-]+)", (\w+)\)', source)
    variants = re.search(r"pub enum Code \{\n(.*?)^\}", source, flags=re.MULTILINE | re.DOTALL)
    documented = {
        name: _text(block, "///")
        for block, name in re.findall(r"((?:^ +///.*\n)+) +(\w+),", variants[1] if variants else "", flags=re.MULTILINE)
    }
    files = {}
    for path in RULES.glob("*.rs"):
        text = _text(path.read_text(encoding="utf-8").split("\n\n")[0], "//!")
        if named := re.match(r"`([\w-]+)`: ", text):
            files[named[1]] = text[named.end() :]
    found = []
    for variant, code, name, severity in rows:
        text = files.get(name) or documented[variant]
        finds = text.partition("\n\n")[0].replace("\n", " ").rstrip(".")
        found.append(Rule(code, name, severity.lower(), finds, text))
    return sorted(found, key=lambda rule: rule.code)


def _text(comment: str, mark: str) -> str:
    lines = [line.strip().removeprefix(mark).removeprefix(" ") for line in comment.splitlines()]
    return "\n".join(lines).strip() + "\n"


def generated() -> str:
    """The part of the page that is written from the rules."""
    lines = ["| code | name | finds | severity |", "|---|---|---|---|"]
    for rule in rules():
        link = f"[{rule.code}](#{rule.code.lower()}-{rule.name})"
        lines.append(f"| {link} | `{rule.name}` | {rule.finds[0].upper()}{rule.finds[1:]} | {rule.severity} |")
    for rule in rules():
        text = rule.text[0].upper() + rule.text[1:]
        lines += ["", f"## {rule.code} {rule.name}", "", text.rstrip("\n")]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page as it should be."""
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return f"{head}{MARK}\n{generated()}"


def main() -> int:
    """Write the page, or with ``--check`` report whether it differs."""
    if page() == PAGE.read_text(encoding="utf-8"):
        return 0
    if "--check" in sys.argv:
        sys.stderr.write("docs/checks.md differs from the rules: run make format\n")
        return 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
