"""Chapters and key sentences of every talk, by us and by the baselines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from bench.quality import baselines
from bench.quality.corpus import Talk, talks, transcript, unpunctuated, word_at
from bench.quality.measures import boundary_f1, coverage, pk
from bench.quality.rows import Row
from rushes.documents import Summary, Transcript, VideoDocument
from rushes.text.offline import summarize
from rushes.text.request import Request
from rushes.text.sentences import split

_VIDEO = VideoDocument(key="file:bench", title="")
_DRAWS = 20


Cuts = Callable[[Talk], list[int]]


def rows() -> list[Row]:
    everything = talks()
    kinds = {kind: [talk for talk in everything if talk.kind == kind] for kind in ("joined", "lecture")}
    found: list[Row] = []
    for kind, some in kinds.items():
        found += _boundary_rows(kind, some)
    found += _coverage_rows(everything)
    found.append(_time_row(everything))
    return found


def _boundary_rows(kind: str, some: Sequence[Talk]) -> list[Row]:
    methods: dict[str, Cuts] = {
        "rushes": lambda talk: our_cuts(transcript(talk)),
        "rushes, without punctuation": lambda talk: our_cuts(unpunctuated(talk)),
        "TextTiling": lambda talk: baselines.texttiling(transcript(talk), _chapters(talk)),
        "uniform": lambda talk: baselines.uniform(len(talk.words), _chapters(talk)),
    }
    corpus = f"{kind} talks"
    found: list[Row] = []
    for method, cut in methods.items():
        cuts = [cut(talk) for talk in some]
        f1 = [boundary_f1(talk.boundaries, made) for talk, made in zip(some, cuts, strict=True)]
        error = [pk(talk.boundaries, made, len(talk.words)) for talk, made in zip(some, cuts, strict=True)]
        found.append(Row("boundary F1, median (higher is better)", method, corpus, statistics.median(f1), len(some)))
        found.append(Row("Pk, median (lower is better)", method, corpus, statistics.median(error), len(some)))
    return sorted(found, key=lambda row: row.measure)


def _chapters(talk: Talk) -> int:
    return baselines.chapter_count(len(talk.words))


def our_cuts(spoken: Transcript) -> list[int]:
    chapters = summarize(Request(spoken, _VIDEO)).chapters
    return [word_at(chapter.start) for chapter in chapters[1:]]


def _coverage_rows(everything: Sequence[Talk]) -> list[Row]:
    values: dict[str, list[float]] = {"rushes": [], "random sentences": [], "lead sentences": []}
    for talk in everything:
        spoken = transcript(talk)
        summary = summary_text(summarize(Request(spoken, _VIDEO)))
        words = len(summary.split())
        sentences = split(spoken)
        draws = [coverage(talk.points, baselines.at_random(sentences, words, seed)) for seed in range(_DRAWS)]
        values["rushes"].append(coverage(talk.points, summary))
        values["random sentences"].append(statistics.mean(draws))
        values["lead sentences"].append(coverage(talk.points, baselines.lead(sentences, words)))
    measure = "key points covered, median, same number of words"
    return [
        Row(measure, method, "all talks", statistics.median(some), len(everything)) for method, some in values.items()
    ]


def summary_text(summary: Summary) -> str:
    """The overview and the key points, each sentence once."""
    points = [point.text for point in summary.key_points if point.text not in summary.overview]
    return " ".join([summary.overview, *points])


def _time_row(everything: Sequence[Talk]) -> Row:
    """Seconds for an hour of talk: all talks' time over their hours."""
    spoken = [transcript(talk) for talk in everything]
    began = time.perf_counter()
    for one in spoken:
        summarize(Request(one, _VIDEO))
    hours = sum(one.duration or 0 for one in spoken) / 3600
    return Row("summarizing an hour of talk", "rushes", "all talks", (time.perf_counter() - began) / hours, 1, "s")
