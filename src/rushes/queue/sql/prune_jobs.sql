-- One step through the jobs in the order of ids, after $1: those without a batch that have ended and are older than their
-- status may be go, and what tells how a used file was made stays with the file. Of one kind ($5), if that is given.
--
-- A job that was retried meanwhile stays: it is not what it was when its row is locked. Says how far the step came, whether
-- whatever follows is too young, and how many of each status went.
with keep as (
    select * from unnest($3::text[], $4::interval[]) as keep (status, age)
), page as materialized (
    select id, kind, status, batch_id, created_at, finished_at from rushes.jobs where id > $1 order by id limit $2
), old as (
    select p.id, p.status, p.finished_at
    from page p
    join keep on keep.status = p.status
    where p.batch_id is null and p.finished_at < now() - keep.age and ($5::text is null or p.kind = $5)
), gone as (
    delete from rushes.jobs j using old
    where j.id = old.id and j.status = old.status and j.finished_at = old.finished_at
    returning j.id, j.status, j.fingerprint, j.result
), told as (
    update rushes.artifacts a set result = g.result from gone g where a.fingerprint = g.fingerprint and a.job_id = g.id
)
select
    (select max(id) from page) as position,
    (select count(*) < $2 or min(created_at) > now() - (select min(age) from keep) from page) as over,
    (select count(*) from gone where status = 'completed') as completed,
    (select count(*) from gone where status = 'failed') as failed,
    (select count(*) from gone where status = 'cancelled') as cancelled
