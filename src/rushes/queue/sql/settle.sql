-- Write outcomes: only under the lease they were made with (job, token and worker). What does not come back was stale.
-- They come in the order of job ids, which is the order of locks. Only a running job has a worker: to ask for its status
-- as well would lead the planner through all that run, instead of to these.
with judged as (
    -- What is read here does not change under a lease; whether that still holds the update asks once more.
    select
        o.*,
        case
            when o.verdict = 'completed' then 'completed'
            -- What the environment lacks pauses the batch; a job without one can only fail.
            when o.verdict = 'returned' and o.error_class is not null and j.batch_id is null then 'failed'
            when o.verdict = 'returned' then 'queued'
            when o.verdict = 'failed' then 'failed'
            -- Its process died. Uncounted, since a person may have killed it, but not without end.
            when o.verdict = 'orphaned' then case when j.crashes >= 4 then 'failed' else 'queued' end
            when o.verdict = 'deferred' then
                case when j.deferred_at < now() - interval '1 day' then 'failed' else 'retrying' end
            when j.attempts >= j.max_attempts then 'failed'
            when o.verdict = 'lost' then 'queued'
            else 'retrying'
        end as status
    from unnest(
        $1::bigint[], $2::integer[], $3::bigint[], $4::text[], $5::jsonb[], $6::text[], $7::text[], $8::text[],
        $9::jsonb[], $10::interval[]
    ) as o (id, token, worker_id, verdict, result, fingerprint, error_class, error, details, delay)
    join rushes.jobs j on j.id = o.id
)
update rushes.jobs j set
    status = f.status,
    attempts = j.attempts - (f.verdict in ('returned', 'deferred', 'orphaned') and f.status <> 'failed')::integer,
    crashes = j.crashes + (f.verdict = 'orphaned')::integer,
    worker_id = null,
    lease_until = null,
    run_at = case
        when f.status = 'retrying' then now() + coalesce(
            f.delay,
            least(j.backoff_cap, j.backoff_base * power(2, least(j.attempts - 1, 30)))
                * (1 - j.backoff_jitter * random())
        )
    end,
    deferred_at = case when f.verdict = 'deferred' then coalesce(j.deferred_at, now()) end,
    result = coalesce(f.result, j.result),
    fingerprint = coalesce(f.fingerprint, j.fingerprint),
    error_class = f.error_class,
    error = f.error,
    error_details = f.details,
    progress = case when f.status = 'completed' then 1 end,
    note = null,
    finished_at = case when f.status in ('completed', 'failed') then now() end
from judged f
where j.id = f.id and j.token = f.token and j.worker_id = f.worker_id
returning j.id, j.token, j.kind, j.status, j.batch_id, j.item_id, j.step, j.lane, j.attempts, j.run_at, j.error
