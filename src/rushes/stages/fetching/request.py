"""What a fetch is asked and what it answers: the words between the stages and their yt-dlp child, as JSON."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rushes.model import Failure


class Word(BaseModel):
    """A frozen part of a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(Word):
    """How to reach the network and this machine's tools. From the settings, never from what somebody typed."""

    cookies: str | None = None
    """A Netscape cookie file. It is read, never written."""
    proxy: str | None = None
    confined: bool = False
    """The proxy is ours, and nothing else may be connected to: the item is a stranger's."""
    rate: int | None = None
    """Bytes a second."""
    ffmpeg: str | None = None
    cache: str
    """A folder for what yt-dlp may keep between runs."""
    silence: float = 20
    """Seconds that a host may say nothing."""


Media = Literal["none", "audio", "picture"]


class FetchRequest(Word):
    """Fetch one video."""

    verb: Literal["fetch"] = "fetch"
    url: str
    folder: str
    """Where files go, and where an earlier attempt may have left parts."""
    media: Media
    unless_captions: bool = False
    """No media where captions in a fitting language came with it."""
    height: int = 1080
    languages: tuple[str, ...] = ()
    limit: int = 1000
    """Videos that are taken from a page of several."""
    captions_url: str | None = None
    captions_language: str | None = None
    thumbnail_url: str | None = None
    access: Access


class ListRequest(Word):
    """List the videos of a channel, a playlist or a feed."""

    verb: Literal["list"] = "list"
    url: str
    limit: int
    since: date | None = None
    """Only what was published on that day or later; what has no date is kept."""
    include: tuple[str, ...] = ()
    """Only titles with one of these words."""
    exclude: tuple[str, ...] = ()
    """No titles with one of these words."""
    access: Access


class Entry(Word):
    """One video of a list, as the list names it."""

    url: str
    title: str | None = None
    published: str | None = None
    """ISO date."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What the list knows that the video's own address does not tell: options of the download stage."""


class Listed(Word):
    """An answer: these videos, in the list's own order."""

    single: bool = False
    """It is no list, but one video."""
    title: str | None = None
    entries: tuple[Entry, ...] = ()
    more: bool = False
    """There are more than the limit."""
    passed_over: int = 0
    """How many did not match what was asked."""
    undated: int = 0
    """How many of the entries have no date, where a date was asked."""


class FetchedCaptions(Word):
    """A caption file that was fetched."""

    path: str
    language: str
    automatic: bool
    format: str
    fits: bool
    """Its language is one that was asked for, or the video's own."""


class FetchedMedia(Word):
    """A media file that was fetched."""

    path: str
    resumed: bool
    """It goes on from a part that an earlier attempt left."""
    whole: bool
    """The server said how long it is, and that much came."""


class PublishedChapter(Word):
    """A chapter as the site names it. Seconds."""

    title: str
    start: float
    end: float


class Fetched(Word):
    """An answer: this is the video."""

    title: str
    extractor: str
    extractor_id: str
    page: str | None = None
    uploader: str | None = None
    published: str | None = None
    description: str | None = None
    duration: float | None = None
    language: str | None = None
    has_audio: bool = True
    has_picture: bool = True
    chapters: tuple[PublishedChapter, ...] = ()
    captions: tuple[FetchedCaptions, ...] = ()
    media: FetchedMedia | None = None
    thumbnail: str | None = None
    notes: tuple[str, ...] = ()


class Progress(Word):
    """Where a fetch is."""

    phase: Literal["extracting", "captions", "downloading", "merging"]
    bytes: int | None = None
    total: int | None = None
    speed: float | None = None
    """Bytes a second."""
    eta: float | None = None
    """Seconds."""
    fraction: float | None = None
    """Of all files of this video together."""


class Answer(Word):
    """One message of the child. `failure` is a `model.Failure`."""

    progress: Progress | None = None
    fetched: Fetched | None = None
    listed: Listed | None = None
    failure: Failure | None = None
