-- Jobs that became ready in a lane at rest follow the others aside. Relies on jobs_lane (lane, id).
with moved as (
    select j.id, l.paused_until
    from rushes.lanes l
    cross join lateral (
        select id from rushes.jobs where status = 'queued' and lane = l.name order by id limit $1 for update skip locked
    ) j
    where l.paused_until > now()
)
update rushes.jobs j set status = 'retrying', run_at = moved.paused_until from moved where j.id = moved.id
