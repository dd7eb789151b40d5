"""What the database knows already of videos that a list names: how long they are, and how long stages took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rushes.batches.estimate import Rate, Rates
from rushes.model import Artifact, VideoKey

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

ENOUGH = 3
"""Runs of a stage, before what they took is taken for a rate."""

# An alias is another key of the same video.
_DURATIONS = """
select k.key, v.duration
from unnest($1::text[]) as k (key)
left join rushes.video_aliases a on a.alias = k.key
join rushes.videos v on v.key = coalesce(a.key, k.key)
"""

_MADE = """
select f.fingerprint, a.kind, a.name, a.size, a.sha256, a.media_type, a.metadata
from unnest($1::text[]) as f (fingerprint)
cross join lateral (
    select max(job_id) as job_id from rushes.artifacts n where n.fingerprint = f.fingerprint
) newest
join rushes.artifacts a on a.fingerprint = f.fingerprint and a.job_id = newest.job_id
order by a.id
"""

# The newest runs alone: machines and models change. Files are not fetched, so theirs is another rate. Where a language
# model is going to work, only its own runs count; elsewhere none of any.
_HISTORY = """
with run as (
    select
        j.kind,
        coalesce(j.video_id like 'file:%', false) as is_file,
        extract(epoch from j.finished_at - j.started_at)::float8 as seconds,
        extract(epoch from v.duration)::float8 / 3600 as hours,
        (j.result -> 'engine' ->> 'cost')::float8 as cost,
        case when (j.result -> 'engine' ->> 'input_tokens')::bigint > 0 then j.result -> 'engine' ->> 'model' end as model
    from (
        select * from rushes.jobs
        where status = 'completed' and kind = any($1::text[]) and started_at is not null
        order by id desc limit 500
    ) j
    left join rushes.videos v on v.key = j.video_id
    where not coalesce((j.result ->> 'reused')::boolean, false)
)
select
    r.kind, r.is_file, count(*) as runs, avg(r.seconds) as per_item,
    sum(r.seconds) filter (where r.hours > 0) / sum(r.hours) filter (where r.hours > 0) as per_hour,
    sum(coalesce(r.cost, 0)) filter (where r.hours > 0 and (r.model is null or r.cost is not null))
        / sum(r.hours) filter (where r.hours > 0 and (r.model is null or r.cost is not null)) as cost_per_hour
from run r
join unnest($1::text[], $2::text[]) as w (kind, model) on w.kind = r.kind
where w.model is not distinct from r.model or w.model like '%:' || r.model
group by r.kind, r.is_file
"""


async def durations(connection: Connection, keys: Sequence[VideoKey]) -> dict[str, timedelta | None]:
    """The known videos among these, with their lengths where those are known too."""
    return {row["key"]: row["duration"] for row in await connection.fetch(_DURATIONS, keys)}


async def made(connection: Connection, fingerprints: Sequence[str]) -> Mapping[str, list[Artifact]]:
    """What the newest run under each of these identities made."""
    found: dict[str, list[Artifact]] = {}
    for row in await connection.fetch(_MADE, fingerprints):
        found.setdefault(row["fingerprint"], []).append(
            Artifact(row["kind"], row["name"], row["size"], row["sha256"], row["media_type"], row["metadata"])
        )
    return found


async def history(connection: Connection, models: Mapping[str, str | None]) -> Rates:
    """What stages took here of late, where they ran often enough.

    Args:
        connection: to the database.
        models: the stages, each with the language model that it is going to use, `provider:name`.
    """
    everything: dict[str, Rate] = {}
    files: dict[str, Rate] = {}
    for row in await connection.fetch(_HISTORY, list(models), list(models.values())):
        if row["runs"] >= ENOUGH:
            into = files if row["is_file"] else everything
            basis = f"the last {row['runs']} runs here"
            into[row["kind"]] = Rate(basis, row["per_hour"], row["per_item"], row["cost_per_hour"])
    return Rates(everything, files)
