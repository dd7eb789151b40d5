update rushes.batches set
    status = 'cancelled', cancelled = cancelled + $2, last_event = last_event + 1, finished_at = now(),
    pause_reason = null, pause_remedy = null
where id = $1 and status in ('pending', 'processing', 'paused')
returning last_event
