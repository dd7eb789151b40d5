-- The queue in numbers, by one formula: what lives is counted in the indexes of live jobs, what ended is read from tallies,
-- in one snapshot. Finished rows are never read, and what is pruned stays counted. Times are seconds.
--
-- $1 one kind (null: all), $2 what ended within this time (null: ever), $3 each kind beside the whole.
-- The row whose kind is null is the whole.
with live as (
    -- Relies on jobs_ready.
    select kind, 'queued' as status, count(*) as jobs, null::timestamptz as since
    from rushes.jobs
    where status = 'queued' and not held and not limited and ($1::text is null or kind = $1)
    group by kind
    union all
    -- Those that go by the limits of their lane. Relies on jobs_limited.
    select kind, 'queued', count(*), min(greatest(created_at, run_at))
    from rushes.jobs
    where status = 'queued' and limited and not held and ($1 is null or kind = $1)
    group by kind
    union all
    -- What is held, and only paused batches hold. Relies on jobs_live_batch.
    select kind, status, count(*), null
    from rushes.jobs
    where
        batch_id in (select id from rushes.batches where status = 'paused') and status in ('queued', 'retrying') and held
        and ($1 is null or kind = $1)
    group by kind, status
    union all
    -- Relies on jobs_due.
    select kind, 'retrying', count(*), null
    from rushes.jobs
    where status = 'retrying' and not held and ($1 is null or kind = $1)
    group by kind
    union all
    -- Relies on jobs_leased.
    select kind, 'processing', count(*), null
    from rushes.jobs
    where status = 'processing' and ($1 is null or kind = $1)
    group by kind
), heads as (
    -- The oldest of each kind and priority. Relies on the order of jobs_ready. The priority is given as a range, because
    -- where it is equal ids alone are an order, and the primary key offers itself, with all that has ended in front.
    select kinds.kind, min(head.since) as since
    from (select kind from live where status = 'queued' and since is null) kinds
    cross join generate_series(0, 10) as levels (priority)
    cross join lateral (
        select greatest(j.created_at, j.run_at) as since
        from rushes.jobs j
        where
            j.kind = kinds.kind and j.priority between levels.priority and levels.priority
            and j.status = 'queued' and not j.held and not j.limited
        order by j.priority desc, j.id
        limit 1
    ) head
    group by kinds.kind
    union all
    select kind, since from live where since is not null
), bounds as (
    -- Whole minutes, hours or days, as far as rows are put together by then (tallies.py).
    select
        span.name,
        case
            when span.length is null then '-infinity'
            when span.length <= interval '2 days' then date_trunc('minute', now() - span.length, 'UTC')
            when span.length <= interval '60 days' then date_trunc('hour', now() - span.length, 'UTC')
            else date_trunc('day', now() - span.length, 'UTC')
        end as start
    from (values ('window', $2::interval), ('pace', coalesce($2, interval '1 hour'))) as span (name, length)
), ended as materialized (
    -- Relies on tallies_grain.
    select kind, status, wait, run, jobs, waited, ran, wait_steps, wait_jobs, run_steps, run_jobs
    from rushes.tallies
    where
        grain = any('{0,1,2,3}') and at >= (select start from bounds where name = 'window')
        and ($1 is null or kind = $1)
), sums as (
    select kind, status, sum(jobs) as jobs, sum(waited) as waited, sum(ran) as ran from ended group by kind, status
), waits as materialized (
    select kind, step, sum(jobs) as jobs
    from (
        select kind, wait as step, jobs from ended where wait is not null
        union all
        select kind, listed.step, listed.jobs from ended, unnest(wait_steps, wait_jobs) as listed (step, jobs)
    ) each
    group by kind, step
), runs as materialized (
    select kind, step, sum(jobs) as jobs
    from (
        select kind, run as step, jobs from ended where status = 'completed' and run is not null
        union all
        select kind, listed.step, listed.jobs
        from ended, unnest(run_steps, run_jobs) as listed (step, jobs)
        where status = 'completed'
    ) each
    group by kind, step
), pace as (
    select t.kind, sum(t.jobs) / extract(epoch from now() - b.start) as per_second
    from bounds b
    join rushes.tallies t on t.grain = any('{0,1,2,3}') and t.at >= b.start and ($1 is null or t.kind = $1)
    where b.name = 'pace'
    group by t.kind, b.start
), named as (
    select null::text as kind
    union all
    select distinct kind from (select kind from live union all select kind from sums) kinds where $3::boolean
)
select
    n.kind,
    (l.queued + l.processing + l.retrying + e.completed + e.failed + e.cancelled)::bigint as total_jobs,
    l.queued::bigint,
    l.processing::bigint,
    e.completed::bigint,
    e.failed::bigint,
    l.retrying::bigint,
    e.cancelled::bigint,
    round(100 * e.completed / nullif(e.completed + e.failed, 0), 2)::double precision as success_rate,
    round((e.ran / nullif(run.jobs, 0))::numeric, 3)::double precision as average_processing_time,
    round((e.waited / nullif(wait.jobs, 0))::numeric, 3)::double precision as average_wait_time,
    l.queued::bigint as queue_length,
    -- The middle of a step, as a factor: no more than 5 % from any time in it.
    round(power(1.1, wait.p50 - 0.5) / 1000, 3)::double precision as wait_p50,
    round(power(1.1, wait.p95 - 0.5) / 1000, 3)::double precision as wait_p95,
    round(power(1.1, run.p50 - 0.5) / 1000, 3)::double precision as run_p50,
    round(power(1.1, run.p95 - 0.5) / 1000, 3)::double precision as run_p95,
    round(coalesce(p.per_second, 0), 6)::double precision as throughput,
    round(extract(epoch from now() - h.since), 3)::double precision as oldest_waiting
from named n
cross join lateral (
    select
        coalesce(sum(jobs) filter (where status = 'queued'), 0) as queued,
        coalesce(sum(jobs) filter (where status = 'processing'), 0) as processing,
        coalesce(sum(jobs) filter (where status = 'retrying'), 0) as retrying
    from live
    where n.kind is null or kind = n.kind
) l
cross join lateral (
    select
        coalesce(sum(jobs) filter (where status = 'completed'), 0) as completed,
        coalesce(sum(jobs) filter (where status = 'failed'), 0) as failed,
        coalesce(sum(jobs) filter (where status = 'cancelled'), 0) as cancelled,
        sum(waited) as waited,
        sum(ran) filter (where status = 'completed') as ran
    from sums
    where n.kind is null or kind = n.kind
) e
cross join lateral (
    select
        max(total) as jobs,
        min(step) filter (where upto >= 0.5 * total) as p50,
        min(step) filter (where upto >= 0.95 * total) as p95
    from (
        select step, sum(sum(jobs)) over (order by step) as upto, sum(sum(jobs)) over () as total
        from waits
        where n.kind is null or kind = n.kind
        group by step
    ) steps
    where total > 0
) wait
cross join lateral (
    select
        max(total) as jobs,
        min(step) filter (where upto >= 0.5 * total) as p50,
        min(step) filter (where upto >= 0.95 * total) as p95
    from (
        select step, sum(sum(jobs)) over (order by step) as upto, sum(sum(jobs)) over () as total
        from runs
        where n.kind is null or kind = n.kind
        group by step
    ) steps
    where total > 0
) run
cross join lateral (select sum(per_second) as per_second from pace where n.kind is null or kind = n.kind) p
cross join lateral (select min(since) as since from heads where n.kind is null or kind = n.kind) h
order by n.kind nulls first
