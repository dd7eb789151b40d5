-- How many jobs without a batch have ended and are older than their status may be.
select j.status, count(*) as jobs
from rushes.jobs j
join unnest($1::text[], $2::interval[]) as keep (status, age) on keep.status = j.status
where j.batch_id is null and j.finished_at < now() - keep.age and ($3::text is null or j.kind = $3)
group by j.status
