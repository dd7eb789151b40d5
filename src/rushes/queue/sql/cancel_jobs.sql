-- Terminal at once: the token grows, so that a worker still at it can no longer write.
update rushes.jobs j set
    status = 'cancelled', token = token + 1, worker_id = null, lease_until = null, held = false, progress = null,
    note = null, finished_at = now()
from (
    select id from rushes.jobs where id = any($1::bigint[]) and status in ('queued', 'processing', 'retrying')
    order by id for update
) live
where j.id = live.id
returning j.id, j.item_id
