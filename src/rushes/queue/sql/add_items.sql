-- Add items to a batch, each with its first job. A video that the batch has already is left out. What is known is looked
-- for beforehand, as `on conflict` would wait for settlements that write it and that may be waiting for this batch.
with new as (
    select * from unnest(
        $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[],
        $10::jsonb[], $11::smallint[], $12::smallint[], $13::text[], $14::text[]
    ) as n (
        position, given, origin, reference, key, location, collection, title, options, priority, step, lane, host
    )
), known as (
    insert into rushes.videos (key, location)
    select distinct on (key) key, location from new
    where not exists (select from rushes.videos v where v.key = new.key)
    order by key
    on conflict (key) do nothing
), moved as (
    update rushes.videos v set location = new.location from new where v.key = new.key and v.location <> new.location
), here as (
    -- The same file lies on this host too: so may do what is left of a batch whose host is gone, or has another name now.
    update rushes.jobs j set host = known.host
    from (
        select j.id, new.host
        from new
        join rushes.items i on i.batch_id = $1 and i.video_key = new.key
        join rushes.jobs j on j.item_id = i.id
        where new.host is not null and j.host <> new.host and j.status not in ('completed', 'cancelled')
        order by j.id
        for no key update of j skip locked
    ) known
    where j.id = known.id
), added as (
    insert into rushes.items (batch_id, position, given, origin, reference, video_key, collection, title, options)
    select $1, position, given, origin, reference, key, collection, title, options from new
    where not exists (select from rushes.items i where i.batch_id = $1 and i.video_key = new.key)
    order by position
    on conflict (batch_id, video_key) do nothing
    returning id, position
)
insert into rushes.jobs (
    kind, priority, batch_id, item_id, step, video_id, lane, host, max_attempts, backoff_base, backoff_cap,
    backoff_jitter, timeout, limited
)
select
    first.stage ->> 'stage', coalesce(new.priority, b.priority), b.id, added.id, new.step, new.key,
    first.lane, new.host,
    (first.stage -> 'retries' ->> 'max_attempts')::smallint,
    make_interval(secs => (first.stage -> 'retries' ->> 'base')::double precision),
    make_interval(secs => (first.stage -> 'retries' ->> 'cap')::double precision),
    (first.stage -> 'retries' ->> 'jitter')::real,
    make_interval(secs => (first.stage ->> 'timeout')::double precision),
    exists (select from rushes.lanes l where l.name = first.lane and l.limited)
from added
join new on new.position = added.position
join rushes.batches b on b.id = $1
cross join lateral (select b.plan -> 'steps' -> new.step::integer as stage) planned
cross join lateral (
    select planned.stage, case when (planned.stage ->> 'fetches')::boolean then new.lane end as lane
) first
order by new.position
returning id
