"""What an item came to, for whoever has no database of ours: a table's row, a message. One shape for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rushes.clock import clock
from rushes.documents import Document, Production, Script, Summary, Transcript, VideoDocument
from rushes.model import Artifact, Engine, ItemStatus, Outcome, Produced
from rushes.sources.base import Assignment
from rushes.storage import LocalStorage

_DOCUMENTS: Mapping[str, type[Document]] = {
    "metadata": VideoDocument, "transcript": Transcript, "summary": Summary, "script": Script, "production": Production,
}  # fmt: skip
"""Kinds of artifacts that are told whole; of the others it is told where they are."""
_TOLD_AS = {"metadata": "video"}


@dataclass(frozen=True, slots=True)
class ItemResult:
    """An item that has ended, completed or failed."""

    status: ItemStatus
    text: str | None = None
    """The principal thing that was made, to be read: what a processor answered, a script, a summary, a transcript."""
    title: str | None = None
    duration: float | None = None
    """Seconds, of the video."""
    value: Any = None
    """What the last stage returned, as JSON."""
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`video`, `transcript`, `summary`, `script`, `production`: those that were made, as JSON."""
    artifacts: Sequence[Mapping[str, Any]] = ()
    """Every file: its kind, its name in storage, its size in bytes and its hash."""
    engine: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """US dollars, where known."""
    notes: Sequence[str] = ()
    error_class: str | None = None
    error: str | None = None
    remedy: str | None = None
    questions: Sequence[str] = ()
    """What has to be answered so that it can be done, where that is why it failed."""
    attempts: int = 1

    def as_json(self) -> dict[str, Any]:
        """Every field, always in the same order."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **told,
            "status": self.status.value,
            "documents": dict(self.documents),
            "notes": list(self.notes),
            "questions": list(self.questions),
            "artifacts": list(self.artifacts),
        }


def result_of(assignment: Assignment, outcome: Outcome, storage: LocalStorage) -> ItemResult:
    """What an outcome says of its item. Reads the documents that were made: call it in a thread if there may be any."""
    job = assignment.job
    if outcome.produced is None:
        failure = outcome.failure
        assert failure, "what is given back has no result"
        return ItemResult(
            ItemStatus.FAILED, title=assignment.title, error_class=failure.error_class.value,
            error=failure.message, remedy=failure.remedy, questions=tuple(failure.details.get("questions", ())),
            attempts=job.attempts,
        )  # fmt: skip
    made = outcome.produced
    documents = _read(made.artifacts, storage) if made.artifacts else {}
    engine = made.engine
    duration = made.facts.duration
    return ItemResult(
        ItemStatus.COMPLETED,
        text=_text(made, documents),
        title=made.facts.title or assignment.title or _titled(documents),
        duration=duration.total_seconds() if duration else None,
        value=made.value,
        documents={_TOLD_AS.get(kind, kind): document.shown() for kind, document in documents.items()},
        artifacts=[_described(one) for one in made.artifacts],
        engine=_named(engine) if engine else None,
        input_tokens=engine.input_tokens if engine else 0,
        output_tokens=engine.output_tokens if engine else 0,
        cost=engine.cost if engine else None,
        notes=made.notes,
        attempts=job.attempts,
    )


def _named(engine: Engine) -> str:
    return f"{engine.name} ({engine.model})" if engine.model else engine.name


def _read(artifacts: Sequence[Artifact], storage: LocalStorage) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    for artifact in artifacts:
        if artifact.kind in _DOCUMENTS:
            documents[artifact.kind] = _DOCUMENTS[artifact.kind].read(storage.path(artifact))
    return documents


def _described(artifact: Artifact) -> Mapping[str, Any]:
    return {
        "kind": artifact.kind, "name": artifact.name, "size": artifact.size, "sha256": artifact.sha256,
        "media_type": artifact.media_type,
    }  # fmt: skip


def _titled(documents: Mapping[str, Document]) -> str | None:
    script = documents.get("script")
    return script.title if isinstance(script, Script) else None


def _text(made: Produced, documents: Mapping[str, Document]) -> str | None:
    script = documents.get("script")
    if isinstance(script, Script):
        return "\n\n".join((script.title, *script.passages))
    if made.value is not None:
        return made.value if isinstance(made.value, str) else json.dumps(made.value, ensure_ascii=False)
    summary, transcript = documents.get("summary"), documents.get("transcript")
    if isinstance(summary, Summary):
        return _in_words(summary)
    return transcript.text if isinstance(transcript, Transcript) else None


def _in_words(summary: Summary) -> str:
    parts = [summary.title, summary.overview]
    parts.append("\n".join(f"- {clock(point.start)} {point.text}" for point in summary.key_points))
    parts.append("\n".join(f"{clock(chapter.start)} {chapter.title}" for chapter in summary.chapters))
    return "\n\n".join(filter(None, parts))
