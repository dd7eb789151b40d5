-- The items of jobs just claimed are at work from now on, and so are their batches.
with started as (
    update rushes.items set status = 'processing', started_at = now()
    where id = any($1::bigint[]) and status = 'pending'
    returning batch_id
)
update rushes.batches set status = 'processing', started_at = coalesce(started_at, now())
where id in (select batch_id from started) and status = 'pending'
