"""Shows objects in notebooks, as HTML. Every text is escaped, so nothing in a prompt becomes markup."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from prompt_manager.display.cards import Card, cards_of_messages, cards_of_prompt, diff_lines, pieces
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prompt_manager._native import Finding, Template
    from prompt_manager.display.cards import ShownDiff, ShownPrompt

__all__ = ["diff_html", "finding_html", "messages_html", "prompt_html", "template_html"]

#: The colours of cards: background, border and title, for light and for dark pages.
_COLOURS = {
    "system": ("#f3f0ff", "#7c5cd6", "#2a2440", "#a48ef0"),
    "developer": ("#f3f0ff", "#7c5cd6", "#2a2440", "#a48ef0"),
    "user": ("#eaf4ff", "#2f7fd1", "#1c2c3d", "#6fb1f0"),
    "assistant": ("#ebf8ee", "#2f9a4c", "#1d3324", "#6fd08a"),
    "tool": ("#fff4e5", "#c47a13", "#3a2c16", "#e5ad5c"),
    "function": ("#fff4e5", "#c47a13", "#3a2c16", "#e5ad5c"),
    "error": ("#fdecec", "#c93636", "#3d2020", "#f08a8a"),
    "warning": ("#fff4e5", "#c47a13", "#3a2c16", "#e5ad5c"),
}
_OTHER = ("#f4f4f5", "#71717a", "#29292d", "#a1a1aa")

_LAYOUT = """
.pm{--pm-ink:#1f2328;--pm-dim:#59636e;--pm-tag:#8a3ffc;--pm-tagbg:#efe4ff;--pm-add:#dafbe1;--pm-del:#ffebe9;
font:13px/1.5 system-ui,sans-serif;color:var(--pm-ink);max-width:60rem}
.pm-head{margin:0 0 .5em}.pm-head b{font-size:1.1em}.pm-dim{color:var(--pm-dim)}
.pm-card{margin:.4em 0;padding:.4em .7em;border-left:3px solid var(--pm-line);border-radius:4px;
background:var(--pm-back)}
.pm-role{font-weight:600;color:var(--pm-line)}
.pm pre{margin:.2em 0 0;padding:0;border:0;background:none;color:inherit;
font:12px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.pm-tag{color:var(--pm-tag);background:var(--pm-tagbg);border-radius:3px;padding:0 .15em}
.pm-add{background:var(--pm-add)}.pm-del{background:var(--pm-del)}
"""
_DARK = "--pm-ink:#e6e6e6;--pm-dim:#9aa4ae;--pm-tag:#d2b3ff;--pm-tagbg:#3b2a57;--pm-add:#1b3a24;--pm-del:#4a2224"

#: Selectors of dark pages of JupyterLab and VS Code, and of pages for which the setting of the system decides.
_DARK_PAGES = ('[data-jp-theme-light="false"] ', "body.vscode-dark ", "body.vscode-high-contrast ")
_BY_SYSTEM = "body:not([data-jp-theme-light]):not(.vscode-light):not(.vscode-high-contrast-light) "


def _style() -> str:
    light = "".join(
        f".pm-{role}{{--pm-back:{back};--pm-line:{line}}}" for role, (back, line, _, _) in _all_colours().items()
    )
    return f"<style>{_LAYOUT}{light}{_dark_rules()}</style>"


def _all_colours() -> dict[str, tuple[str, str, str, str]]:
    return {"other": _OTHER, **_COLOURS}


def _dark_rules() -> str:
    def rules(page: str) -> str:
        cards = "".join(
            f"{page}.pm-{role}{{--pm-back:{back};--pm-line:{line}}}"
            for role, (_, _, back, line) in _all_colours().items()
        )
        return f"{page}.pm{{{_DARK}}}{cards}"

    return "".join(map(rules, _DARK_PAGES)) + f"@media(prefers-color-scheme:dark){{{rules(_BY_SYSTEM)}}}"


def prompt_html(prompt: ShownPrompt) -> str:
    """A prompt: its metadata, variables, and templates as cards with the tags marked."""
    facts = [prompt.version, prompt.format.value, prompt.status.value, *prompt.labels]
    head = _head(prompt.id, facts, prompt.metadata.description)
    return _page([head, _variables(prompt), *_cards(cards_of_prompt(prompt))])


def template_html(template: Template) -> str:
    """A template with its tags marked."""
    return _page(_cards([Card("template", "template", "", template.source, has_tags=True)]))


def messages_html(messages: Sequence[Mapping[str, Any]]) -> str:
    """Rendered messages as cards."""
    return _page(_cards(cards_of_messages(messages, has_tags=False)))


def diff_html(diff: ShownDiff) -> str:
    """A diff, with lines that were added and removed in colour."""
    lines = []
    for marker, line in diff_lines(diff.text):
        kind = {"+": "pm-add", "-": "pm-del"}.get(marker)
        lines.append(f'<span class="{kind}">{escape(line)}</span>' if kind else escape(line))
    body = "\n".join(lines)
    return _page([f'<div class="pm-card pm-other"><pre>{body}</pre></div>'])


def finding_html(finding: Finding) -> str:
    """A finding: its place, the line, and the hint."""
    place = finding.file or finding.prompt_id or ""
    if finding.line is not None:
        place += f":{finding.line}:{finding.column}"
    title = f'<span class="pm-role">{escape(f"{finding.severity} {finding.code}")}</span>'
    lines = [f"{title} {escape(finding.message)}", f'<div class="pm-dim">{escape(place)}</div>' if place else ""]
    if finding.source_line is not None and finding.column is not None:
        caret = " " * (finding.column - 1) + "^"
        lines.append(f"<pre>{escape(finding.source_line)}\n{caret}</pre>")
    if finding.hint is not None:
        lines.append(f'<div class="pm-dim">hint: {escape(finding.hint)}</div>')
    return _page([f'<div class="pm-card pm-{finding.severity}">{"".join(lines)}</div>'])


def _page(parts: Iterable[str]) -> str:
    return f'{_style()}<div class="pm">{"".join(parts)}</div>'


def _head(name: str, facts: Iterable[str], description: str | None) -> str:
    about = f'<div class="pm-dim">{escape(description)}</div>' if description else ""
    beside = escape(" · ".join(facts))
    return f'<div class="pm-head"><b>{escape(name)}</b> <span class="pm-dim">{beside}</span>{about}</div>'


def _variables(prompt: ShownPrompt) -> str:
    try:
        variables = prompt._inspected().variables()
    except PromptManagerError:
        # A template cannot be parsed. It is shown all the same.
        return ""
    names = [
        f'<span class="pm-tag">{escape(variable["name"])}</span>'
        + (f'<span class="pm-dim">: {escape(variable["type"])}</span>' if variable["type"] != "any" else "")
        for variable in variables
    ]
    return f'<div class="pm-head">{", ".join(names)}</div>' if names else ""


def _cards(cards: Iterable[Card]) -> Iterator[str]:
    for card in cards:
        kind = card.role if card.role in _COLOURS else "other"
        note = f' <span class="pm-dim">{escape(card.note)}</span>' if card.note else ""
        body = "".join(
            f'<span class="pm-tag">{escape(piece.text)}</span>' if piece.is_tag else escape(piece.text)
            for piece in pieces(card)
        )
        title = f'<span class="pm-role">{escape(card.title)}</span>{note}'
        yield f'<div class="pm-card pm-{kind}">{title}<pre>{body}</pre></div>'
