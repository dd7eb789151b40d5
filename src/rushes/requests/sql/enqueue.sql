-- Requests that are to become items; returns those that are so now, and are not somebody else's. Locks in the order of ids.
-- Relies on requests_request_id_key.
insert into rushes.requests as r (
    request_id, correlation_id, subscription, message_id, pipeline, about, status
)
select n.request_id, n.correlation_id, $6, n.message_id, n.pipeline, n.about, 'queued'
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    as n (request_id, correlation_id, message_id, pipeline, about)
order by n.request_id
on conflict (request_id) do update set
    correlation_id = excluded.correlation_id, subscription = excluded.subscription, message_id = excluded.message_id,
    pipeline = excluded.pipeline, about = excluded.about, status = 'queued', stage = null, percentage = 0,
    token = r.token + 1, lease_until = null, batch_id = null, item_id = null, error_class = null, error = null,
    remedy = null, result = null, told_at = null, updated_at = now(), finished_at = null
where
    r.status <> 'completed' and (r.status <> 'processing' or r.lease_until <= now())
    and not exists (
        select from rushes.items i join rushes.batches b on b.id = i.batch_id
        where i.id = r.item_id and (i.status not in ('failed', 'cancelled') or b.finished_at is null)
    )
returning r.request_id
