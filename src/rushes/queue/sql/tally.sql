-- Add up jobs that have just ended ($2 is 1), or take back what is about to begin anew ($2 is -1).
insert into rushes.tallies (at, kind, status, wait, run, jobs, waited, ran)
select
    date_trunc('minute', finished_at), kind, status,
    rushes.step_of(started_at - created_at) as wait, rushes.step_of(finished_at - started_at) as run,
    $2::integer * count(*),
    $2::integer * coalesce(sum(date_part('epoch', started_at - created_at)), 0),
    $2::integer * coalesce(sum(date_part('epoch', finished_at - started_at)), 0)
from rushes.jobs
where id = any($1::bigint[]) and finished_at is not null
group by date_trunc('minute', finished_at), kind, status, wait, run
