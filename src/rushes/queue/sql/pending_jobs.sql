-- Queued jobs in the order in which they will run, of one kind ($1) or all, at most $2. The many that are ready are read in
-- the order of jobs_ready, kind by kind; those that wait for a lane's turn (jobs_limited) or whose batch is paused
-- (jobs_live_batch) are sorted.
with recursive kinds as (
    (
        select j.kind from rushes.jobs j
        where j.status = 'queued' and not j.held and not j.limited and ($1::text is null or j.kind = $1)
        order by j.kind limit 1
    )
    union all
    select (
        select j.kind from rushes.jobs j
        where j.status = 'queued' and not j.held and not j.limited and j.kind > k.kind and $1 is null
        order by j.kind limit 1
    )
    from kinds k
    where k.kind is not null
), first as (
    select ready.*
    from kinds k
    cross join lateral (
        select * from rushes.jobs j
        where j.kind = k.kind and j.status = 'queued' and not j.held and not j.limited
        order by j.priority desc, j.id limit $2
    ) ready
    union all
    (
        select * from rushes.jobs j
        where j.status = 'queued' and j.limited and ($1 is null or j.kind = $1)
        order by j.priority desc, j.id limit $2
    )
    union all
    (
        select j.* from rushes.batches b
        join rushes.jobs j on j.batch_id = b.id
        where b.status = 'paused' and j.status = 'queued' and j.held and not j.limited and ($1 is null or j.kind = $1)
        order by j.priority desc, j.id limit $2
    )
)
select * from first order by priority desc, id limit $2
