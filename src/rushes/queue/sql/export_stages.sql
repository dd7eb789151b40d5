select item_id, kind, result, extract(epoch from finished_at - started_at)::double precision as seconds
from rushes.jobs
where item_id = any($1::bigint[]) and status = 'completed'
order by item_id, step
