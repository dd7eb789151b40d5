-- Failed jobs, of one kind ($1) or all, the last in front; with $2 only those whose attempts are used up (true) or are not
-- (false). Relies on jobs_failed.
select * from rushes.jobs
where
    status = 'failed' and ($1::text is null or kind = $1) and ($2::boolean is null or (attempts >= max_attempts) = $2)
order by finished_at desc, id desc limit $3
