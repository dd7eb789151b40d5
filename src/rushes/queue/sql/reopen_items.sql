update rushes.items i set
    status = 'processing', error_class = null, error = null, remedy = null, skip_reason = null, finished_at = null
from (
    select id, status as was from rushes.items
    where id = any($1::bigint[]) and status in ('failed', 'cancelled')
    order by id for update
) ended
where i.id = ended.id
returning i.id, i.batch_id, ended.was
