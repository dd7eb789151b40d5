-- Kinds of which a job is ready, or waits for its lane's turn, the one whose job comes first in front. What is of another
-- host ($2) or paused does not count. Relies on jobs_ready and jobs_limited.
select k.kind
from unnest($1::text[]) as k (kind)
cross join lateral (
    select priority, id
    from (
        (
            select j.priority, j.id from rushes.jobs j
            where
                j.kind = k.kind and j.status = 'queued' and not j.held and not j.limited and (j.host is null or j.host = $2)
            order by j.priority desc, j.id limit 1
        )
        union all
        (
            select of_lane.priority, of_lane.id
            from rushes.lanes l
            cross join lateral (
                select j.priority, j.id from rushes.jobs j
                where
                    j.lane = l.name and j.kind = k.kind and j.status = 'queued' and j.limited and not j.held
                    and (j.host is null or j.host = $2)
                order by j.priority desc, j.id limit 1
            ) of_lane
            where l.limited
            order by of_lane.priority desc, of_lane.id limit 1
        )
    ) heads
    order by priority desc, id limit 1
) head
where not exists (select from rushes.pauses p where p.kind in ('*', k.kind))
order by head.priority desc, head.id
