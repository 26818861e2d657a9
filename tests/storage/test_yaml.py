"""Any prompt written as YAML reads back the same, by this package and by another parser."""

from __future__ import annotations

import tempfile

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from prompt_manager import Prompt
from prompt_manager.storage import FileSystemStorage

#: Texts that YAML writers often get wrong, alone and combined.
PIECES = [
    "no", "yes", "on", "~", "null", "true", "1.0", "1_000", "0x1F", "0o7", "1e3", ".5", ".inf", "12:30:45",
    "2026-01-31", "2026-01-31T12:00:00Z", "<<", "=", "#", " #", "# c", ":", ": ", "a: b", "- ", "-", "? ", "!tag",
    "&a", "*a", "%x", "@", "`", "|", ">", "'", '"', "\\", "{{name}}", "{", "[", "]", ",", "---", "...", "--- a",
    "\t", " ", "  ", "\n", "\n\n", "\r", "\r\n", "\x85", "\u2028", "\u2029", "\ufeff", "\x00", "\x1b", "\x7f",
    "\xa0", "\ud7ff", "\ufffe", "\U0001f600", "é", "x" * 100, " trailing ", "\n leading",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=6).map("".join)
NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, JSON, max_size=4))
@example("", "\n", {"<<": {"a": 1}, "no": 1e300, "": 5e-324, "1.0": -0.0, "~": [[], {}]})
def test_any_text_and_metadata_survive_a_round_trip(template, description, custom):
    prompt = Prompt(
        id="a",
        format="text",
        status="active",
        template={"content": template, "partials": {"tone": description}},
        metadata={"description": description, "custom": custom},
    )
    text = prompt.to_yaml()
    plain = yaml.safe_load(text)
    assert plain["template"] == template
    assert plain["metadata"].get("description") == description
    with tempfile.TemporaryDirectory() as directory:
        storage = FileSystemStorage(directory, format="yaml")
        storage.save_sync(prompt)
        assert storage.load_sync("a") == prompt


@given(TEXTS)
def test_any_message_survives_a_round_trip(text):
    prompt = Prompt(
        id="a",
        format="chat",
        chat_template={
            "messages": [
                {"role": "system", "content": text},
                {"role": "user", "content": [{"type": "text", "text": text}]},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": text, "function": {"name": "look", "arguments": {"a": [text]}}}],
                },
            ]
        },
    )
    for form in ("yaml", "json"):
        with tempfile.TemporaryDirectory() as directory:
            storage = FileSystemStorage(directory, format=form)
            storage.save_sync(prompt)
            kept = storage.load_sync("a")
            assert kept.content_hash == prompt.content_hash
            assert kept.chat_template.messages[:2] == prompt.chat_template.messages[:2]


def test_long_lines_and_blocks_are_not_folded():
    prompt = Prompt(
        id="a",
        format="text",
        template="word " * 200,
        metadata={"description": "text " * 100, "author": "a\nb " + "c " * 99},
    )
    text = prompt.to_yaml()
    assert f'template: "{"word " * 200}"\n' in text
    assert ">" not in text
    assert f"  author: |-\n    a\n    b {'c ' * 99}\n" in text
