update rushes.batches set
    status = case when started_at is null then 'pending' else 'processing' end,
    pause_reason = null, pause_remedy = null, last_event = last_event + 1
where id = $1 and status = 'paused'
returning last_event
