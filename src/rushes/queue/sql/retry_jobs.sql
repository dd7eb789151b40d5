update rushes.jobs j set
    status = 'queued', attempts = 0, crashes = 0, run_at = null, deferred_at = null, finished_at = null,
    held = exists (select from rushes.batches b where b.id = j.batch_id and b.status = 'paused'),
    limited = exists (select from rushes.lanes l where l.name = j.lane and l.limited)
from (
    select id from rushes.jobs where id = any($1::bigint[]) and status in ('failed', 'cancelled')
    order by id for update
) ended
where j.id = ended.id
returning j.id, j.item_id
