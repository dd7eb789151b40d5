-- What the newest run under this identity made.
select kind, name, size, sha256, media_type, metadata from rushes.artifacts
where fingerprint = $1 and job_id = (select max(job_id) from rushes.artifacts where fingerprint = $1)
order by id
