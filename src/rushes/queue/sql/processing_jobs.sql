-- Jobs at work, of one kind ($1) or all, those that started first in front. Relies on jobs_leased.
select * from rushes.jobs
where status = 'processing' and ($1::text is null or kind = $1)
order by started_at, id limit $2
