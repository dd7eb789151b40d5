"""The nouns of Rushes, as frozen values. One meaning each, the same in code, database, command line and documents.

A batch holds items; an item points at a video and passes through the stages of its batch's pipeline; each stage of an
item is a job; a job runs under a lease and ends in an outcome; what a stage made is artifacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType, TypeVar, dataclass_transform

from rushes.errors import ErrorClass

BatchId = NewType("BatchId", int)
ItemId = NewType("ItemId", int)
JobId = NewType("JobId", int)
WorkerId = NewType("WorkerId", int)
"""One running process. Fresh at each start, so that a restarted worker never passes for its predecessor."""
VideoKey = NewType("VideoKey", str)
"""A video's canonical key: `youtube:ID`, `file:SHA256`, `url:SHA1`."""

JSON = Mapping[str, Any]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def light(cls: type[T]) -> type[T]:
    """A value that is made for every single job: frozen to the type checker, like the others, but not at run time.

    Frozen at run time its making takes four times as long, and with a dozen of them a job that is most of its cost.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class JobStatus(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class BatchStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trust(StrEnum):
    """Who asked: a person at their own command line, or somebody over the network."""

    LOCAL = "local"
    UNTRUSTED = "untrusted"


class Takes(StrEnum):
    """What the items of a pipeline are, by its first stage."""

    VIDEOS = "videos"
    TEXTS = "texts"
    """Files of text, and requests in words."""


class Verdict(StrEnum):
    """What a worker is told about a job that it is running."""

    GO_ON = "go_on"
    CANCELLED = "cancelled"
    LOST = "lost"


ENDED_BATCH = frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.CANCELLED})


@light
class Lease:
    """A worker's right to one job. Every write under it carries job, token and worker."""

    job_id: JobId
    token: int
    worker_id: WorkerId
    alone: bool = field(default=False, compare=False)
    """Known to be of a job in no batch: how it ends concerns nothing else."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a job runs and how long it waits in between: `base · 2^(attempts-1)`, at most `cap`."""

    max_attempts: int = 3
    base: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(minutes=10)
    jitter: float = 0.0
    """Share of the delay that is drawn at random, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a resolved pipeline: a stage with its checked options."""

    stage: str
    options: JSON = field(default_factory=dict)
    retries: Retries = field(default_factory=Retries)
    timeout: timedelta | None = None
    fetches: bool = False
    """It asks the item's host, and rests with it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved pipeline, frozen on the batch when it is made."""

    pipeline: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What an item points at, as canonical key and where to get it.

    `location` is an absolute path or a URL. `collection` marks what stands for many videos (a channel, a playlist, a feed).
    """

    key: VideoKey
    location: str
    collection: bool = False


@dataclass(frozen=True, slots=True)
class NewItem:
    """One valid line of an input."""

    source: Source
    given: str
    """The line as it was given."""
    reference: str | None = None
    """The user's own id of it, from a list's `id` column."""
    title: str | None = None
    priority: int | None = None
    options: JSON = field(default_factory=dict)
    """Options of this item alone, `{stage: {option: value}}`, checked like the batch's."""
    origin: str = ""
    """Where it stood: `list.txt:12`, or empty for an argument of its own."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a stage produced, as storage knows it."""

    kind: str
    """What it is: `media`, `captions`, `metadata`, `thumbnail`, `transcript`, `summary`, …"""
    name: str
    """Its address in storage, relative, with `/`."""
    size: int
    """Bytes."""
    sha256: str
    media_type: str = "application/octet-stream"
    metadata: JSON = field(default_factory=dict)


@light
class Job:
    """One stage of one item, or (without an item) a single piece of work of the user's own."""

    id: JobId
    kind: str
    status: JobStatus
    priority: int
    attempts: int
    max_attempts: int
    payload: JSON
    created_at: datetime
    batch_id: BatchId | None = None
    item_id: ItemId | None = None
    step: int | None = None
    """Which entry of its batch's plan it is."""
    video_id: str | None = None
    """The video's canonical key, or for a job without an item whatever its maker called it."""
    error_class: ErrorClass | None = None
    error: str | None = None
    progress: float | None = None
    note: str | None = None
    run_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error_details: JSON | None = None
    """Of a failure, for the curious: a bug's traceback, what a stage added, the remedy."""
    dedup_key: str | None = None
    github_workflow_run_id: str | None = None
    value: Any = None
    """What its stage returned for whoever enqueued it, once it is completed."""

    @property
    def job_type(self) -> str:
        """The kind."""
        return self.kind

    @property
    def error_message(self) -> str | None:
        """Why it failed the last time."""
        return self.error

    @property
    def queued_at(self) -> datetime:
        """Since when it waits, or from when on: when it was made, or for a retry and a scheduled job when it is due."""
        return self.run_at or self.created_at


@dataclass(frozen=True, slots=True)
class Facts:
    """What a stage learnt about the video itself. Empty fields change nothing."""

    title: str | None = None
    duration: timedelta | None = None
    aliases: tuple[VideoKey, ...] = ()
    """Other keys of the same video, such as the extractor's own id."""


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Engine:
    """What did the work, with its price: named in every result."""

    name: str
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """US dollars, where the model's price is known."""


@light
class Produced:
    """A finished run of a stage, as settled."""

    artifacts: tuple[Artifact, ...] = ()
    fingerprint: str | None = None
    """The identity under which a later run may reuse the artifacts."""
    facts: Facts = NO_FACTS
    engine: Engine | None = None
    notes: tuple[str, ...] = ()
    """For the reader: fall-backs taken, and whatever else they should know."""
    reused: bool = False
    items: tuple[NewItem, ...] = ()
    """Found videos that join the batch. A run that finds any ends its own item as skipped (`expanded`)."""
    search_text: tuple[tuple[float, str], ...] = ()
    """Passages for the full-text index: (seconds, text)."""
    value: Any = None
    """What the job came to, as JSON, for whoever enqueued it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed."""

    error_class: ErrorClass
    message: str
    remedy: str | None = None
    environment: bool = False
    retry_after: timedelta | None = None
    details: JSON = field(default_factory=dict)
    stage: str | None = None
    """Which of an item's stages it was, where they run in turn."""


@light
class Outcome:
    """What a run of a job came to: `produced` or `failure`; neither means that it was given back, uncounted."""

    lease: Lease
    produced: Produced | None = None
    failure: Failure | None = None
