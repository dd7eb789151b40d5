-- Terminal at once, like cancel_jobs. Relies on jobs_live_batch.
update rushes.jobs j set
    status = 'cancelled', token = token + 1, worker_id = null, lease_until = null, held = false, progress = null,
    note = null, finished_at = now()
from (
    select id from rushes.jobs where batch_id = $1 and status in ('queued', 'processing', 'retrying')
    order by id for update
) live
where j.id = live.id
returning j.id
