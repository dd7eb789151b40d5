"""Chapters begin where the subject changes, cover the video, and are the publisher's where they make sense."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from bench.quality.chapters_and_summaries import our_cuts
from bench.quality.corpus import Talk, transcript, unpunctuated
from bench.quality.measures import boundary_f1, pk

from rushes.documents import Chapter, Cue, Transcript
from rushes.text import boundaries
from rushes.text.chapters import Section, divide
from rushes.text.phrases import Phrases
from rushes.text.request import Request
from tests.text.conftest import spoken, video


def sections(request: Request) -> list[Section]:
    return divide(request, Phrases([sentence.text for sentence in request.sentences], request.lexicon))


def starts(request: Request) -> list[float]:
    return [section.start for section in sections(request)]


def test_chapters_are_found_where_talks_were_joined(talks: list[Talk]):
    joined = [talk for talk in talks if talk.kind == "joined"]
    found = [our_cuts(transcript(talk)) for talk in joined]

    assert statistics.mean(boundary_f1(t.boundaries, cuts) for t, cuts in zip(joined, found, strict=True)) > 0.6
    assert statistics.mean(pk(t.boundaries, cuts, len(t.words)) for t, cuts in zip(joined, found, strict=True)) < 0.35


def test_chapters_are_found_without_punctuation(talks: list[Talk]):
    joined = [talk for talk in talks if talk.kind == "joined"]

    assert statistics.mean(boundary_f1(talk.boundaries, our_cuts(unpunctuated(talk))) for talk in joined) > 0.6


def test_chapters_cover_the_video_without_gaps(request_of_lecture: Request):
    found = sections(request_of_lecture)

    assert found[0].start == 0
    assert found[-1].end == request_of_lecture.duration
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(section.start < section.end for section in found)


def test_a_chapter_begins_with_a_cue(request_of_lecture: Request):
    cues = {cue.start for cue in request_of_lecture.transcript.cues}

    assert set(starts(request_of_lecture)) <= cues


def test_titles_are_words_of_their_chapter_and_none_is_twice(request_of_lecture: Request):
    found = sections(request_of_lecture)
    titles = [section.title for section in found]

    assert len(set(titles)) == len(titles)
    for section in found:
        said = " ".join(sentence.text for sentence in request_of_lecture.sentences[section.first : section.last])
        assert all(part.lower() in said.lower() for part in section.title.split(" and "))


@pytest.mark.parametrize(("words", "chapters"), [(100, 1), (349, 1), (350, 3), (2200, 4), (5500, 10), (50_000, 16)])
def test_there_are_as_many_chapters_as_the_length_bears(words: int, chapters: int):
    assert boundaries.count(words) == chapters


def test_a_pause_draws_a_cut_to_it():
    bread = ["The dough rests in its bowl and the yeast makes the dough rise slowly."] * 42
    stars = ["A telescope shows the moons of Jupiter to every patient observer tonight."] * 38
    lines = bread + stars
    cues, at = [], 0.0
    for number, line in enumerate(lines):
        at += 2.0 if number == 43 else 0.0
        cues.append(Cue(text=line, start=at, end=at + 5))
        at += 5
    request = Request(Transcript(source="speech", engine="t", speech="some", cues=tuple(cues)), video())

    assert cues[43].start in starts(request)


def test_the_publishers_chapters_win(request_of_lecture: Request):
    given = [Chapter(title="Hello", start=0, end=60), Chapter(title="The rest", start=60, end=1200)]
    request = Request(request_of_lecture.transcript, video(chapters=given))
    found = sections(request)

    assert [(section.title, section.start) for section in found] == [("Hello", 0.0), ("The rest", 60.0)]
    assert request.sentences[found[1].first].start >= 60 > request.sentences[found[1].first - 1].start


@pytest.mark.parametrize(
    "given",
    [
        [Chapter(title="Alone", start=0, end=60)],
        [Chapter(title="One", start=0, end=9), Chapter(title="Same time", start=0, end=9)],
        [Chapter(title="One", start=0, end=9), Chapter(title="After the end", start=9e6, end=9e6)],
    ],
)
def test_senseless_chapters_of_the_publisher_are_left_aside(request_of_lecture: Request, given: list[Chapter]):
    request = Request(request_of_lecture.transcript, video(chapters=given))

    assert starts(request) == starts(request_of_lecture)


def test_a_chapter_that_the_publisher_left_without_a_title_gets_one(request_of_lecture: Request):
    given = [Chapter(title="<Untitled Chapter 1>", start=0, end=600), Chapter(title="Named", start=600, end=1200)]
    found = sections(Request(request_of_lecture.transcript, video(chapters=given)))

    assert "ntitled" not in found[0].title
    assert found[1].title == "Named"


def test_a_title_of_marks_alone_takes_no_longer_than_another(request_of_lecture: Request):
    marks = "!" * 100_000 + "x"
    given = [Chapter(title=marks, start=0, end=60), Chapter(title=f"Chapter{marks}", start=60, end=120)]
    found = sections(Request(request_of_lecture.transcript, video(chapters=given)))

    assert [section.title for section in found] == [marks, f"Chapter{marks}"]


def test_the_publishers_first_chapter_is_moved_to_the_start(request_of_lecture: Request):
    given = [Chapter(title="One", start=5, end=600), Chapter(title="Two", start=600, end=1200)]

    assert starts(Request(request_of_lecture.transcript, video(chapters=given))) == [0.0, 600.0]


def test_a_text_in_a_single_cue_is_a_single_chapter(request_of_lecture: Request):
    whole = Cue(text=request_of_lecture.transcript.text, start=0, end=1000)
    request = Request(Transcript(source="captions", engine="t", speech="some", cues=(whole,)), video())

    assert starts(request) == [0.0]


def test_a_short_talk_is_a_single_chapter_to_its_end():
    request = Request(spoken("Bread needs time.", "Water needs none."), video(duration=60))

    assert [(section.start, section.end) for section in sections(request)] == [(0.0, 60.0)]


def test_an_unknown_language_is_divided_too(request_of_lecture: Request):
    """A made-up language: every word spelled backwards, so that no list of ours knows it."""
    cues = tuple(
        cue.model_copy(update={"text": " ".join(word[::-1] for word in cue.text.split())})
        for cue in request_of_lecture.transcript.cues
    )
    strange = request_of_lecture.transcript.model_copy(update={"cues": cues, "language": "xx"})

    assert len(sections(Request(strange, video()))) == len(sections(request_of_lecture))
