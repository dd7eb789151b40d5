-- A host asked for rest: remember until when, and move its ready jobs aside, a bounded step ($4). Those that wait for a
-- turn stay where they are: a lane at rest gives none. Relies on jobs_lane (lane, priority desc, id).
with lane as (
    insert into rushes.lanes (name, paused_until, reason) values ($1, now() + $2::interval, $3)
    on conflict (name) do update set
        paused_until = greatest(rushes.lanes.paused_until, excluded.paused_until), reason = excluded.reason
    returning paused_until
)
update rushes.jobs j set status = 'retrying', run_at = lane.paused_until, error = $3
from lane
where j.id = any(array(
    select id from rushes.jobs
    where status = 'queued' and not limited and lane = $1
    order by priority desc, id limit $4 for update skip locked
))
