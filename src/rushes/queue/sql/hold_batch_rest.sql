-- The same, waiting for whoever holds a lock.
update rushes.jobs j set held = true
from (
    select id from rushes.jobs where batch_id = $1 and status in ('queued', 'retrying') and not held order by id for update
) free
where j.id = free.id
