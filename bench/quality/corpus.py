"""Talks with known joins, made of our own texts: twelve topics of four fields, three sections each, as somebody speaks.

`joined` talks put passages of unlike topics behind each other; a boundary is where the topic changes. `lectures` are the
three topics of one field whole; a boundary is where any section begins, which is hard, since their words overlap.
Nothing but the words marks a join: the simulated speaker makes no pause there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from rushes.documents import Cue, Transcript
from rushes.text.sentences import split

_FOLDER = Path(__file__).with_name("corpus")
_WORDS_PER_MINUTE = 150
_JOINED = 16
_BLOCKS = 6
_CAPTION = 10
"""Words of a caption line without punctuation, as machines write them."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of a topic: what is said, and what a person found worth keeping of it."""

    field: str
    topic: str
    title: str
    points: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    name: str
    kind: str
    """`joined` or `lecture`."""
    chapters: tuple[tuple[Passage, ...], ...]

    @property
    def points(self) -> list[str]:
        return [point for chapter in self.chapters for passage in chapter for point in passage.points]

    @property
    def boundaries(self) -> list[int]:
        """Words spoken before each chapter after the first."""
        lengths = [sum(len(passage.text.split()) for passage in chapter) for chapter in self.chapters]
        return [sum(lengths[:number]) for number in range(1, len(lengths))]

    @property
    def words(self) -> list[str]:
        return [word for chapter in self.chapters for passage in chapter for word in passage.text.split()]


def passages() -> list[Passage]:
    """All passages, topic by topic."""
    return [passage for path in sorted(_FOLDER.glob("*.txt")) for passage in _read(path)]


def _read(path: Path) -> Iterator[Passage]:
    field, topic = path.stem.split("-", 1)
    for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = part.splitlines()
        points = tuple(line[2:] for line in lines if line.startswith("* "))
        text = " ".join(line for line in lines if line and not line.startswith("* "))
        yield Passage(field, topic, title, points, text)


def talks(seed: int = 11) -> list[Talk]:
    """Sixteen joined talks and four lectures, the same for the same seed."""
    everything = passages()
    chance = random.Random(seed)
    by_topic = [list(group) for _, group in groupby(everything, key=lambda passage: passage.topic)]
    joined = [Talk(f"joined {number}", "joined", _join(by_topic, chance)) for number in range(1, _JOINED + 1)]
    lectures = [
        Talk(f"lecture on {field}", "lecture", tuple((passage,) for passage in group))
        for field, group in groupby(everything, key=lambda passage: passage.field)
    ]
    return joined + lectures


def _join(by_topic: Sequence[list[Passage]], chance: random.Random) -> tuple[tuple[Passage, ...], ...]:
    chapters = []
    for topic in chance.sample(by_topic, _BLOCKS):
        length = chance.choice((1, 2, 2, 3))
        first = chance.randrange(len(topic) - length + 1)
        chapters.append(tuple(topic[first : first + length]))
    return tuple(chapters)


def transcript(talk: Talk) -> Transcript:
    """The talk as speech recognition gives it: a cue for each sentence, at an even pace."""
    whole = Transcript(
        source="speech", engine="bench", speech="some", cues=(Cue(text=" ".join(talk.words), start=0, end=0),)
    )
    return _timed([sentence.text.split() for sentence in split(whole)])


def unpunctuated(talk: Talk) -> Transcript:
    """The talk as automatic captions give it: lines of ten words without marks or capitals."""
    words = ["".join(letter for letter in word.lower() if letter.isalnum() or letter in "'-") for word in talk.words]
    return _timed([words[at : at + _CAPTION] for at in range(0, len(words), _CAPTION)])


def _timed(lines: Sequence[Sequence[str]]) -> Transcript:
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    times = [round(end * 60 / _WORDS_PER_MINUTE, 2) for end in ends]
    cues = tuple(
        Cue(text=" ".join(line), start=start, end=end)
        for line, (start, end) in zip(lines, pairwise(times), strict=True)
    )
    return Transcript(source="speech", engine="bench", speech="some", language="en", duration=times[-1], cues=cues)


def word_at(seconds: float) -> int:
    """How many words had been spoken by then."""
    return round(seconds * _WORDS_PER_MINUTE / 60)
