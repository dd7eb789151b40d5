-- Add up what ended in one batch and how many events it gained. The batch's own row decides that it has ended.
update rushes.batches b set
    total = b.total + $2, completed = b.completed + $3, failed = b.failed + $4, cancelled = b.cancelled + $5,
    skipped = b.skipped + $6, last_event = b.last_event + $7,
    status = case
        when b.status in ('completed', 'failed', 'cancelled') then b.status
        when b.completed + b.failed + b.cancelled + b.skipped + $3 + $4 + $5 + $6 < b.total + $2 then b.status
        when b.completed + b.skipped + $3 + $6 > 0 then 'completed'
        when b.failed + $4 = 0 and b.cancelled + $5 > 0 then 'cancelled'
        else 'failed'
    end,
    finished_at = case
        when b.completed + b.failed + b.cancelled + b.skipped + $3 + $4 + $5 + $6 >= b.total + $2
        then coalesce(b.finished_at, now())
    end
where b.id = $1
returning b.status, b.last_event
