update rushes.batches set
    failed = failed - $2, cancelled = cancelled - $3, last_event = last_event + $4, finished_at = null,
    status = case when status = 'paused' then status else 'processing' end
where id = $1
returning last_event
