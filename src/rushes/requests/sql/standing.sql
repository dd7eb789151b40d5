-- How requests stand that could not be taken up: done (completed, or made into an item), or at work for so many seconds more.
-- A result that was not published comes along. Relies on requests_request_id_key.
select
    request_id, (status = 'completed' or item_id is not null) as done,
    coalesce(greatest(extract(epoch from lease_until - now()), 0), 0)::double precision as seconds_left,
    case when status = 'completed' and told_at is null then result end as untold
from rushes.requests
where request_id = any($1::uuid[])
