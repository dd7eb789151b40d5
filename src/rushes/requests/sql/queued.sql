-- Requests that need no item any more: completed, or made into one, unless that failed and its batch has ended. Busy are those
-- that a worker runs now. Relies on requests_request_id_key.
select r.request_id, (r.status = 'processing' and r.lease_until > now()) as busy
from rushes.requests r
left join rushes.items i on i.id = r.item_id
left join rushes.batches b on b.id = i.batch_id
where
    r.request_id = any($1::uuid[])
    and (
        r.status = 'completed'
        or (r.status = 'processing' and r.lease_until > now())
        or (i.id is not null and (i.status not in ('failed', 'cancelled') or b.finished_at is null))
    )
