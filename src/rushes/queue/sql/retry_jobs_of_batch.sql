-- The failed job of each failed item, of the wanted classes of error (null: all).
update rushes.jobs j set
    status = 'queued', attempts = 0, crashes = 0, run_at = null, deferred_at = null, finished_at = null,
    held = exists (select from rushes.batches b where b.id = j.batch_id and b.status = 'paused'),
    limited = exists (select from rushes.lanes l where l.name = j.lane and l.limited)
from (
    select f.id from rushes.jobs f
    join rushes.items i on i.id = f.item_id
    where
        f.batch_id = $1 and f.status = 'failed' and i.status = 'failed'
        and ($2::text[] is null or i.error_class = any($2))
    order by f.id for update of f
) failed
where j.id = failed.id
returning j.id, j.item_id
