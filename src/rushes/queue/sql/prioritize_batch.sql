update rushes.batches set priority = $2, last_event = last_event + 1
where id = $1 and status in ('pending', 'processing', 'paused')
returning last_event
