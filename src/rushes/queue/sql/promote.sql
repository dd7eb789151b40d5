-- What is due becomes ready, or waits for its turn where its lane has limits, a bounded step. Relies on jobs_due (run_at).
with due as (
    select id from rushes.jobs
    where status = 'retrying' and not held and run_at <= now()
    order by run_at limit $1 for update skip locked
)
update rushes.jobs j set
    status = 'queued', run_at = null,
    limited = exists (select from rushes.lanes l where l.name = j.lane and l.limited)
where j.id = any(array(select id from due))
returning j.id
