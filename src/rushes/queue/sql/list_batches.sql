select
    id, name, pipeline, status, total, completed, failed, cancelled, skipped, invalid, duplicates, created_at,
    started_at, finished_at, pause_reason
from rushes.batches
where $1::bigint is null or id < $1
order by id desc
limit $2
