-- Prolong leases and store progress. What does not come back is lost. A row is written only when its lease is past its
-- half or its progress changed, so that a second without news costs no write. Locks in the order of ids, as settlements do.
with beat as (
    select * from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::real[], $5::text[])
        as b (id, token, worker_id, progress, note)
), news as (
    select j.id, b.progress, b.note
    from beat b
    join rushes.jobs j on j.id = b.id
    where
        j.token = b.token and j.worker_id = b.worker_id
        and (
            j.lease_until < now() + $6::interval / 2
            or j.progress is distinct from b.progress or j.note is distinct from b.note
        )
    order by j.id
    for no key update of j
), written as (
    update rushes.jobs j set lease_until = now() + $6::interval, progress = news.progress, note = news.note
    from news
    where j.id = news.id
)
select b.id, coalesce(j.token = b.token and j.worker_id = b.worker_id, false) as held,
    coalesce(j.status = 'cancelled', false) as cancelled
from beat b left join rushes.jobs j on j.id = b.id
