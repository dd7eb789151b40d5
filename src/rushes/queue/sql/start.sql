-- The items of jobs just claimed are at work from now on, and so are their batches, locked in the order of ids.
with started as (
    update rushes.items set status = 'processing', started_at = now()
    where id = any($1::bigint[]) and status = 'pending'
    returning batch_id
), pending as (
    select id from rushes.batches
    where id in (select batch_id from started) and status = 'pending'
    order by id for no key update
)
update rushes.batches b set status = 'processing', started_at = coalesce(b.started_at, now())
from pending
where b.id = pending.id
