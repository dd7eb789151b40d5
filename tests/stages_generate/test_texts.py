"""Texts are read for the ear: what cannot be spoken is left out and said, and every sentence knows its line."""

from __future__ import annotations

import time

import pytest

from rushes.text.scripts.english import is_english
from rushes.text.scripts.glance import LONGEST, at_a_glance
from rushes.text.scripts.material import of_text
from rushes.text.scripts.written import read

MARKDOWN = """\
---
layout: post
---
# Bread, *really*

Flour and **water** are mixed. See [this page](https://example.org/a(b)) or https://user:pw@www.example.org/x?y=1#z.
The second line
goes on (e.g. here), and `code` is _spoken_; snake_case_name stays.

Second
------
- Item one
- [ ] Item two:
1. Third!

> Quoted text
> goes on.

| a | b |
|---|---|

```python
print("x")
```
<!-- no
no --> After <b>bold</b> text. 3 * 4 * 5 is 60. **Unclosed
"""


def said(text: str) -> list[str]:
    return [sentence.text for sentence in read(text).sentences]


def test_markup_is_not_spoken():
    assert said(MARKDOWN) == [
        "Flour and water are mixed.",
        "See this page or example.org The second line goes on (e.g. here), and code is spoken; snake_case_name stays.",
        "Item one.",
        "Item two.",
        "Third!",
        "Quoted text goes on.",
        "After bold text.",
        "3 * 4 * 5 is 60.",
        "Unclosed.",
    ]


def test_headings_stand_before_their_sentence_and_lines_are_the_text_s_own():
    written = read(MARKDOWN)

    assert [(one.title, one.level, one.before) for one in written.headings] == [
        ("Bread, really", 1, 0),
        ("Second", 2, 2),
    ]
    assert [sentence.line for sentence in written.sentences] == [6, 6, 12, 13, 14, 16, 26, 26, 26]


def test_what_was_left_out_is_counted():
    assert of_text(MARKDOWN).notes == (
        "Left out, for it cannot be spoken: 1 block of code.",
        "Left out, for it cannot be spoken: 2 lines of a table.",
    )


def test_the_heading_above_all_others_is_the_title():
    assert of_text("# One\n\nA text.\n\n## Two\n\nMore.").title == "One"
    assert of_text("## One\n\nA text.\n\n## Two\n\nMore.").title == ""
    assert of_text("# One\n\nA text.\n\n## Two\n\nMore.", title="Mine").title == "Mine"


def test_plain_text_without_punctuation_is_cut_where_a_voice_would_breathe():
    assert [len(sentence.split()) for sentence in said("word " * 130)] == [25, 25, 25, 25, 25, 5]


@pytest.mark.parametrize("text", ["", "   \n\n", "***", "```\ncode\n```", "# Only a heading", "… — !"])
def test_a_text_without_a_sentence_is_refused(text: str):
    with pytest.raises(ValueError, match="no sentence"):
        of_text(text)


def test_a_list_of_very_many_is_no_text():
    with pytest.raises(ValueError, match="it has 10,001 sentences; the limit is 10,000"):
        of_text("A name.\n" * 10_001)


@pytest.mark.parametrize(
    "piece",
    [
        "*",
        "[",
        "[a](",
        "<a",
        "`",
        "<!--",
        "--><!--",
        "_a",
        "http://",
        "http://a@",
        "- ",
        "a.\n",
        "#",
        "---",
        "\\*",
        "![]((",
    ],
)
def test_no_text_keeps_the_reader_busy_for_long(piece: str):
    """A pattern that goes back and forth would take hours for these; the limit is the one of `generate.text`."""
    began = time.process_time()
    read(piece * (500_000 // len(piece)))
    assert time.process_time() - began < 20


@pytest.mark.parametrize("line", ["# " * 250_000 + "x", "x " + "`" * 500_000 + "x", "!" * 500_000 + "x"])
def test_no_line_does_either(line: str):
    assert read(f"{line}\n\nA sentence.").sentences[-1].text == "A sentence."


def test_a_heading_may_be_closed_as_it_was_opened():
    headings = read("# Bread ##\n\n## Salt # and water \t#\n\n### #\n\nA text.").headings

    assert [heading.title for heading in headings] == ["Bread", "Salt # and water"]


def test_control_characters_are_not_kept():
    assert said("A bell\x07 and an escape\x1b[31m.") == ["A bell and an escape[31m."]


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Salt comes last.", "Salt comes last"),
        (
            "Winter bees live for months because they are fat and raise no brood, summer bees for six weeks or so.",
            "Winter bees live for months because they are fat and raise no brood …",
        ),
        (
            "A sourdough starter is a mixture of flour and water in which wild yeast and bacteria happily live.",
            "A sourdough starter is a mixture of flour and water …",
        ),
        ("Wait for it...", "Wait for it..."),
        ("x" * 300, "x" * LONGEST + " …"),
    ],
)
def test_a_slide_shows_as_much_as_is_read_at_a_glance(sentence: str, shown: str):
    assert at_a_glance(sentence) == shown


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("The moon pulls on the whole Earth, but it does not pull evenly, and so there are two tides a day.", True),
        (
            "Flour. Water. Salt. Wild yeast. Mix dough ten minutes. Bulk ferment four hours. Shape loaf. Bake. Cool.",
            True,
        ),
        ("Café crème in Los Angeles, El Paso and La Paz.", True),
        ("Der Mond zieht an der ganzen Erde, aber er zieht nicht überall gleich, und so gibt es zwei Fluten.", False),
        ("La lune attire toute la Terre, mais pas de manière uniforme, et le sol est moins attiré que la mer.", False),
        (
            "Luna atrae a toda la Tierra, pero no de la misma manera, y por eso hay dos mareas cada día en el mar.",
            False,
        ),
        ("Луна притягивает всю Землю.", False),
        ("月亮吸引整个地球。", False),
    ],
)
def test_what_the_voice_cannot_read_is_recognised(text: str, *, english: bool):
    assert is_english(text) is english


def test_a_language_that_is_known_decides():
    assert is_english("Der Mond zieht an der Erde.", "en-GB")
    assert not is_english("The moon pulls on the Earth.", "de")
