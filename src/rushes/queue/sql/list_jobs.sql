-- Jobs by filter, newest first; null: any. What is null falls away when the statement is planned, and what remains finds
-- its index: jobs_failed, jobs_batch, jobs_workflow, those of live jobs, else the primary key backwards.
select * from rushes.jobs
where
    ($1::text is null or status = $1) and ($2::text is null or kind = $2) and ($3::text is null or error_class = $3)
    and ($4::bigint is null or batch_id = $4) and ($5::text is null or github_workflow_run_id = $5)
    and ($6::text is null or dedup_key = $6) and ($7::interval is null or created_at < now() - $7)
    and ($8::timestamptz is null or created_at >= $8) and ($9::timestamptz is null or created_at < $9)
    and ($10::bigint is null or id < $10)
order by id desc
limit $11
