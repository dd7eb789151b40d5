-- The same for one batch ($6). Relies on jobs_ready_batch (batch_id, kind, priority desc, id).
with wanted as (
    select w.kind, w.slots
    from unnest($1::text[], $2::integer[]) as w (kind, slots)
    where not exists (select from rushes.pauses p where p.kind in ('*', w.kind))
), picked as (
    select ready.id
    from wanted
    cross join lateral (
        select j.id
        from rushes.jobs j
        where
            j.batch_id = $6::bigint and j.kind = wanted.kind and j.status = 'queued' and not j.held and not j.limited
            and (j.host is null or j.host = $5)
        order by j.priority desc, j.id
        limit wanted.slots
        for update skip locked
    ) ready
)
update rushes.jobs j set
    status = 'processing', attempts = attempts + 1, token = token + 1, worker_id = $3, lease_until = now() + $4::interval,
    started_at = now(), progress = null, note = null, error_class = null, error = null, error_details = null
from picked
where j.id = picked.id
returning j.*
