"""The pages of the documentation site: which files of the repository they are, and the links between them.

A page is Markdown that works on GitHub, where links lead to files. On the site, the same links lead to pages: each file
that a page links to becomes a page too, a program or a prompt file as a block of code.
"""

from __future__ import annotations

import os.path
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BrokenLinkError", "Site", "outside_code", "with_indented_lists"]

#: Files outside docs/ that are pages, with the names of their pages.
PROJECT_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "RELEASING.md": "releasing.md",
    ".github/CONTRIBUTING.md": "contributing.md",
    ".github/SECURITY.md": "security-policy.md",
}
LINK = re.compile(r"(?<=\]\()([^)\s#]*)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^( *)(`{3,}|~{3,})[^\n]*\n.*?^\1\2 *$", flags=re.MULTILINE | re.DOTALL)
#: A link that shows the name of the file that it leads to.
FILE_LINK = re.compile(r"\[([\w./-]+\.md)\]\(([^)\s#]*\1)(#[^)\s]*)?\)")
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".hbs": "handlebars"}


class BrokenLinkError(Exception):
    """A page links to a file that does not exist."""


@dataclass(frozen=True)
class Site:
    """The pages of a repository."""

    root: Path
    #: The address of the repository, if it is known: links that begin with it are links to files.
    repository: str | None = None

    @classmethod
    def of(cls, root: Path) -> Site:
        """The pages of a repository whose ``pyproject.toml`` has its address, if it has one."""
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return cls(root, project.get("urls", {}).get("Repository"))

    def write(self, folder: Path) -> list[str]:
        """Write all pages to a folder, and return their names."""
        todo = [*PROJECT_PAGES, *self.documents()]
        done: dict[str, str] = {}
        while todo:
            source = todo.pop()
            if source in done:
                continue
            done[source] = self.page_of(source)
            text, linked = self.text_of(source)
            todo += linked
            target = folder / done[source]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return sorted(done.values())

    def documents(self) -> list[str]:
        """The paths of the files in docs/."""
        return [path.relative_to(self.root).as_posix() for path in sorted((self.root / "docs").rglob("*.md"))]

    def page_of(self, source: str) -> str:
        """The name of the page of a file."""
        if source in PROJECT_PAGES:
            return PROJECT_PAGES[source]
        path = PurePosixPath(source)
        if path.parts[0] == "docs":
            return path.relative_to("docs").as_posix()
        if path.name == "README.md":
            return path.with_name("index.md").as_posix()
        return source if path.suffix == ".md" else f"{source}.md"

    def text_of(self, source: str) -> tuple[str, list[str]]:
        """The text of a file's page, and the files that it links to."""
        text = (self.root / source).read_text(encoding="utf-8")
        if not source.endswith(".md"):
            language = LANGUAGES.get(PurePosixPath(source).suffix, "text")
            return f"# `{source}`\n\n~~~~{language}\n{text}~~~~\n", []
        linked: list[str] = []

        def on_the_site(link: re.Match[str]) -> str:
            target = self.file_of(link[1], source)
            if target is None:
                return link[0]
            linked.append(target)
            here = PurePosixPath(self.page_of(source)).parent
            return os.path.relpath(self.page_of(target), here) + (link[2] or "")

        text = outside_code(text, lambda part: LINK.sub(on_the_site, self.with_titles(part, source)))
        return with_indented_lists(text), linked

    def with_titles(self, text: str, source: str) -> str:
        """The text with the titles of pages, where links show the names of their files."""

        def title(link: re.Match[str]) -> str:
            target = self.file_of(link[2], source) or source
            heading = re.search(r"^# (.*)$", (self.root / target).read_text(encoding="utf-8"), flags=re.MULTILINE)
            return f"[{heading[1]}]({link[2]}{link[3] or ''})" if heading else link[0]

        return FILE_LINK.sub(title, text)

    def file_of(self, target: str, source: str) -> str | None:
        """The file that a link leads to; ``None`` if it leads to the same page or out of the repository."""
        if self.repository:
            target = re.sub(rf"^{re.escape(self.repository)}/(?:blob|tree)/main/", "/", target)
        if not target or re.match(r"[a-z]+:", target):
            return None
        folder = "." if target.startswith("/") else PurePosixPath(source).parent
        path = os.path.normpath(PurePosixPath(folder, unquote(target.removeprefix("/"))))
        if (self.root / path).is_dir():
            path = self.readme_of(PurePosixPath(path))
        if path.startswith("..") or not (self.root / path).is_file():
            raise BrokenLinkError(f"{source} links to {target}, which does not exist")
        return path

    def readme_of(self, folder: PurePosixPath) -> str:
        """The README of a folder, or else of the next one above it that has one."""
        found = (
            above / "README.md" for above in (folder, *folder.parents) if (self.root / above / "README.md").is_file()
        )
        return next(found, folder / "README.md").as_posix()


def with_indented_lists(text: str) -> str:
    """The text. What belongs to an item of a numbered list is indented by four blanks, as Zensical needs it."""
    lines, in_item, in_code, short = [], False, False, False
    for line in text.split("\n"):
        if line.startswith("```"):
            in_code = not in_code
        if line and not line.startswith(" "):
            in_item, short = bool(re.match(r"\d+\. ", line)) and not in_code, False
        short = short or bool(re.match(r" {3}\S", line))
        lines.append(f" {line}" if in_item and short and line else line)
    return "\n".join(lines)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text, changed everywhere but in blocks of code."""
    parts, end = [], 0
    for block in FENCE.finditer(text):
        parts += [change(text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, change(text[end:])])
