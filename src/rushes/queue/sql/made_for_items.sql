-- What finished stages of these items made, whether they made it or used it again.
select j.item_id, a.kind, a.name, a.size, a.sha256, a.media_type, a.metadata
from rushes.jobs j
cross join lateral (
    select a.* from rushes.artifacts a
    where
        a.fingerprint = j.fingerprint
        and a.job_id = (select max(n.job_id) from rushes.artifacts n where n.fingerprint = j.fingerprint)
) a
where j.item_id = any($1::bigint[]) and j.status = 'completed'
order by j.step, a.id
