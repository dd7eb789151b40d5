-- How many more jobs of these kinds may run. Asked when their limits are locked, so that this snapshot shows what the
-- claims before have taken. Relies on jobs_leased.
select
    l.kind,
    greatest(l.concurrency - (select count(*) from rushes.jobs j where j.status = 'processing' and j.kind = l.kind), 0) as room
from rushes.limits l
where l.kind = any($1::text[])
