update rushes.jobs j set priority = $2
from (
    select id from rushes.jobs where id = any($1::bigint[]) and status in ('queued', 'retrying') order by id for update
) waiting
where j.id = waiting.id
returning j.id
