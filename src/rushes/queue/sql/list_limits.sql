-- What is limited, what runs under it now and what waits for it.
select
    'lane' as what, l.name, l.rate, l.concurrency,
    (select count(*) from rushes.jobs j where j.lane = l.name and j.status = 'processing') as running,
    (select count(*) from rushes.jobs j where j.lane = l.name and j.status = 'queued' and j.limited) as waiting,
    case when l.paused_until > now() then l.paused_until end as rests_until,
    case when l.paused_until > now() then l.reason end as reason
from rushes.lanes l
where l.limited
union all
select
    'kind', l.kind, null, l.concurrency,
    (select count(*) from rushes.jobs j where j.kind = l.kind and j.status = 'processing'),
    (select count(*) from rushes.jobs j where j.kind = l.kind and j.status = 'queued' and not j.held and not j.limited),
    null, null
from rushes.limits l
order by 1, 2
