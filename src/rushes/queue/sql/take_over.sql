-- A workflow has this job from here on: the token grows, so that a worker still at it can no longer write.
-- What waited begins an attempt; what ran goes on with its own.
update rushes.jobs set
    status = 'processing', attempts = attempts + (status <> 'processing')::integer, token = token + 1, worker_id = $2,
    lease_until = now() + $3::interval, held = false,
    started_at = case when status = 'processing' then started_at else now() end,
    run_at = null, progress = null, note = $4, error_class = null, error = null, error_details = null
where id = $1
returning token
