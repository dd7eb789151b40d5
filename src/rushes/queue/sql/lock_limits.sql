-- Lock the limits under which a claim could take something now: kinds with room, and lanes with room in which a job waits,
-- those of the foremost jobs first. What another claim has locked is passed over, so that a frozen one stops nobody else.
-- Nothing is locked where nothing is to be had, so that claims in vain do not get in each other's way.
-- Relies on jobs_limited, jobs_limited_batch, jobs_ready, jobs_ready_batch, jobs_lane_running and jobs_leased.
with capped as materialized (
    select
        kind,
        concurrency <= (select count(*) from rushes.jobs j where j.status = 'processing' and j.kind = l.kind) as full_up
    from rushes.limits l
    where kind = any($1::text[])
), wanted as materialized (
    select w.kind from unnest($1::text[]) as w (kind)
    where
        not exists (select from rushes.pauses p where p.kind in ('*', w.kind))
        and not exists (select from capped c where c.kind = w.kind and c.full_up)
), turn as materialized (
    select name, rate, ahead, bunch, room from rushes.turns where concurrency is null or running < concurrency
), head as materialized (
    select t.name, t.rate, t.ahead, t.bunch, t.room, w.kind, j.priority, j.id
    from turn t
    cross join wanted w
    cross join lateral (
        select * from (
            select j.priority, j.id from rushes.jobs j
            where
                $3::bigint is null and j.lane = t.name and j.kind = w.kind and j.status = 'queued' and j.limited
                and not j.held and (j.host is null or j.host = $2)
            order by j.priority desc, j.id limit 1
        ) of_any_batch
        union all
        select * from (
            select j.priority, j.id from rushes.jobs j
            where
                j.batch_id = $3::bigint and j.lane = t.name and j.kind = w.kind and j.status = 'queued' and j.limited
                and not j.held and (j.host is null or j.host = $2)
            order by j.priority desc, j.id limit 1
        ) of_one_batch
    ) j
), open_lane as materialized (
    select distinct on (name) name, priority, id, case when rate is not null then greatest(1 / rate, bunch) end as seconds
    from head
    where room > 0
    order by name, priority desc, id
), locked_lane as (
    select l.name
    from rushes.lanes l
    join open_lane o on o.name = l.name
    order by o.priority desc, o.id
    limit $4
    for no key update of l skip locked
), open_kind as materialized (
    select w.kind
    from wanted w
    join capped c on c.kind = w.kind
    where
        exists (select from head h where h.kind = w.kind and h.room > 0)
        -- The first of them, by the index: of mere existence the planner would make a table of all that are ready.
        or (
            select true from rushes.jobs j
            where
                $3::bigint is null and j.kind = w.kind and j.status = 'queued' and not j.held and not j.limited
                and (j.host is null or j.host = $2)
            order by j.priority desc, j.id limit 1
        )
        or (
            select true from rushes.jobs j
            where
                j.batch_id = $3::bigint and j.kind = w.kind and j.status = 'queued' and not j.held and not j.limited
                and (j.host is null or j.host = $2)
            order by j.priority desc, j.id limit 1
        )
), locked_kind as (
    select l.kind from rushes.limits l join open_kind o on o.kind = l.kind for no key update of l skip locked
)
select
    array(select kind from capped) as capped,
    array(select kind from locked_kind) as kinds,
    array(select name from locked_lane) as lanes,
    -- Somebody else is at what could be taken: it is worth another look soon.
    (select count(*) from locked_kind) < (select count(*) from open_kind)
        or (select count(*) from locked_lane) < least($4, (select count(*) from open_lane)) as passed_over,
    -- When the rate of a lane allows the next start, of those whose turn it is not, and after those whose turn it is.
    least((select min(ahead) from head where room = 0), (select min(seconds) from open_lane)) as seconds
