-- What the newest run under this identity made, and what it said of it.
select a.kind, a.name, a.size, a.sha256, a.media_type, a.metadata, coalesce(j.result, a.result) as result
from rushes.artifacts a
left join rushes.jobs j on j.id = a.job_id
where a.fingerprint = $1 and a.job_id = (select max(job_id) from rushes.artifacts where fingerprint = $1)
order by a.id
