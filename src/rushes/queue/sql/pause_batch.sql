update rushes.batches set status = 'paused', pause_reason = $2, pause_remedy = $3, last_event = last_event + 1
where id = $1 and status in ('pending', 'processing', 'paused')
returning last_event
