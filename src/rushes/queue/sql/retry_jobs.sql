-- Jobs that have ended, and are locked, begin anew.
update rushes.jobs j set
    status = 'queued', attempts = 0, crashes = 0, run_at = null, deferred_at = null, finished_at = null,
    held = exists (select from rushes.batches b where b.id = j.batch_id and b.status = 'paused'),
    limited = exists (select from rushes.lanes l where l.name = j.lane and l.limited)
where id = any($1::bigint[])
returning item_id
