select * from rushes.jobs
where
    ($1::text is null or status = $1) and ($2::text is null or kind = $2) and ($3::text is null or error_class = $3)
    and ($4::bigint is null or batch_id = $4) and ($5::interval is null or created_at < now() - $5)
    and ($6::bigint is null or id < $6)
order by id desc
limit $7
