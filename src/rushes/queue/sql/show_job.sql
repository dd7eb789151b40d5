select
    j.id, j.kind, j.status, j.priority, j.attempts, j.max_attempts, j.batch_id, j.item_id, i.position, i.given,
    j.video_id, v.location, coalesce(i.title, v.title) as title, j.payload, j.dedup_key, j.github_workflow_run_id, j.lane,
    j.host, j.held, j.limited, j.token, j.worker_id, j.lease_until, j.progress, j.note, j.run_at, j.timeout,
    j.backoff_base, j.backoff_cap, j.backoff_jitter, j.crashes, j.error_class, j.error, j.error_details, j.result,
    j.created_at, j.started_at, j.finished_at
from rushes.jobs j
left join rushes.items i on i.id = j.item_id
left join rushes.videos v on v.key = i.video_key
where j.id = $1
