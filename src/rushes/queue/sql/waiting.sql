-- What keeps jobs of one batch waiting: hosts at rest, with how many wait for their next try, and limits that allow no more
-- at this moment. Relies on jobs_retrying_batch, jobs_limited_batch, jobs_ready_batch, jobs_lane_running and jobs_leased,
-- and asks for the first job rather than for any, as otherwise the planner would look for one all through the table.
select count(*) as jobs, max(l.reason) || ', until ' || to_char(max(l.paused_until), 'HH24:MI:SS TZ') as reason
from rushes.jobs j
left join rushes.lanes l on l.name = j.lane and l.paused_until > now()
where j.batch_id = $1 and j.status = 'retrying'
group by l.name
union all
select
    0,
    case
        when l.paused_until > now() then l.reason || ', until ' || to_char(l.paused_until, 'HH24:MI:SS TZ')
        else format('%s is limited to %s', l.name, concat_ws(' and ', l.rate || ' a second', l.concurrency || ' at once'))
    end
from rushes.lanes l
where
    l.limited
    and (
        l.paused_until > now() or l.next_start > now()
        or l.concurrency <= (select count(*) from rushes.jobs j where j.lane = l.name and j.status = 'processing')
    )
    and (
        select true from rushes.jobs j
        where j.batch_id = $1 and j.lane = l.name and j.status = 'queued' and j.limited and not j.held
        order by j.kind, j.priority desc, j.id limit 1
    )
union all
select 0, format('%s is limited to %s at once', k.kind, k.concurrency)
from rushes.limits k
where
    k.concurrency <= (select count(*) from rushes.jobs j where j.kind = k.kind and j.status = 'processing')
    and (
        select true from rushes.jobs j
        where j.batch_id = $1 and j.kind = k.kind and j.status = 'queued' and not j.held and not j.limited
        order by j.priority desc, j.id limit 1
    )
order by reason
