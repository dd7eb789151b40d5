"""What is shown of one item, in reading order: the one page that Markdown, HTML and PDF each draw in their own way.

Its texts are cleaned but not escaped: only the writer of a format knows what its markup is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rushes.batches.export import links, words
from rushes.batches.export.telling import NOTHING, Plays, Told, told
from rushes.batches.export.values import ExportedItem, Loaded
from rushes.clock import clock
from rushes.documents import Chapter, Cue, Insights, Summary, Transcript, VideoDocument
from rushes.shortening import shortened

_PASSAGE_SECONDS = 60.0
_PASSAGE_CHARACTERS = 600
_SOURCES = {
    "captions": "the publisher's captions",
    "automatic_captions": "the platform's automatic captions",
    "speech": "speech recognition",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A second of the video, as it is read and as it is linked."""

    seconds: float
    clock: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Point:
    moment: Moment
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter."""

    moment: Moment
    title: str
    lasting: str
    points: tuple[str, ...]
    share: tuple[float, float]
    """Where it lies in the video: start and length, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences of the transcript; `heading` where a chapter begins with them."""

    moment: Moment
    text: str
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Essay:
    """The insights template: a video told as a chapter of a book."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    """Heading and paragraphs."""
    technologies: tuple[str, ...]
    steps: tuple[str, ...]
    addresses: tuple[tuple[str, str, str | None], ...]
    """Label, address as text, link."""
    answers: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """How one stage came to its result."""

    stage: str
    how: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is shown of one item."""

    position: int
    title: str
    state: str
    given: str
    because: str | None = None
    remedy: str | None = None
    deck: str | None = None
    """The summary's own title, where it differs."""
    byline: tuple[str, ...] = ()
    length: str = ""
    """The video's, as a clock; empty where unknown."""
    language: str | None = None
    link: str | None = None
    thumbnail: bytes | None = None
    overview: tuple[str, ...] = ()
    """What it comes to: the summary's overview, or what a service answered."""
    points: tuple[Point, ...] = ()
    sections: tuple[Section, ...] = ()
    topics: tuple[str, ...] = ()
    essay: Essay | None = None
    transcript: tuple[Passage, ...] = ()
    transcript_words: int = 0
    summarized: bool = False
    script: Told | None = None
    plays: Plays = NOTHING
    """What the page can play; nothing where it stands alone, without files beside it."""
    made: tuple[Made, ...] = ()
    notes: tuple[str, ...] = field(default=())


def page(item: ExportedItem, loaded: Loaded) -> Page:
    """Lay out what is known of an item."""
    link = links.watch(item, loaded.video)
    summary, transcript = loaded.summary, loaded.transcript
    title = title_of(item, loaded)
    chapters = chapters_of(loaded)
    duration = _duration(item, loaded)
    length = clock(duration) if duration else ""
    return Page(
        position=item.position,
        title=title,
        state=words.state(item),
        given=words.clean(item.given),
        because=words.because(item),
        remedy=words.clean(item.remedy) if item.remedy else None,
        deck=_deck(title, summary),
        byline=tuple(_byline(loaded.video, length)),
        length=length,
        language=_language(loaded),
        link=link,
        thumbnail=loaded.thumbnail,
        overview=words.paragraphs(summary.overview if summary else loaded.answer.text if loaded.answer else ""),
        points=tuple(Point(_moment(each.start, link), words.clean(each.text)) for each in summary.key_points)
        if summary
        else (),
        sections=sections(chapters, link, duration),
        topics=tuple(map(words.clean, summary.topics)) if summary else (),
        essay=_essay(summary.insights) if summary and summary.insights else None,
        transcript=tuple(_passages(transcript, chapters, link)) if transcript else (),
        transcript_words=transcript.words if transcript else 0,
        summarized=summary is not None,
        script=told(loaded.script, loaded.production) if loaded.script else None,
        made=tuple(_made(item)),
        notes=tuple(dict.fromkeys(filter(None, map(words.clean, _notes(item, loaded))))),
    )


def title_of(item: ExportedItem, loaded: Loaded) -> str:
    """What the item is called: its own title, else the video's or the script's, else the line as it was given."""
    video, script = loaded.video, loaded.script
    titles = (item.title, video.title if video else None, script.title if script else None, item.given, item.key)
    return shortened(next((title for title in map(words.clean, filter(None, titles)) if title), item.key))


def chapters_of(loaded: Loaded) -> tuple[Chapter, ...]:
    """The summary's chapters, else the publisher's."""
    if loaded.summary and loaded.summary.chapters:
        return loaded.summary.chapters
    return loaded.video.chapters if loaded.video else ()


def sections(chapters: Iterable[Chapter], link: str | None, duration: float) -> tuple[Section, ...]:
    """Chapters as they are shown, with their place in a video that lasts so many seconds."""
    found = tuple(chapters)
    whole = max([duration, *(chapter.end for chapter in found), 1.0])
    return tuple(
        Section(
            moment=_moment(chapter.start, link),
            title=words.clean(chapter.title) or "Untitled",
            lasting=words.lasting(max(chapter.end - chapter.start, 0)),
            points=tuple(map(words.clean, chapter.points)),
            share=(chapter.start / whole, max(chapter.end - chapter.start, 0) / whole),
        )
        for chapter in found
    )


def _moment(seconds: float, link: str | None) -> Moment:
    return Moment(seconds, clock(seconds), links.at(link, seconds) if link else None)


def _duration(item: ExportedItem, loaded: Loaded) -> float:
    said = (loaded.video.duration if loaded.video else None, loaded.transcript.duration if loaded.transcript else None)
    return item.video_duration or next(filter(None, said), 0.0)


def _language(loaded: Loaded) -> str | None:
    for document in (loaded.summary, loaded.transcript, loaded.video, loaded.script):
        if document and document.language:
            return words.clean(document.language)
    return None


def _deck(title: str, summary: Summary | None) -> str | None:
    deck = shortened(words.clean(summary.title)) if summary else ""
    return deck if deck and deck.casefold() != title.casefold() else None


def _byline(video: VideoDocument | None, length: str) -> Iterator[str]:
    facts = (video.uploader, video.published, length) if video else (length,)
    yield from map(words.clean, filter(None, facts))


def _passages(transcript: Transcript, chapters: tuple[Chapter, ...], link: str | None) -> Iterator[Passage]:
    """Group cues into passages of about a minute; a chapter begins a new one."""
    ahead = list(reversed(chapters))
    heading: str | None = None
    group: list[Cue] = []
    for cue in transcript.cues:
        begins = None
        while ahead and ahead[-1].start <= cue.start + 0.5:
            begins = words.clean(ahead.pop().title)
        if group and (begins or _is_full(group, cue)):
            yield _passage(group, heading, link)
            group, heading = [], None
        heading = begins or heading
        group.append(cue)
    if group:
        yield _passage(group, heading, link)


def _is_full(group: list[Cue], cue: Cue) -> bool:
    return cue.end - group[0].start > _PASSAGE_SECONDS or sum(len(each.text) for each in group) > _PASSAGE_CHARACTERS


def _passage(group: list[Cue], heading: str | None, link: str | None) -> Passage:
    return Passage(_moment(group[0].start, link), words.clean(" ".join(cue.text for cue in group)), heading)


def _essay(insights: Insights) -> Essay:
    parts = (("Introduction", insights.introduction_context), ("What it builds", insights.what_will_build))
    addresses = (("Source code", insights.source_code_url), ("Demo", insights.demo_url))
    return Essay(
        title=words.clean(insights.chapter_title),
        parts=tuple((heading, words.paragraphs(text)) for heading, text in parts if text.strip()),
        technologies=tuple(map(words.clean, insights.technologies_and_services)),
        steps=tuple(map(words.clean, insights.how_we_did_it)),
        addresses=tuple((label, words.clean(text), links.web(text)) for label, text in addresses if text.strip()),
        answers=tuple(Answered(words.clean(each.question), words.clean(each.answer)) for each in insights.qa_segment),
    )


def _made(item: ExportedItem) -> Iterator[Made]:
    for stage in dict.fromkeys([*item.engines, *item.durations, *item.reused]):
        how = [words.clean(item.engines[stage])] if stage in item.engines else []
        if stage in item.reused:
            how.append("made in an earlier run")
        elif stage in item.durations:
            how.append(words.lasting(item.durations[stage]))
        yield Made(words.clean(stage), ", ".join(how))
    if item.cost is not None:
        yield Made("cost", words.dollars(item.cost))


def _notes(item: ExportedItem, loaded: Loaded) -> Iterator[str]:
    yield from item.notes
    if loaded.transcript:
        yield from _about(loaded.transcript)
    for document in (loaded.video, loaded.transcript, loaded.summary, loaded.script):
        yield from document.notes if document else ()
    yield from loaded.missing


def _about(transcript: Transcript) -> Iterator[str]:
    if transcript.speech == "none":
        yield "Nobody speaks in this video."
    else:
        yield f"The transcript comes from {_SOURCES[transcript.source]}."
    if transcript.agreement is not None:
        yield f"Captions and speech recognition agree in {transcript.agreement:.0%} of the words."
