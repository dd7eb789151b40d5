-- Add jobs, in the order given. Those of a paused batch are held; those of a lane with limits wait to be admitted.
insert into rushes.jobs (
    kind, priority, payload, batch_id, item_id, step, video_id, lane, host, max_attempts, backoff_base, backoff_cap,
    backoff_jitter, timeout, run_at, github_workflow_run_id, status, held, limited
)
select
    n.kind, n.priority, n.payload, n.batch_id, n.item_id, n.step, n.video_id, n.lane, n.host, n.max_attempts,
    n.backoff_base, n.backoff_cap, n.backoff_jitter, n.timeout, n.run_at, n.github_workflow_run_id,
    case when n.run_at > now() then 'retrying' else 'queued' end,
    coalesce(b.status = 'paused', false),
    coalesce(l.rate is not null or l.concurrency is not null, false)
from unnest(
    $1::text[], $2::smallint[], $3::jsonb[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
    $9::text[], $10::smallint[], $11::interval[], $12::interval[], $13::real[], $14::interval[], $15::timestamptz[],
    $16::text[]
) with ordinality as n (
    kind, priority, payload, batch_id, item_id, step, video_id, lane, host, max_attempts, backoff_base, backoff_cap,
    backoff_jitter, timeout, run_at, github_workflow_run_id, position
)
left join rushes.batches b on b.id = n.batch_id
left join rushes.lanes l on l.name = n.lane
order by n.position
returning *
