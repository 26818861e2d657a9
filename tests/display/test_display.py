"""How prompts, templates, messages, diffs and findings look: short, and never as markup or control characters."""

from __future__ import annotations

import io
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from helpers import EXAMPLES
from prompt_manager import Finding, Prompt, PromptManager, TemplateEngine
from prompt_manager.core.template import Template
from prompt_manager.display import Messages, finding_html, finding_rich, template_html, template_rich
from prompt_manager.display.cards import diff_lines


@pytest.fixture(scope="module")
def manager() -> PromptManager:
    return PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")


def finding(message: str = "a mistake", line: str | None = "Hi {{nmae}}", hint: str | None = None) -> Finding:
    place = None if line is None else ("a.yaml", 1, 6, line)
    return Finding("undeclared-variable", message, place, "a.yaml", "hi", hint)


def diff(old: str, new: str) -> object:
    manager = PromptManager()
    first = manager.create_prompt_sync(Prompt(id="hi", template=old, status="active"))
    manager.update_prompt_sync(first, template=new, bump="patch")
    return manager.compare_versions_sync("hi", "1.0.0", "1.0.1")


def test_descriptions_are_short(manager):
    chat = manager.get_prompt_sync("assistant/orders")
    shown = {
        "<Prompt summary 2.1.0, text, active>": manager.get_prompt_sync("summary"),
        "<Prompt assistant/orders 2.3.0, chat of 7 messages, active>": chat,
        "<Prompt a 1.0.0, chat of 1 message, draft>": Prompt(id="a", messages=[{"role": "user", "content": "x"}]),
        '<Template, variables ["name"]>': TemplateEngine().compile("{{name}}"),
        "<PromptDiff hi 1.0.0 → 1.0.1, patch>": diff("Hi", "Ho"),
        '<Finding PM009 undeclared-variable a.yaml:1:6 "a mistake">': finding(),
        "<Messages: user, user, user, user, user, user and 2 more>": Messages([{"role": "user"}] * 8),
    }
    assert {repr(value): value for value in shown.values()} == shown
    assert str(chat) == repr(chat)
    assert str(shown["<PromptDiff hi 1.0.0 → 1.0.1, patch>"]).startswith("hi 1.0.0 → 1.0.1")


class Page(HTMLParser):
    """The tags, classes and texts of an HTML fragment."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""
        self.open: list[tuple[str, str | None]] = []
        self.marked: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append((tag, dict(attributes).get("class")))
        self.attributes.update(attributes)
        if ("class", "pm-tag") in attributes:
            self.marked.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if ("style", None) not in self.open:
            self.text += data
            if self.open and self.open[-1] == ("span", "pm-tag"):
                self.marked[-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def page_of(value: object) -> Page:
    page = Page(finding_html(value) if isinstance(value, Finding) else value._repr_html_())
    assert page.open == []
    assert set(page.tags) <= {"style", "div", "span", "pre", "b"}
    assert {name for name, _ in page.attributes} <= {"class"}
    assert all(set((value or "").split()) <= CLASSES for _, value in page.attributes)
    return page


CLASSES = {"pm", "pm-head", "pm-dim", "pm-card", "pm-role", "pm-tag", "pm-add", "pm-del", "pm-other"}
CLASSES |= {
    f"pm-{role}" for role in ("system", "developer", "user", "assistant", "tool", "function", "error", "warning")
}


def test_a_prompt_has_a_card_for_each_message(manager):
    page = page_of(manager.get_prompt_sync("assistant/orders"))
    assert ("class", "pm-card pm-system") in page.attributes
    assert ("class", "pm-card pm-tool") in page.attributes
    for text in (
        "assistant/orders",
        "2.3.0 · chat · active",
        "Chat about one order",
        "history, optional",
        "partial style",
    ):
        assert text in page.text
    assert "{{company}}" in page.marked
    assert "{{> style}}" in page.marked


def test_every_example_is_shown(manager):
    for summary in manager.list_prompts_sync():
        prompt = manager.get_prompt_sync(summary.id)
        assert summary.id in page_of(prompt).text
        assert summary.id in in_terminal(prompt)


def test_rendered_text_has_no_tags():
    page = page_of(Messages([{"role": "user", "content": "What does {{name}} mean?"}]))
    assert "{{name}}" in page.text
    assert page.marked == []


def test_a_prompt_with_a_broken_template_is_shown():
    assert "{{#if x}}" in page_of(Prompt(id="a", template="{{#if x}}")).text


def test_a_finding_has_its_line_and_a_caret():
    page = page_of(finding(hint="did you mean `name`?"))
    for text in ("warning PM009", "a.yaml:1:6", "Hi {{nmae}}\n     ^", "hint: did you mean `name`?"):
        assert text in page.text


def test_a_diff_marks_added_and_removed_lines():
    page = page_of(diff("Hi", "Ho"))
    assert ("class", "pm-add") in page.attributes
    assert ("class", "pm-del") in page.attributes


def test_a_list_in_a_diff_is_no_removed_line():
    lines = dict(reversed(pair) for pair in diff_lines(str(diff("- one\n- two\n", "- one\n- 2\n"))))
    assert lines["   - one"] == ""
    assert lines["  -- two"] == "-"
    assert lines["  +- 2"] == "+"


#: Texts that HTML could take for markup.
PIECES = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre>", "</style>", "<!--", "-->", "<![CDATA["]
PIECES += [
    "]]>",
    "&lt;",
    "&#60;b>",
    '"',
    "'",
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{!--",
    "--}}",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\n",
    "a",
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)


@given(HOSTILE, HOSTILE)
@settings(deadline=None)
@example("<b>{{name}}</b>", "</div>")
def test_nothing_in_a_prompt_becomes_markup(text, other):
    values = [
        Messages(
            [{"role": "user", "content": text, "name": other}, {"role": text, "content": [{"type": other}, text]}]
        ),
        Messages([{"role": "tool", "tool_call_id": text, "content": None, "tool_calls": [{"id": other}]}]),
        finding(text, other.replace("\n", ""), text),
        Prompt(
            id="a",
            messages=[{"role": "user", "content": text, "name": other}],
            partials={"p": other},
            metadata={"description": text, "author": other},
        ),
        Prompt(id="a", template=other, metadata={"description": text}),
    ]
    for value in values:
        page = page_of(value)
        assert page.tags.count("style") == 1
        console(value)
    assert text.strip("\x00") == "" or "".join(text.split()) in "".join(page_of(values[0]).text.split())


def console(value: object) -> str:
    out = io.StringIO()
    functions = {Finding: finding_rich, Template: template_rich}
    shown = functions.get(type(value), lambda value: value)(value)
    Console(file=out, width=80, force_terminal=False).print(shown)
    written = out.getvalue()
    assert all(char in "\n\t" or ord(char) >= 0xA0 or " " <= char <= "~" for char in written)
    return written


def in_terminal(value: object) -> str:
    return console(value)


def test_rich_shows_roles_and_texts(manager):
    written = in_terminal(
        Messages([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "[b]Hi[/b]"}])
    )
    for text in ("system", "Be brief.", "user", "[b]Hi[/b]"):
        assert text in written
    assert "Hello {{name}}" in in_terminal(manager.get_prompt_sync("greeting"))
    assert "did you mean" in in_terminal(finding(hint="did you mean `name`?"))
    assert "+Ho" in in_terminal(diff("Hi", "Ho"))
    assert "{{name}}" in in_terminal(TemplateEngine().compile("Hi {{name}}"))


def test_a_template_has_its_tags_marked():
    page = Page(template_html(TemplateEngine().compile("Hi {{name}} <b>")))
    assert page.marked == ["{{name}}"]
    assert "Hi {{name}} <b>" in page.text


def test_findings_and_templates_show_themselves():
    names = [f"v{number}" for number in range(9)]
    template = TemplateEngine().compile(" ".join(f"{{{{{name}}}}}" for name in names))
    assert repr(template) == '<Template, variables ["v0", "v1", "v2", "v3", "v4", "v5", and 3 more]>'
    assert template._repr_html_() == template_html(template)
    assert finding()._repr_html_() == finding_html(finding())
    for value in (template, finding()):
        out = io.StringIO()
        Console(file=out, width=80).print(value)
        assert "{{v0}}" in out.getvalue() or "a mistake" in out.getvalue()


def test_nothing_of_it_is_imported_before_it_is_used():
    code = (
        "import sys; from prompt_manager import Prompt; repr(Prompt(id='a', template='x'))\n"
        "assert not {'rich', 'prompt_manager.display.html', 'html'} & set(sys.modules), sorted(sys.modules)\n"
        "Prompt(id='a', template='x')._repr_html_(); assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
