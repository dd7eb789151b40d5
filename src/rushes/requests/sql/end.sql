-- Write what runs of requests came to, and return those whose lease was held. The same once more changes nothing, so that
-- whoever lost the answer may repeat it. Locks in the order of ids. Relies on requests_request_id_key.
with ended as (
    select * from unnest(
        $1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[]
    ) as e (request_id, token, status, error_class, error, remedy, result)
), mine as (
    select r.id, e.*
    from ended e
    join rushes.requests r on r.request_id = e.request_id
    -- A run that has ended is not given back any more.
    where r.token = e.token and (e.status <> 'queued' or r.status in ('processing', 'queued'))
    order by r.id
    for no key update of r
)
update rushes.requests r set
    status = mine.status, error_class = mine.error_class, error = mine.error, remedy = mine.remedy,
    result = mine.result, lease_until = null, updated_at = now(),
    percentage = case when mine.status = 'completed' then 100 else r.percentage end,
    -- What is given back was no attempt.
    attempts = r.attempts - (mine.status = 'queued' and r.status = 'processing')::integer,
    finished_at = case when mine.status in ('completed', 'failed') then now() end
from mine
where r.id = mine.id
returning r.request_id, mine.token
