-- Take jobs whose turn it is in limited lanes ($7, locked before this statement), of all batches or of one ($6).
-- A job that needs no turn and stands before them keeps its slot. Relies on jobs_limited (lane, held,
-- kind, priority desc, id), jobs_limited_batch (batch_id, lane, kind, priority desc, id), jobs_ready and jobs_ready_batch.
with wanted as materialized (
    select w.kind, w.slots from unnest($1::text[], $2::integer[]) as w (kind, slots)
    where not exists (select from rushes.pauses p where p.kind in ('*', w.kind))
), turn as materialized (
    select name, rate, ahead, room from rushes.turns where name = any($7::text[]) and room > 0
), waiting as materialized (
    select t.name, t.room, w.kind, w.slots, j.id, j.priority
    from turn t
    cross join wanted w
    cross join lateral (
        select * from (
            select j.id, j.priority from rushes.jobs j
            where
                $6::bigint is null and j.lane = t.name and j.kind = w.kind and j.status = 'queued' and j.limited
                and not j.held and (j.host is null or j.host = $5)
            order by j.priority desc, j.id
            limit least(t.room, w.slots)
            for update skip locked
        ) of_any_batch
        union all
        select * from (
            select j.id, j.priority from rushes.jobs j
            where
                j.batch_id = $6::bigint and j.lane = t.name and j.kind = w.kind and j.status = 'queued' and j.limited
                and not j.held and (j.host is null or j.host = $5)
            order by j.priority desc, j.id
            limit least(t.room, w.slots)
            for update skip locked
        ) of_one_batch
    ) j
), in_turn as (
    select name, room, kind, slots, id, priority, row_number() over (partition by name order by priority desc, id) as place
    from waiting
), ready as (
    select w.kind, w.slots, j.id, j.priority
    from wanted w
    cross join lateral (
        select * from (
            select j.id, j.priority from rushes.jobs j
            where
                $6::bigint is null and j.kind = w.kind and j.status = 'queued' and not j.held and not j.limited
                and (j.host is null or j.host = $5)
            order by j.priority desc, j.id
            limit w.slots
        ) of_any_batch
        union all
        select * from (
            select j.id, j.priority from rushes.jobs j
            where
                j.batch_id = $6::bigint and j.kind = w.kind and j.status = 'queued' and not j.held and not j.limited
                and (j.host is null or j.host = $5)
            order by j.priority desc, j.id
            limit w.slots
        ) of_one_batch
    ) j
), ranked as (
    select name, slots, id, row_number() over (partition by kind order by priority desc, id) as place
    from (
        select name, kind, slots, id, priority from in_turn where place <= room
        union all
        select null, kind, slots, id, priority from ready
    ) candidates
), picked as materialized (
    select name, id from ranked where place <= slots and name is not null
), counted as (
    update rushes.lanes l set next_start = statement_timestamp() + make_interval(secs => t.ahead + p.starts / t.rate)
    from (select name, count(*) as starts from picked group by name) p
    join turn t on t.name = p.name
    where l.name = p.name and l.rate is not null
)
update rushes.jobs j set
    status = 'processing', attempts = attempts + 1, token = token + 1, worker_id = $3,
    lease_until = now() + $4::interval, started_at = statement_timestamp(), progress = null, note = null,
    error_class = null, error = null, error_details = null
where j.id = any(array(select id from picked))
returning
    j.id, j.token, j.kind, j.priority, j.attempts, j.max_attempts, j.payload, j.created_at, j.started_at, j.batch_id,
    j.item_id, j.step, j.video_id, j.dedup_key, j.github_workflow_run_id, j.timeout
