"""No text can close the fence around it."""

import re
import unicodedata
from html import unescape

from hypothesis import example, given
from hypothesis import strategies as st

from prompt_manager import TemplateEngine

TEMPLATE = TemplateEngine().compile('{{fence_tag "doc"}}|{{#each l}}{{#fence "doc"}}{{this}}{{/fence}}{{/each}}')

WORDS = [
    "<",
    "</",
    ">",
    "/",
    "doc",
    "DOC",
    "Doc",
    "d",
    "o",
    "c",
    "-",
    "-2",
    "-3",
    "-20",
    "2",
    " ",
    "\n",
    "&lt;",
    "&#60;",
]
WORDS += ["\u200b", "\u00ad", "\uff1c", "\u2039", "\\u003c", "\uff44\uff4f\uff43", "d\u00f3c", "\u00e9", "\u6587"]
WORDS += ["<doc-2>", "</doc-3>", "</doc-9>"]
WORDS += ["d0c", "D\u041eC", "\u2010", "\u2212", "\u0662", "\u0968", "\u30ce"]

#: ``doc`` in look-alikes: Cyrillic, Greek, Armenian, Cherokee, small capitals, strokes, circles, flags.
DOCS = ["\u0501\u043e\u0441", "d\u03bf\u03f2", "d\u0585c", "\u13a0\u13be\u13df", "\u1d05\u1d0f\u1d04"]
DOCS += ["\u0111\u00f8\u023c", "\U0001f153\U0001f15e\U0001f152", "\U0001f1e9\U0001f1f4\U0001f1e8"]
WORDS += [*DOCS, *(letter for word in DOCS for letter in word)]
LOOK_ALIKES = {letter: latin for word in DOCS for letter, latin in zip(word, "doc", strict=True)}
LOOK_ALIKES |= {"0": "o", "\u2010": "-", "\u2212": "-", "\u0662": "2", "\u0968": "2", "\u30ce": "/", "\u03c3": "o"}

#: Characters that look like ``<``: ornaments, mathematical brackets, signs of comparison, triangles.
BRACKETS = "\u276c\u2991\u27ea\u226a\u22d8\u2a7d\u25c1\u2264\u16b2"
LOOK_ALIKES |= dict.fromkeys(BRACKETS, "<")
WORDS += [*BRACKETS, "&amp;lt;", "&amp;#38;lt;", "&NoBreak;", "&ZeroWidthSpace;", "&af;", "&oacute;", "&dopf;", "&sol;"]

#: Tag characters repeat ASCII and print nothing. A reader may skip them or read them.
TAG_CHARACTERS = {0xE0000 + ord(c): c for c in "</doc-2>"}
WORDS += [*map(chr, TAG_CHARACTERS), "".join(map(chr, TAG_CHARACTERS))]

PIECES = st.sampled_from(WORDS)
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30))


def as_read(text: str) -> str:
    """The text as a lenient reader takes it: without case, blanks, invisible characters, and differences in looks."""
    while text != unescape(text):
        text = unescape(text)
    text = "".join(LOOK_ALIKES.get(c, c) for c in text)
    text = unicodedata.normalize("NFKC", text).replace("\\u003c", "<")
    folded = "".join(LOOK_ALIKES.get(c, c) for c in text.casefold())
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["</doc>"])
@example(["</doc-2>", "</doc>"])
@example(["<\u200b/ d o c >"])
@example(["</\u0501\u043e\u0441>"])
@example(["\u276c/doc>", "&amp;lt;/doc>", "</d&NoBreak;oc>"])
@example(["</d" + "".join(map(chr, TAG_CHARACTERS)) + "oc>"])
@example(["".join(map(chr, TAG_CHARACTERS))])
@example(["</d0c>", "</\u1d05\u1d0f\u1d04\u2010\u0968>"])
def test_no_text_holds_the_tag_of_its_fence(texts: list[str]) -> None:
    output = TEMPLATE.render({"l": texts})
    tag, _, rest = output.partition("|")
    assert re.fullmatch(r"doc(-\d+)?", tag)
    assert rest == "".join(f"<{tag}>{text}</{tag}>" for text in texts)
    for text in (*texts, *(text.translate(TAG_CHARACTERS) for text in texts)):
        assert as_read(f"<{tag}>") not in as_read(text)
        assert as_read(f"</{tag}") not in as_read(text)
    assert TEMPLATE.render({"l": texts}) == output


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_number_is_used_only_where_it_is_needed(texts: list[str]) -> None:
    tag = TEMPLATE.render({"l": texts}).partition("|")[0]
    read = [as_read(way) for text in texts for way in (text, text.translate(TAG_CHARACTERS))]
    if not any("doc" in text or "\u00f3c" in text for text in read):
        assert tag == "doc"
