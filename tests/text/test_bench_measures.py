"""The benchmark's measures give what their definitions say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from bench.quality import baselines, corpus
from bench.quality.corpus import Talk, passages, transcript, unpunctuated
from bench.quality.measures import boundary_f1, coverage, pk


def test_boundaries_found_within_a_minute_count_once():
    assert boundary_f1([1000, 2000], [1000, 2150]) == 1.0
    assert boundary_f1([1000, 2000], [1000, 2151]) == 0.5
    assert boundary_f1([1000], [950, 1050]) == pytest.approx(2 / 3)
    assert boundary_f1([1000], []) == 0.0


def test_pk_is_nothing_for_the_truth_and_much_for_no_cuts():
    assert pk([100, 200], [100, 200], 300) == 0.0
    assert pk([100, 200], [], 300) == pytest.approx(100 / 250)


def test_coverage_is_the_share_of_a_points_words():
    assert coverage(["Steel rusts in salt water."], "Steel bars and salt.") == pytest.approx(2 / 4)


def test_twelve_topics_have_three_sections_with_three_points_each():
    everything = passages()

    assert len({passage.topic for passage in everything}) == 12
    assert len(everything) == 36
    assert all(len(passage.points) == 3 and len(passage.text.split()) > 250 for passage in everything)


def test_talks_are_the_same_at_each_run(talks: list[Talk]):
    assert corpus.talks() == talks


def test_joins_are_silent(lecture: Talk):
    assert all(before.end == after.start for before, after in pairwise(transcript(lecture).cues))


def test_captions_without_punctuation_have_the_same_words(lecture: Talk):
    assert len(unpunctuated(lecture).text.split()) == len(lecture.words)


def test_texttiling_finds_a_plain_change(lecture: Talk):
    cuts = baselines.texttiling(transcript(lecture), 5)

    assert len(cuts) == 4
    assert cuts == sorted(cuts)
