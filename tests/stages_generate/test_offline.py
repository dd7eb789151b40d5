"""Without a model a script quotes: nothing is rephrased, nothing invented, and the same text gives the same script."""

from __future__ import annotations

import re

import pytest

from rushes.documents import Chapter, KeyPoint, Script, Summary
from rushes.text.scripts.extractive import script
from rushes.text.scripts.material import of_summary, of_text
from rushes.text.scripts.request import ScriptRequest

from .conftest import BREAD


def make(text: str, **facts: object) -> Script:
    return script(ScriptRequest(material=of_text(text), **facts))  # type: ignore[arg-type]  # checked by the dataclass's users


def sentences(text: str) -> list[str]:
    return re.findall(r"[^.!?]+[.!?]", text)


def test_a_short_text_is_said_whole_in_its_order_under_its_own_headings():
    made = make(BREAD)

    assert made.title == "Why sourdough rises"
    assert made.hook == "A sourdough starter is a mixture of flour and water in which wild yeast and bacteria live."
    assert [section.title for section in made.sections] == ["The starter", "The oven"]
    assert made.sections[1].narration == (
        "Bake the loaf in a very hot oven with some steam. The crust stays soft while the bread still grows. When the "
        "bottom sounds hollow, the bread is done."
    )
    assert made.engine == "offline"
    assert made.language == "en"


def test_every_sentence_stands_in_the_text_and_names_its_line(lecture: str):
    made = make(lecture)
    lines = lecture.splitlines()

    quoted = [origin for section in made.sections for origin in section.sources] + list(made.sources)
    assert quoted
    for origin in quoted:
        assert origin.line
        assert origin.text[:40] in lines[origin.line - 1]
    for section in made.sections:
        assert section.narration == " ".join(origin.text for origin in section.sources)
        shown = [point.removesuffix(" …") for point in section.points]
        assert all(point in section.narration for point in shown)


def test_a_long_text_is_shortened_to_the_wished_length_and_that_is_said(lecture: str):
    made = make(lecture, seconds=60)

    assert 0.7 * 60 < sum(section.seconds for section in made.sections) < 1.3 * 60
    assert any(re.match(r"It says \d+ of \d+ sentences, to last about 1:00", note) for note in made.notes)
    kept = [origin.line or 0 for section in made.sections for origin in section.sources]
    assert kept == sorted(kept)


def test_a_long_script_ends_with_what_to_keep(lecture: str):
    made = make(lecture)

    assert len(made.takeaways) == 3
    assert all(takeaway in lecture.replace("\n", " ") for takeaway in made.takeaways)
    assert made.passages[-1] == " ".join(made.takeaways)


def test_the_same_text_gives_the_same_script(lecture: str):
    assert make(lecture).model_dump_json() == make(lecture).model_dump_json()


@pytest.mark.parametrize("text", ["One sentence only.", "Two of them. Here is the other.", "no stop at all"])
def test_the_shortest_texts_have_a_section_and_nothing_twice(text: str):
    made = make(text)

    assert (made.hook, len(made.sections), made.takeaways) == ("", 1, ())
    assert made.text.rstrip(".") == text.rstrip(".")


def test_a_section_of_minutes_is_divided(lecture: str):
    made = make(f"# Databases\n\nAn opening.\n\n## All of it\n\n{lecture}", seconds=600)

    assert made.sections[0].title == "All of it"
    assert len({section.title for section in made.sections}) == len(made.sections) > 4
    assert max(section.seconds for section in made.sections) < 75


def test_of_very_many_headings_some_share_a_section():
    made = make("# Notes\n\n" + "".join(f"## Number {n}\n\nFact {n} is short.\n\n" for n in range(500)), seconds=3600)

    assert len(made.sections) <= 60
    assert made.text.count("is short.") >= 500


def test_a_summary_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="no sentence"):
        of_summary(
            Summary(title="", overview="", key_points=(), chapters=(), topics=(), length="brief", engine="offline")
        )


def test_words_for_a_model_are_named_as_not_used():
    made = make(BREAD, query="For beginners, please", audience="bakers")

    assert "Without a language model these were not used: query, audience." in made.notes


def test_a_summary_is_told_with_the_times_of_its_video():
    made = script(
        ScriptRequest(
            material=of_summary(
                Summary(
                    title="Bread",
                    overview="Bread needs time. It needs salt as well. And it needs heat.",
                    key_points=(KeyPoint(text="Salt slows the yeast.", start=12), KeyPoint(text="Steam helps.", start=70)),
                    chapters=(Chapter(title="Salt", start=0, end=60), Chapter(title="Heat", start=60, end=90)),
                    topics=(), length="standard", language="en", engine="offline",
                )
            )
        )
    )  # fmt: skip

    assert (made.title, made.takeaways) == ("Bread", ())
    assert [(one.title, one.narration, [o.start for o in one.sources]) for one in made.sections[-2:]] == [
        ("Salt", "Salt slows the yeast.", [12]),
        ("Heat", "Steam helps.", [70]),
    ]
    assert sentences(made.text) == sentences(
        "Bread needs time. It needs salt as well. And it needs heat. Salt slows the yeast. Steam helps."
    )
