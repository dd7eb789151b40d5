select id from rushes.jobs where batch_id = $1 and status in ('queued', 'processing', 'retrying') order by id for update
