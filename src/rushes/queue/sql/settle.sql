-- Write outcomes: only under the lease they were made with (job, token and worker). What does not come back was stale. What
-- ended is added up (`tally.sql` does so for whoever ends jobs otherwise).
-- They come in the order of job ids, which is the order of locks. Only a running job has a worker: to ask for its status
-- as well would lead the planner through all that run, instead of to these.
with settled as (
    update rushes.jobs j set
        status = rushes.status_after(o.verdict, o.error_class, j),
        attempts = j.attempts - (
            o.verdict in ('returned', 'deferred', 'orphaned') and rushes.status_after(o.verdict, o.error_class, j) <> 'failed'
        )::integer,
        run_at = case
            when rushes.status_after(o.verdict, o.error_class, j) = 'retrying' then now() + coalesce(
                o.delay,
                least(j.backoff_cap, j.backoff_base * power(2, least(j.attempts - 1, 30)))
                    * (1 - j.backoff_jitter * random())
            )
        end,
        finished_at = case
            when rushes.status_after(o.verdict, o.error_class, j) in ('completed', 'failed') then now()
        end,
        crashes = j.crashes + (o.verdict = 'orphaned')::integer,
        worker_id = null,
        lease_until = null,
        deferred_at = case when o.verdict = 'deferred' then coalesce(j.deferred_at, now()) end,
        result = coalesce(o.result, j.result),
        fingerprint = coalesce(o.fingerprint, j.fingerprint),
        error_class = o.error_class,
        error = o.error,
        error_details = o.details,
        progress = case when o.verdict = 'completed' then 1 end,
        note = null
    from unnest(
        $1::bigint[], $2::integer[], $3::bigint[], $4::text[], $5::jsonb[], $6::text[], $7::text[], $8::text[], $9::jsonb[],
        $10::interval[]
    ) as o (id, token, worker_id, verdict, result, fingerprint, error_class, error, details, delay)
    where j.id = o.id and j.token = o.token and j.worker_id = o.worker_id
    returning
        j.id, j.token, j.kind, j.status, j.batch_id, j.item_id, j.step, j.lane, j.attempts, j.run_at, j.error,
        j.created_at, j.started_at, j.finished_at
), added_up as (
    insert into rushes.tallies (at, kind, status, wait, run, jobs, waited, ran)
    select
        date_trunc('minute', finished_at), kind, status,
        rushes.step_of(started_at - created_at) as wait, rushes.step_of(finished_at - started_at) as run,
        count(*),
        coalesce(sum(date_part('epoch', started_at - created_at)), 0),
        coalesce(sum(date_part('epoch', finished_at - started_at)), 0)
    from settled
    where status in ('completed', 'failed')
    group by date_trunc('minute', finished_at), kind, status, wait, run
)
select * from settled
