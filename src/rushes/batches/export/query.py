"""Exports read from the database: a batch and its items, in order, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rushes.batches.export.values import Documents, ExportedBatch, ExportedItem, RejectedLine, Rejection
from rushes.errors import UsageError
from rushes.masking import masked
from rushes.model import Artifact, BatchId, BatchStatus, ItemStatus
from rushes.queue.statements import sql
from rushes.storage import LocalStorage

if TYPE_CHECKING:
    import asyncpg
    from asyncpg import Record

PAGE = 500
"""Items that lie in memory together."""
_DOCUMENTS = {
    "metadata": "video",
    **dict.fromkeys(("transcript", "summary", "thumbnail", "script", "production", "answer")),
    **dict.fromkeys(("film", "poster", "narration", "narration_captions")),
}
"""Kinds of artifacts, and what they are called among an item's documents where that is something else."""


async def read_batch(pool: asyncpg.Pool[asyncpg.Record], batch: BatchId) -> ExportedBatch:
    """The batch itself.

    Raises:
        UsageError: there is no such batch.
    """
    row = await pool.fetchrow("select * from rushes.batches where id = $1", batch)
    if row is None:
        raise UsageError(f"there is no batch {batch}", remedy="`rushes batch list` shows those there are")
    lines = await pool.fetch("select * from rushes.lines where batch_id = $1 order by number", batch)
    counts = await pool.fetch(sql("count_items"), batch)
    return ExportedBatch(
        id=row["id"],
        name=row["name"],
        pipeline=row["pipeline"],
        status=BatchStatus(row["status"]),
        created_at=row["created_at"],
        counts={"total": row["total"], **{one["status"]: one["items"] for one in counts}},
        options={step["stage"]: step["options"] for step in row["plan"]["steps"] if step["options"]},
        lines=[
            RejectedLine(Rejection(line["verdict"]), masked(line["text"]), line["reason"], line["origin"])
            for line in lines
        ],
    )


async def read_items(
    pool: asyncpg.Pool[asyncpg.Record], storage: LocalStorage, batch: BatchId, *, only: Iterable[int] | None = None
) -> AsyncIterator[ExportedItem]:
    """The batch's items in order, whatever has become of them so far; `only` picks by position."""
    after, positions = 0, None if only is None else list(only)
    while rows := await pool.fetch(sql("export_items"), batch, after, PAGE, positions):
        ids = [row["id"] for row in rows]
        stages = _grouped(await pool.fetch(sql("export_stages"), ids))
        made = _grouped(await pool.fetch(sql("made_for_items"), ids))
        for row in rows:
            yield _item(row, stages.get(row["id"], []), made.get(row["id"], []), storage)
        after = rows[-1]["position"]


def _grouped(rows: Iterable[Record]) -> dict[int, list[Record]]:
    groups: dict[int, list[Record]] = {}
    for row in rows:
        groups.setdefault(row["item_id"], []).append(row)
    return groups


def _item(row: Record, stages: list[Record], made: list[Record], storage: LocalStorage) -> ExportedItem:
    results: Mapping[str, Any] = {stage["kind"]: stage["result"] or {} for stage in stages}
    engines = {kind: result["engine"] for kind, result in results.items() if result.get("engine")}
    costs = [engine["cost"] for engine in engines.values() if engine["cost"] is not None]
    duration = row["duration"]
    return ExportedItem(
        position=row["position"],
        given=masked(row["given"]),
        key=row["video_key"],
        status=ItemStatus(row["status"]),
        origin=row["origin"],
        reference=row["reference"],
        title=row["title"],
        skip_reason=row["skip_reason"],
        reason=row["error"],
        remedy=row["remedy"],
        error_class=row["error_class"],
        engines={kind: _engine(engine) for kind, engine in engines.items()},
        durations={stage["kind"]: round(stage["seconds"], 3) for stage in stages if stage["seconds"] is not None},
        video_duration=None if duration is None else duration.total_seconds(),
        cost=sum(costs) if costs else None,
        notes=tuple(note for result in results.values() for note in result.get("notes", ())),
        reused=tuple(kind for kind, result in results.items() if result.get("reused")),
        documents=_documents(made, storage),
    )


def _engine(engine: Mapping[str, Any]) -> str:
    return f"{engine['name']} ({engine['model']})" if engine["model"] else str(engine["name"])


def _documents(made: Iterable[Record], storage: LocalStorage) -> Documents:
    found = {}
    for row in made:
        if row["kind"] in _DOCUMENTS:
            artifact = Artifact(
                row["kind"], row["name"], row["size"], row["sha256"], row["media_type"], row["metadata"]
            )
            found[_DOCUMENTS[artifact.kind] or artifact.kind] = storage.path(artifact)
    return Documents(**found)
