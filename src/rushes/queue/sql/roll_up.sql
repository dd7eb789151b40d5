-- Put rows of one grain together by unit of time, kind and status, a bounded step of the oldest ($4); their steps of time
-- become lists. What comes to nothing goes. A step may end within a unit: two rows then stand for it, which changes no sum.
with taken as (
    delete from rushes.tallies
    where ctid = any(array(
        select ctid from rushes.tallies
        where grain = $1 and at < date_trunc($2, now() - $3::interval, 'UTC')
        order by at limit $4
    ))
    returning *, date_trunc($2, at, 'UTC') as unit
), sums as (
    select unit, kind, status, sum(jobs) as jobs, sum(waited) as waited, sum(ran) as ran
    from taken
    group by unit, kind, status
), waits as (
    select unit, kind, status, array_agg(step order by step) as steps, array_agg(jobs order by step) as jobs
    from (
        select t.unit, t.kind, t.status, each.step, sum(each.jobs)::bigint as jobs
        from taken t
        cross join lateral (
            select t.wait as step, t.jobs where t.wait is not null
            union all
            select step, jobs from unnest(t.wait_steps, t.wait_jobs) as listed (step, jobs)
        ) each
        group by t.unit, t.kind, t.status, each.step
        having sum(each.jobs) <> 0
    ) step
    group by unit, kind, status
), runs as (
    select unit, kind, status, array_agg(step order by step) as steps, array_agg(jobs order by step) as jobs
    from (
        select t.unit, t.kind, t.status, each.step, sum(each.jobs)::bigint as jobs
        from taken t
        cross join lateral (
            select t.run as step, t.jobs where t.run is not null
            union all
            select step, jobs from unnest(t.run_steps, t.run_jobs) as listed (step, jobs)
        ) each
        group by t.unit, t.kind, t.status, each.step
        having sum(each.jobs) <> 0
    ) step
    group by unit, kind, status
), together as (
    insert into rushes.tallies (
        at, kind, status, jobs, waited, ran, grain, wait_steps, wait_jobs, run_steps, run_jobs
    )
    select unit, kind, status, s.jobs, s.waited, s.ran, $1 + 1, w.steps, w.jobs, r.steps, r.jobs
    from sums s
    left join waits w using (unit, kind, status)
    left join runs r using (unit, kind, status)
    where s.jobs <> 0 or w.steps is not null or r.steps is not null
)
select count(*) from taken
