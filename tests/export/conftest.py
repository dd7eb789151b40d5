"""Batches to export: items with real document files, plain and hostile."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from rushes.batches.export import Documents, ExportedBatch, ExportedItem, Format, RejectedLine, Rejection, write_export
from rushes.documents import Cue, Insights, Question, Summary, Transcript, VideoDocument
from rushes.model import BatchStatus, ItemStatus

HOSTILE = (
    '<script>alert("x")</script> <img src=x onerror=alert(1)> \u202egnp.exe\u202c [link](javascript:alert(1)) '
    "**bold** _em_ `code` # | &amp; $x$ ~~no~~ 👩‍👩‍👧 日本語 مرحبا\x07 {{ 7*7 }} {% if %} ../../etc/passwd"
)
SENTENCES = (
    "A queue that loses work is worse than none at all.",
    "A lease is a right to one job until a time.",
    "When a worker comes back late, its outcome is refused.",
    "So the record is written exactly once.",
)


class MakeItem(Protocol):
    def __call__(self, position: int, title: str = ..., *, text: str | None = ..., **facts: object) -> ExportedItem: ...


def make_video(title: str, **facts: object) -> VideoDocument:
    known = {
        "url": "https://talks.example.org/v/1",
        "uploader": "Evenings",
        "published": "2026-05-22",
        "duration": 400.0,
    }
    return VideoDocument.model_validate({"key": "youtube:dQw4w9WgXcQ", "title": title, **known, **facts})


def make_transcript(text: str | None = None, cues: int = 40) -> Transcript:
    said = [text or SENTENCES[number % 4] for number in range(cues)]
    return Transcript(
        source="speech",
        engine="faster-whisper 1.2.1",
        model="tiny.en",
        language="en",
        duration=cues * 10.0,
        speech="some",
        cues=tuple(Cue(text=each, start=number * 10.0, end=number * 10.0 + 9) for number, each in enumerate(said)),
    )


def make_summary(title: str, text: str | None = None, **facts: object) -> Summary:
    known = {
        "overview": text or f"{SENTENCES[0]}\n\n{SENTENCES[1]}",
        "key_points": [{"text": text or SENTENCES[2], "start": 83.4}],
        "chapters": [
            {"title": text or "Losing work", "start": 0, "end": 130.2, "points": [text or SENTENCES[3]]},
            {"title": text or "Leases", "start": 130.2, "end": 400},
        ],
        "topics": [text or "leases", "queues"],
        "length": "detailed",
        "engine": "offline",
        "notes": [text or "Key sentences (offline)."],
    }
    return Summary.model_validate({"title": title, **known, **facts})


def make_insights(text: str) -> Insights:
    return Insights(
        chapter_title=text,
        introduction_context=text,
        what_will_build=text,
        technologies_and_services=(text,),
        how_we_did_it=(text, "Then fence it."),
        source_code_url="https://code.example.org/queue",
        demo_url="javascript:alert(1)",
        qa_segment=(Question(question=text, answer=text),),
    )


def picture(colour: str = "teal") -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 36), colour).save(out, "JPEG")
    return out.getvalue()


def write_documents(
    folder: Path,
    *,
    video: VideoDocument | None = None,
    transcript: Transcript | None = None,
    summary: Summary | None = None,
    thumbnail: bytes | None = None,
) -> Documents:
    """Write the documents as a stage would; what is None is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for document, name in ((video, "video.json"), (transcript, "transcript.json"), (summary, "summary.json")):
        if document:
            document.write(folder / name)
    if thumbnail:
        (folder / "thumbnail").write_bytes(thumbnail)
    return Documents(
        video=folder / "video.json" if video else None,
        transcript=folder / "transcript.json" if transcript else None,
        summary=folder / "summary.json" if summary else None,
        thumbnail=folder / "thumbnail" if thumbnail else None,
    )


@pytest.fixture
def make_item(tmp_path: Path) -> MakeItem:
    """An item that came out well, with all its documents; `text` puts the same text into every field."""

    def make(position: int, title: str = "A talk", *, text: str | None = None, **facts: object) -> ExportedItem:
        documents = write_documents(
            tmp_path / "storage" / str(position),
            video=make_video(title, **({"uploader": text, "description": text} if text else {})),
            transcript=make_transcript(text),
            summary=make_summary(title, text),
            thumbnail=picture(),
        )
        item = ExportedItem(
            position=position,
            given=text or f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&n={position}",
            key="youtube:dQw4w9WgXcQ",
            status=ItemStatus.COMPLETED,
            origin=f"talks.txt:{position}",
            title=title,
            engines={"transcribe": "faster-whisper 1.2.1 (tiny.en)", "summarize": text or "offline"},
            durations={"transcribe": 32.4, "summarize": 0.12},
            cost=0.0123,
            notes=(text,) if text else (),
            documents=documents,
        )
        return replace(item, **facts)  # type: ignore[arg-type]

    return make


def failed(position: int, reason: str | None = "talks.example.org answered 404", **facts: object) -> ExportedItem:
    item = ExportedItem(
        position=position,
        given=f"https://talks.example.org/v/{position}",
        key=f"url:{position:040}",
        status=ItemStatus.FAILED,
        reason=reason,
        error_class="permanent",
    )
    return replace(item, **facts)  # type: ignore[arg-type]


def waiting(position: int) -> ExportedItem:
    return failed(position, status=ItemStatus.PENDING, reason=None, error_class=None)


def batch_of(
    items: Iterable[ExportedItem],
    *,
    lines: Iterable[RejectedLine] = (),
    name: str = "Evening talks",
    status: BatchStatus = BatchStatus.COMPLETED,
) -> ExportedBatch:
    counts = Counter(str(item.status) for item in items)
    return ExportedBatch(
        id=7,
        name=name,
        pipeline="summarize",
        status=status,
        created_at=datetime(2026, 5, 22, 20, 14, tzinfo=UTC),
        counts={"total": counts.total(), **counts},
        options={"summarize": {"length": "detailed"}},
        lines=list(lines),
    )


def rejected() -> list[RejectedLine]:
    return [
        RejectedLine(Rejection.INVALID, "htp:/nowhere", "not a URL and no such file", "talks.txt:3"),
        RejectedLine(
            Rejection.DUPLICATE, "https://youtu.be/dQw4w9WgXcQ", "the same video as talks.txt:1", "talks.txt:5"
        ),
    ]


async def one_by_one(items: Iterable[ExportedItem]) -> AsyncIterator[ExportedItem]:
    for item in items:
        yield item


async def export(form: Format, items: Iterable[ExportedItem], **facts: object) -> bytes:
    """The items exported, as bytes. `facts` are those of the batch."""
    listed = list(items)
    out = io.BytesIO()
    await write_export(form, batch_of(listed, **facts), one_by_one(listed), out)  # type: ignore[arg-type]
    return out.getvalue()


def everything(make_item: MakeItem) -> list[ExportedItem]:
    """One of each kind of item."""
    return [
        make_item(1, "Queues that never lose work"),
        make_item(2, HOSTILE, text=HOSTILE),
        failed(3, reason=HOSTILE, remedy="Use `--set download.cookies=firefox`."),
        waiting(4),
        make_item(5, "A very long title " * 280),
        failed(6, status=ItemStatus.SKIPPED, skip_reason="expanded", reason=None, error_class=None),
        make_item(7, "Done before", status=ItemStatus.SKIPPED, skip_reason="already_done", reused=("transcribe",)),
    ]
