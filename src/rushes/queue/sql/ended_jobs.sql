-- Which of these may begin anew: none while another job of its key lives (jobs_deduplicated), and of one key only the last.
select e.id from rushes.jobs e
where
    e.id = any($1::bigint[]) and e.status in ('failed', 'cancelled')
    and (
        e.dedup_key is null
        or not exists (
            select from rushes.jobs o
            where o.dedup_key = e.dedup_key and o.status in ('queued', 'processing', 'retrying')
        ) and not exists (
            select from rushes.jobs o
            where o.id = any($1) and o.id > e.id and o.dedup_key = e.dedup_key and o.status in ('failed', 'cancelled')
        )
    )
order by e.id for update of e
