"""Sentences keep the times of the cues and words that they are made of."""

from __future__ import annotations

import pytest

from rushes.documents import Cue, Transcript, Word
from rushes.text.lexicon import word_count
from rushes.text.sentences import cut, split
from tests.text.conftest import spoken


def texts(transcript: Transcript) -> list[str]:
    return [sentence.text for sentence in split(transcript)]


def timed_words(text: str, *, start: float = 0.0, pause_after: frozenset[int] = frozenset()) -> Cue:
    words, at = [], start
    for number, word in enumerate(text.split()):
        words.append(Word(text=word, start=at, end=at + 0.25))
        at += 0.25 + (1.0 if number in pause_after else 0.0)
    return Cue(text=text, start=start, end=words[-1].end, words=tuple(words))


def of(*cues: Cue) -> Transcript:
    return Transcript(source="speech", engine="test", speech="some", cues=cues)


def test_a_sentence_over_two_cues_starts_with_the_first_and_ends_with_the_second():
    found = split(spoken("It rains today and", "it will rain tomorrow. Take a coat."))

    assert [(sentence.text, sentence.start, sentence.end) for sentence in found] == [
        ("It rains today and it will rain tomorrow.", 0.0, 10.0),
        ("Take a coat.", 5.0, 10.0),
    ]


def test_words_with_times_give_sentences_their_own_times():
    found = split(of(timed_words("It rains. Take a coat.")))

    assert [(sentence.start, sentence.end) for sentence in found] == [(0.0, 0.5), (0.5, 1.25)]


def test_words_that_do_not_stand_in_their_cue_leave_it_its_own_times():
    cue = Cue(text="It rains. Take a coat.", start=3, end=6, words=(Word(text="snow", start=4, end=5),))

    assert {(sentence.start, sentence.end) for sentence in split(of(cue))} == {(3.0, 6.0)}


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith paid $3.50 for it.",
        "See Fig. 3 for the details.",
        "He lives in the U.S. and likes it.",
        "We met at 5 p.m. on the bridge.",
        "Use tools, e.g. Git, every day.",
        "J. R. Tolkien wrote it.",
        "Well... maybe that is so.",
    ],
)
def test_an_abbreviation_ends_no_sentence(sentence: str):
    assert texts(spoken(f"{sentence} That was it.")) == [sentence, "That was it."]


def test_a_plain_no_ends_a_sentence():
    assert texts(spoken("No. That is wrong.")) == ["No.", "That is wrong."]


def test_quotation_marks_stay_with_their_sentence():
    assert texts(spoken('He said "stop." Then he left.')) == ['He said "stop."', "Then he left."]


def test_captions_without_punctuation_are_cut_at_pauses():
    text = " ".join(f"w{number}" for number in range(80))
    found = split(of(timed_words(text, pause_after=frozenset({11, 25}))))

    assert [sentence.text.split()[0] for sentence in found][:3] == ["w0", "w12", "w26"]
    assert max(sentence.words for sentence in found) <= 20


def test_captions_without_punctuation_or_pauses_are_cut_by_length_at_cue_ends():
    lines = [" ".join(f"{line}x{number}" for number in range(10)) for line in range(20)]
    found = split(spoken(*lines))
    starts = {line * 5.0 for line in range(20)}

    assert all(sentence.start in starts for sentence in found)
    assert max(sentence.words for sentence in found) <= 30


def test_captions_in_small_letters_with_full_stops_are_cut_there():
    assert texts(spoken("it rains today. take a coat.")) == ["it rains today.", "take a coat."]


def test_chinese_and_japanese_sentences_end_at_their_own_marks():
    found = split(spoken("今日はパンを作ります。まず小麦粉を", "用意します。次に水を入れます。", language="ja"))

    assert [sentence.text for sentence in found] == [
        "今日はパンを作ります。",
        "まず小麦粉を用意します。",
        "次に水を入れます。",
    ]
    assert [sentence.start for sentence in found] == [0.0, 0.0, 5.0]


def test_two_letters_of_a_script_without_spaces_count_as_a_word():
    assert word_count("今日はパンを作ります") == 5
    assert word_count("three plain words") == 3


def test_a_pause_is_the_silence_before_a_sentence():
    found = split(of(Cue(text="One thing.", start=0, end=2), Cue(text="Another thing.", start=5, end=6)))

    assert [sentence.pause for sentence in found] == [0.0, 3.0]


def test_every_time_of_a_long_talk_is_a_time_of_its_transcript(request_of_lecture):
    cues = request_of_lecture.transcript.cues

    assert {sentence.start for sentence in request_of_lecture.sentences} <= {cue.start for cue in cues}
    assert {sentence.end for sentence in request_of_lecture.sentences} <= {cue.end for cue in cues}


def test_no_word_is_lost(request_of_lecture):
    joined = " ".join(sentence.text for sentence in request_of_lecture.sentences)

    assert joined == request_of_lecture.transcript.text


def test_empty_cues_give_nothing():
    assert split(spoken("", "  ")) == ()


def test_control_characters_are_dropped():
    assert texts(spoken("It\x00 rains\x1b[31m today.")) == ["It rains[31m today."]


def test_a_run_of_marks_that_ends_no_sentence_is_read_once():
    """A pattern that tries each mark of it anew would take hours."""
    run = "!" * 500_000 + "x"

    assert list(cut(run)) == [run]
    assert list(cut(f"Stop?!) {run} Go.")) == ["Stop?!)", f"{run} Go."]
