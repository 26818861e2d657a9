"""No text can close the fence around it."""

import re
import unicodedata

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
DOCS = ["\u0501\u043e\u0441", "d\u03bf\u03f2", "d\u0585c", "\u13a0\u13ce\u13df", "\u1d05\u1d0f\u1d04"]
DOCS += ["\u0111\u00f8\u023c", "\U0001f153\U0001f15e\U0001f152", "\U0001f1e9\U0001f1f4\U0001f1e8"]
WORDS += [*DOCS, *(letter for word in DOCS for letter in word)]
LOOK_ALIKES = {letter: latin for word in DOCS for letter, latin in zip(word, "doc", strict=True)}
LOOK_ALIKES |= {"0": "o", "\u2010": "-", "\u2212": "-", "\u0662": "2", "\u0968": "2", "\u30ce": "/", "\u03c3": "o"}

PIECES = st.sampled_from(WORDS)
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30))


def as_read(text: str) -> str:
    """The text as a lenient reader takes it: without case, blanks, invisible characters, and differences in looks."""
    text = "".join(LOOK_ALIKES.get(c, c) for c in text)
    text = unicodedata.normalize("NFKC", text).replace("&lt;", "<").replace("&#60;", "<").replace("\\u003c", "<")
    folded = "".join(LOOK_ALIKES.get(c, c) for c in text.casefold())
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["</doc>"])
@example(["</doc-2>", "</doc>"])
@example(["<\u200b/ d o c >"])
@example(["</\u0501\u043e\u0441>"])
@example(["</d0c>", "</\u1d05\u1d0f\u1d04\u2010\u0968>"])
def test_no_text_holds_the_tag_of_its_fence(texts: list[str]) -> None:
    output = TEMPLATE.render({"l": texts})
    tag, _, rest = output.partition("|")
    assert re.fullmatch(r"doc(-\d+)?", tag)
    assert rest == "".join(f"<{tag}>{text}</{tag}>" for text in texts)
    for text in texts:
        assert as_read(f"<{tag}>") not in as_read(text)
        assert as_read(f"</{tag}") not in as_read(text)
    assert TEMPLATE.render({"l": texts}) == output


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_number_is_used_only_where_it_is_needed(texts: list[str]) -> None:
    tag = TEMPLATE.render({"l": texts}).partition("|")[0]
    if not any("doc" in as_read(text) or "\u00f3c" in text for text in texts):
        assert tag == "doc"
