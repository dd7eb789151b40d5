"""The offline script: sentences of the material, word for word, in its order. It needs no model and no network.

What fits the wished length is said whole. Of a longer text the most telling sentences are kept, by the ranking that
summaries use, so many of each section as it is long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

from rushes.clock import clock
from rushes.documents import Script, ScriptSection
from rushes.text import boundaries
from rushes.text.phrases import Phrase, Phrases, headline
from rushes.text.ranking import Ranking
from rushes.text.scripts.glance import at_a_glance
from rushes.text.scripts.material import Material
from rushes.text.scripts.request import ScriptRequest, speaking_time

ENGINE: Literal["offline"] = "offline"
NOTE = "The script was made without a language model: every sentence stands so in the {kind}."
SHORTENED = "It says {said} of {all} sentences, to last about {length}: set `generate.seconds` for more or less."
UNUSED = "Without a language model these were not used: {names}."
_OVER = 1.1
"""By how much a text may be longer than wished and is still said whole."""
_SLIDE = 75
"""Words that are said over one slide, half a minute."""
_LONGEST_HOOK = 45
_MOST_SECTIONS, _MOST_HEADINGS = 40, 60
_POINTS, _TAKEAWAYS = 3, 3
_ENOUGH_FOR_HOOK, _ENOUGH_FOR_TAKEAWAYS = 3, 8
"""Sentences."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the material: sentences `first` to `last` - 1, under its own title or none."""

    title: str | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Told:
    """A part, and which of its sentences are said."""

    part: _Part
    kept: list[int]


def script(request: ScriptRequest) -> Script:
    """Make a script of the request's material. The same material and length give the same script."""
    assert request.material, "without material there is nothing to quote"
    return _Extract(request, request.material).script()


class _Extract:
    """One piece of material, read once."""

    def __init__(self, request: ScriptRequest, material: Material) -> None:
        self._request = request
        self._material = material
        self._sentences = material.sentences
        self._ranking = Ranking(material.sentences, material.lexicon)
        self._phrases = Phrases([sentence.text for sentence in material.sentences], material.lexicon)
        self._whole = material.words <= _OVER * request.words

    def script(self) -> Script:
        hook = self._hook()
        parts = list(self._parts())
        words = sum(map(self._words, parts))
        told = [one for part in parts if (one := self._told(part, hook, self._request.words / words)).kept]
        kept = [at for one in told for at in one.kept]
        # A summary says nothing twice.
        closes = self._material.kind == "text" and len(kept) >= _ENOUGH_FOR_TAKEAWAYS
        takeaways = self._best(_TAKEAWAYS, kept) if closes else []
        return Script(
            title=self._title(),
            hook=self._prose(hook),
            sections=tuple(self._sections(told)),
            takeaways=tuple(self._sentences[at].text for at in takeaways),
            sources=tuple(self._material.origins[at] for at in (*hook, *takeaways)),
            query=self._request.query,
            language=self._material.lexicon.language,
            engine=ENGINE,
            notes=tuple(self._notes(len(hook) + len(kept))),
        )

    def _hook(self) -> list[int]:
        """What is said first: how the text begins, or of a shortened one what it intends or says above all."""
        if len(self._sentences) < _ENOUGH_FOR_HOOK:
            return []
        if self._whole:
            return self._opening()
        intent = self._ranking.intent()
        return self._ranking.best(1) if intent is None else [intent]

    def _opening(self) -> list[int]:
        """What stands above the first heading, if that is short, else the first sentence."""
        above = self._material.headings[0][0] if self._material.headings else 0
        short = self._words(_Part(None, 0, above)) <= _LONGEST_HOOK
        return list(range(above)) if above and short else [0]

    def _parts(self) -> Iterator[_Part]:
        """The parts between headings, long ones divided where the subject changes."""
        headed = list(self._headed())
        wanted = min(self._material.words, self._request.words) / _SLIDE
        most = max(1, min(_MOST_SECTIONS, round(wanted)))
        if len(headed) > most and not self._whole:
            longest = sorted(headed, key=self._words, reverse=True)[:most]
            headed = [part for part in headed if part in longest]
        words = sum(map(self._words, headed))
        for part in headed:
            yield from self._divided(part, round(min(wanted, _MOST_SECTIONS) * self._words(part) / words))

    def _headed(self) -> Iterator[_Part]:
        """The parts under headings; of very many some share one."""
        parts = list(self._under_headings())
        together = -(-len(parts) // _MOST_HEADINGS)
        for at in range(0, len(parts), together):
            yield _Part(parts[at].title, parts[at].first, parts[at : at + together][-1].last)

    def _under_headings(self) -> Iterator[_Part]:
        headings = self._material.headings
        opening: list[tuple[int, str | None]] = [] if headings and headings[0][0] == 0 else [(0, None)]
        end: tuple[int, str | None] = (len(self._sentences), None)
        for (first, title), (last, _) in pairwise([*opening, *headings, end]):
            yield _Part(title, first, last)

    def _divided(self, part: _Part, count: int) -> Iterator[_Part]:
        cuts: list[int] = []
        if count > 1:
            within = boundaries.find(self._sentences[part.first : part.last], self._material.lexicon, count)
            cuts = [part.first + cut for cut in within]
        for first, last in pairwise([part.first, *cuts, part.last]):
            yield _Part(part.title if first == part.first else None, first, last)

    def _told(self, part: _Part, hook: Sequence[int], share: float) -> _Told:
        """What is said of a part: all of it, or of its words that share."""
        among = [at for at in range(part.first, part.last) if at not in hook]
        if self._whole or not among:
            return _Told(part, among)
        enough = round(2 * share * (part.last - part.first)) + 1
        best = self._ranking.best_within(part.first, part.last, enough, taken=hook)
        words = accumulate(self._sentences[at].words for at in best)
        kept = [at for at, so_far in zip(best, words, strict=True) if so_far <= share * self._words(part)]
        return _Told(part, sorted(kept or best[:1]))

    def _sections(self, told: Sequence[_Told]) -> Iterator[ScriptSection]:
        used: set[Phrase] = set()
        for number, one in enumerate(told, 1):
            said = [self._sentences[at] for at in one.kept]
            yield ScriptSection(
                title=one.part.title or self._phrases.title(one.part.first, one.part.last, used) or f"Part {number}",
                narration=self._prose(one.kept),
                points=tuple(at_a_glance(self._sentences[at].text) for at in self._best(_POINTS, one.kept)),
                seconds=speaking_time(sum(sentence.words for sentence in said)),
                sources=tuple(self._material.origins[at] for at in one.kept),
            )

    def _best(self, limit: int, among: Sequence[int]) -> list[int]:
        return sorted(self._ranking.best(limit, among=among))

    def _title(self) -> str:
        topics = [headline(topic) for topic in self._phrases.topics(2)]
        return self._material.title or " / ".join(topics) or "Untitled"

    def _prose(self, chosen: Sequence[int]) -> str:
        return " ".join(self._sentences[at].text for at in chosen)

    def _words(self, part: _Part) -> int:
        return sum(sentence.words for sentence in self._sentences[part.first : part.last])

    def _notes(self, said: int) -> Iterator[str]:
        yield NOTE.format(kind=self._material.kind)
        if said < len(self._sentences):
            length = clock(self._request.seconds)
            yield SHORTENED.format(said=said, all=len(self._sentences), length=length)
        request = self._request
        unused = {"query": request.query, "audience": request.audience, "interest": request.interest}
        if names := [name for name, value in unused.items() if value]:
            yield UNUSED.format(names=", ".join(names))
        yield from self._material.notes
