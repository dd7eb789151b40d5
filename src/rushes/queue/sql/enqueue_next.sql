-- The stage after each of these completed jobs, from the plan frozen on its batch. What returns nothing was the last.
insert into rushes.jobs (
    kind, priority, batch_id, item_id, step, video_id, lane, host, max_attempts, backoff_base, backoff_cap,
    backoff_jitter, timeout, limited
)
select
    next.stage ->> 'stage', j.priority, j.batch_id, j.item_id, j.step + 1, j.video_id,
    next.lane, j.host,
    (next.stage -> 'retries' ->> 'max_attempts')::smallint,
    make_interval(secs => (next.stage -> 'retries' ->> 'base')::double precision),
    make_interval(secs => (next.stage -> 'retries' ->> 'cap')::double precision),
    (next.stage -> 'retries' ->> 'jitter')::real,
    make_interval(secs => (next.stage ->> 'timeout')::double precision),
    exists (select from rushes.lanes l where l.name = next.lane and l.limited)
from rushes.jobs j
join rushes.batches b on b.id = j.batch_id
cross join lateral (select b.plan -> 'steps' -> (j.step + 1) as stage) planned
cross join lateral (
    select planned.stage, case when (planned.stage ->> 'fetches')::boolean then j.lane end as lane
) next
where j.id = any($1::bigint[]) and next.stage is not null
order by j.id
returning id, item_id, batch_id
