-- Take requests up: new ones, and those that failed, were given back, wait for a retry or whose worker fell silent. What does
-- not come back is completed, or somebody else's now. Rows are locked in the order of ids. Relies on requests_request_id_key.
insert into rushes.requests as r (
    request_id, correlation_id, subscription, message_id, pipeline, about, status, attempts, token, lease_until,
    started_at
)
select
    n.request_id, n.correlation_id, $7, n.message_id, n.pipeline, n.about, 'processing', 1, 1,
    now() + $6::interval, now()
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    as n (request_id, correlation_id, message_id, pipeline, about)
order by n.request_id
on conflict (request_id) do update set
    correlation_id = excluded.correlation_id, subscription = excluded.subscription, message_id = excluded.message_id,
    pipeline = excluded.pipeline, about = excluded.about, status = 'processing', stage = null, percentage = 0,
    -- A request that has failed and comes again is begun anew.
    attempts = case when r.status = 'failed' then 1 else r.attempts + 1 end,
    crashes = case when r.status = 'failed' then 0 else r.crashes + (r.status = 'processing')::integer end,
    token = r.token + 1, lease_until = excluded.lease_until, error_class = null, error = null, remedy = null,
    result = null, told_at = null, started_at = coalesce(r.started_at, now()), updated_at = now(), finished_at = null,
    batch_id = null, item_id = null
where
    -- What was made into an item of the queue is that one's, unless it failed there and its batch has ended.
    (r.item_id is null or exists (
        select from rushes.items i
        join rushes.batches b on b.id = i.batch_id
        where i.id = r.item_id and i.status in ('failed', 'cancelled') and b.finished_at is not null
    ))
    and (r.status in ('queued', 'retrying', 'failed') or (r.status = 'processing' and r.lease_until < now()))
returning r.request_id, r.token, r.attempts, r.crashes
