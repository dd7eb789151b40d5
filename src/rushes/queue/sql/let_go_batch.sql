-- In the order of ids, as everybody locks jobs. Relies on jobs_live_batch.
update rushes.jobs j set held = false
from (
    select id from rushes.jobs where batch_id = $1 and status in ('queued', 'retrying') and held order by id for update
) waiting
where j.id = waiting.id
