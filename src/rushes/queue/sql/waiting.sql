-- Jobs of one batch that wait for their next try, by the host that keeps them waiting.
-- Relies on jobs_retrying_batch.
select count(*) as jobs, max(l.reason) || ', until ' || to_char(max(l.paused_until), 'HH24:MI:SS TZ') as reason
from rushes.jobs j
left join rushes.lanes l on l.name = j.lane and l.paused_until > now()
where j.batch_id = $1 and j.status = 'retrying'
group by l.name
