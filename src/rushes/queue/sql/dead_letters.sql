-- What failed for good, by class of error and kind. Relies on jobs_failed (error_class, kind, finished_at, id), of which
-- nothing but the examples leaves the index.
select d.error_class, d.kind, d.jobs, d.first_seen, d.last_seen, d.newest as example, j.error as message
from (
    select error_class, kind, count(*) as jobs, min(finished_at) as first_seen, max(finished_at) as last_seen, max(id) as newest
    from rushes.jobs
    where status = 'failed' and ($1::text is null or kind = $1) and ($2::text is null or error_class = $2)
    group by error_class, kind
) d
join rushes.jobs j on j.id = d.newest
order by d.jobs desc, d.error_class, d.kind
