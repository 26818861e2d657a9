"""Builds the documentation site into build/site. Run by ``make docs``.

The pages are README.md, docs/ and what they link to (``pages.py``); mkdocs.yml has the navigation. A dead link, a
missing anchor or a page that does not exist is an error. ``SITE_URL`` is the address at which the site will be.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from api_names import missing_names
from pages import BrokenLinkError, Site

__all__ = ["first_sentence", "llms_sections", "main", "settings"]

ROOT = Path(__file__).resolve().parents[2]


def settings(base: dict[str, Any], pages: Path, *, site_url: str, repository: str | None) -> dict[str, Any]:
    """Return the settings of Zensical: those of mkdocs.yml, and what follows from the pages and from the repository."""
    plugins: list[Any] = [*base["plugins"], {"llmstxt": {"sections": llms_sections(base["nav"], pages)}}]
    found = {**base, "site_url": site_url, "plugins": plugins}
    return {**found, "repo_url": repository} if repository else found


def llms_sections(nav: list[dict[str, list[Any]]], pages: Path) -> dict[str, list[dict[str, str]]]:
    """Return the sections of llms.txt: those of the navigation, each page with its first sentence."""
    sections: dict[str, list[dict[str, str]]] = {}
    for section in nav:
        for title, entries in section.items():
            sections[title] = [
                {page: first_sentence((pages / page).read_text(encoding="utf-8"))} for page in _pages(entries)
            ]
    return sections


def _pages(entries: list[Any]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        for value in entry.values():
            found += [value] if isinstance(value, str) else _pages(value)
    return found


def first_sentence(page: str) -> str:
    """Return the first sentence below the title of a page, without marks of Markdown; empty if there is none."""
    paragraph = re.search(r"^# .*\n+((?:[A-Za-z\[*]|`(?!``)).*\n(?:\S.*\n)*)", page, flags=re.MULTILINE)
    if not paragraph:
        return ""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph[1].split())).replace("**", "")
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def main() -> int:
    """Write the pages and build the site."""
    site = Site.of(ROOT)
    base = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = ROOT / base["docs_dir"]
    shutil.rmtree(pages, ignore_errors=True)
    try:
        site.write(pages)
    except BrokenLinkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    shutil.copy(ROOT / "tests" / "site" / "site.css", pages)
    site_url = os.environ.get("SITE_URL") or "http://localhost:8000/"
    config = ROOT / ".mkdocs-build.yml"
    whole = settings(base, pages, site_url=site_url, repository=site.repository)
    config.write_text(json.dumps(whole), encoding="utf-8")
    # Its process imports the extension that reads docstrings, and the package for the docstrings in Rust.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT / "python")])}
    command = [
        str(Path(sys.executable).with_name("zensical")),
        "build",
        "--clean",
        "--strict",
        "--config-file",
        str(config),
    ]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    finally:
        config.unlink()
    if missing := missing_names(pages / "api", ROOT / base["site_dir"] / "api"):
        print(
            f"error: the API reference lacks {', '.join(missing)}: write their docstrings, or `#:` above a constant",
            file=sys.stderr,
        )
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
