-- Which of these may begin anew.
select id from rushes.jobs where id = any($1::bigint[]) and status in ('failed', 'cancelled') order by id for update
