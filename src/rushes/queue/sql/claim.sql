-- Take up to `slots` ready jobs of each kind, of all batches or of one ($6), and have their items begin. Kinds with a limit
-- are left out, unless the claim holds it ($7). Relies on jobs_ready (kind, priority desc, id) and jobs_ready_batch
-- (batch_id, kind, priority desc, id).
--
-- It commits without waiting for the disk: a claim lost in a crash of the server only repeats work, because the outcome
-- made under it finds no lease. Rows are addressed by ctid, which the lock has just pinned.
with durability as materialized (
    select set_config('synchronous_commit', 'off', true)
), wanted as materialized (
    select w.kind, w.slots
    from unnest($1::text[], $2::integer[]) as w (kind, slots)
    cross join durability
    where
        not exists (select from rushes.pauses p where p.kind in ('*', w.kind))
        and ($7::boolean or not exists (select from rushes.limits l where l.kind = w.kind))
), of_any_batch as materialized (
    select ready.row
    from wanted
    cross join lateral (
        select j.ctid as row
        from rushes.jobs j
        where
            j.kind = wanted.kind and j.status = 'queued' and not j.held and not j.limited
            and (j.host is null or j.host = $5)
        order by j.priority desc, j.id
        limit wanted.slots
        for update skip locked
    ) ready
    where $6::bigint is null
), of_one_batch as materialized (
    select ready.row
    from wanted
    cross join lateral (
        select j.ctid as row
        from rushes.jobs j
        where
            j.batch_id = $6::bigint and j.kind = wanted.kind and j.status = 'queued' and not j.held and not j.limited
            and (j.host is null or j.host = $5)
        order by j.priority desc, j.id
        limit wanted.slots
        for update skip locked
    ) ready
    where $6::bigint is not null
), claimed as (
    update rushes.jobs j set
        status = 'processing', attempts = attempts + 1, token = token + 1, worker_id = $3,
        lease_until = now() + $4::interval, started_at = statement_timestamp(), progress = null, note = null,
        error_class = null, error = null, error_details = null
    where j.ctid = any(array(select row from of_any_batch union all select row from of_one_batch))
    returning
        id, token, kind, priority, attempts, max_attempts, payload, created_at, started_at, batch_id, item_id, step,
        video_id, dedup_key, github_workflow_run_id, timeout
), begun as materialized (
    select rushes.begin_items(array_agg(item_id)) from claimed where item_id is not null having count(*) > 0
)
select claimed.* from claimed left join begun on true order by priority desc, id
