-- Jobs follow what holds for their lane now, a bounded step ($1): those ready in a lane at rest move aside, those ready in a
-- lane with limits wait for its turns, and those whose lane has none any more wait no longer. Answers how many. Relies on
-- jobs_lane and jobs_limited.
with recursive waited_for as (
    -- The lanes of the jobs that wait for turns, a probe of the index each.
    (select lane from rushes.jobs where status = 'queued' and limited order by lane limit 1)
    union all
    select (select j.lane from rushes.jobs j where j.status = 'queued' and j.limited and j.lane > w.lane order by j.lane limit 1)
    from waited_for w
    where w.lane is not null
), unlimited as materialized (
    select lane from waited_for w
    where lane is not null and not exists (select from rushes.lanes l where l.name = w.lane and l.limited)
), moved as materialized (
    (
        select j.id
        from rushes.lanes l
        cross join lateral (
            select id from rushes.jobs
            where status = 'queued' and not limited and lane = l.name
            order by priority desc, id limit $1 for update skip locked
        ) j
        where l.limited or l.paused_until > now()
    )
    union all
    (
        select j.id
        from unlimited u
        cross join lateral (
            select id from rushes.jobs
            where status = 'queued' and limited and lane = u.lane
            order by held, kind, priority desc, id limit $1 for update skip locked
        ) j
    )
    limit $1
), changed as (
    update rushes.jobs j set
        limited = exists (select from rushes.lanes l where l.name = j.lane and l.limited),
        (status, run_at) = (
            select case when max(l.paused_until) is null then 'queued' else 'retrying' end, max(l.paused_until)
            from rushes.lanes l
            where l.name = j.lane and not l.limited and l.paused_until > now()
        )
    where j.id = any(array(select id from moved))
    returning 1
)
select count(*) from changed
