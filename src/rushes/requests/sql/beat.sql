-- Prolong leases and store progress; returns what is still held. A row is written only when its lease is past its half or
-- its progress changed. Locks in the order of ids. Relies on requests_request_id_key.
with beat as (
    select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::smallint[])
        as b (request_id, token, stage, percentage)
), news as (
    select r.id, b.stage, b.percentage
    from beat b
    join rushes.requests r on r.request_id = b.request_id
    where
        r.token = b.token and r.status = 'processing'
        and (
            r.lease_until < now() + $5::interval / 2
            or r.stage is distinct from b.stage or r.percentage <> b.percentage
        )
    order by r.id
    for no key update of r
), written as (
    update rushes.requests r set
        lease_until = now() + $5::interval, stage = news.stage, percentage = news.percentage, updated_at = now()
    from news
    where r.id = news.id
)
select b.request_id, b.token
from beat b
join rushes.requests r on r.request_id = b.request_id
where r.token = b.token and r.status = 'processing'
