-- What nobody has locked. Relies on jobs_live_batch.
update rushes.jobs j set held = true
from (
    select id from rushes.jobs
    where batch_id = $1 and status in ('queued', 'retrying') and not held
    order by id for update skip locked
) free
where j.id = free.id
