-- What lives on though its item was cancelled, or its batch where it has no item. Relies on jobs_live_batch.
update rushes.jobs j set
    status = 'cancelled', token = token + 1, worker_id = null, lease_until = null, held = false, progress = null,
    note = null, finished_at = now()
from (
    select l.id from rushes.jobs l
    join rushes.batches b on b.id = l.batch_id
    left join rushes.items i on i.id = l.item_id
    where
        l.batch_id = $1 and l.status in ('queued', 'processing', 'retrying')
        and coalesce(i.status, b.status) = 'cancelled'
    order by l.id for update of l
) live
where j.id = live.id
returning j.id
