"""Lines and tables fit a terminal, and no word is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompt_manager.cli import layout
from prompt_manager.cli.layout import Column, table
from prompt_manager.cli.wrapping import cells, fitted, wrapped

#: Texts, a width, and the lines that fit it. Chinese and Japanese have no blanks between words.
WRAPPED = [
    ("one two three", 7, ["one two", "three"]),
    ("a verylongword b", 5, ["a", "verylongword", "b"]),
    ("naïve café society", 10, ["naïve café", "society"]),
    ("nai\u0308ve cafe\u0301 society", 10, ["nai\u0308ve cafe\u0301", "society"]),
    ("अपॉइंटमेंट की याद दिलाने", 10, ["अपॉइंटमेंट की", "याद दिलाने"]),
    ("강아지는 귀여운 동물입니다", 10, ["강아지는", "귀여운", "동물입니다"]),
    ("サポート（チャット）", 10, ["サポート", "（チャット）"]),  # noqa: RUF001
    ("我们回答客户的问题。谢谢。", 12, ["我们回答客户", "的问题。谢", "谢。"]),
    ("「日本語」の文章", 8, ["「日本", "語」の文", "章"]),
    ("ภาษาไทยเขียนติดกัน ok", 8, ["ภาษาไทยเขียนติดกัน", "ok"]),
    ("family 👩‍👩‍👧 flag 🇩🇪 done", 9, ["family", "👩‍👩‍👧", "flag 🇩🇪", "done"]),
    ("", 10, [""]),
]


@pytest.mark.parametrize(("text", "room", "lines"), WRAPPED)
def test_lines_end_between_words(text: str, room: int, lines: list[str]) -> None:
    assert wrapped(text, room) == lines


def test_nothing_is_wrapped_in_a_pipe() -> None:
    assert wrapped("one two three", None) == ["one two three"]


@given(st.lists(st.text("ab\u0301дअ日カー、（）한👍 ", min_size=1, max_size=9), max_size=12), st.integers(1, 40))  # noqa: RUF001
def test_wrapping_loses_nothing_and_breaks_no_word(words: list[str], room: int) -> None:
    text = " ".join(" ".join(words).split())
    lines = wrapped(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for at, line in enumerate(lines):
        # A line is wider than there is room only if it is one word.
        assert cells(line) <= room or " " not in line
        assert at == 0 or not line.startswith(("\u0301", "ー", "、", "）")) or f" {line[0]}" in text  # noqa: RUF001


def test_a_table_aligns_wide_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "width", lambda: 80)
    lines = table([("日本", "first"), ("e\u0301", "second")], [Column("ID"), Column("TEXT")])
    assert lines == ["ID    TEXT", "日本  first", "e\u0301     second"]


def test_a_cell_that_is_too_long_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "width", lambda: 80)
    rows = [("x" * 40, "1.0.0", "words"), ("short", "1.0.0", "words")]
    assert table(rows, [Column(), Column(), Column()]) == [
        "x" * 40,
        "       1.0.0  words",
        "short  1.0.0  words",
    ]


def test_a_cell_that_is_wider_than_the_terminal_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "width", lambda: 80)
    lines = table([("level", " ".join(["alternative"] * 8), "words")], [Column(), Column(), Column()])
    assert lines == [
        "level  " + " ".join(["alternative"] * 6),
        "       alternative alternative",
        "         words",
    ]


def test_a_last_cell_whose_word_has_no_room_begins_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "width", lambda: 80)
    assert table([("a" * 28, "w" * 60)], [Column(), Column()]) == ["a" * 28, "    " + "w" * 60]


def test_a_message_is_broken_between_words_and_its_source_is_not() -> None:
    words = " ".join(["word"] * 12)
    source = f"  1 | template: {words}\n    |           ^"
    message = f"{words}\n{source}\n  hint: {words}"
    assert fitted(message, 40) == (
        f"{' '.join(['word'] * 7)}\n  {' '.join(['word'] * 5)}\n{source}\n"
        f"  hint: {' '.join(['word'] * 5)}\n        {' '.join(['word'] * 6)}\n        word"
    )
    assert fitted(message, None) == message
