-- The failed job of each failed item, of the wanted classes of error (null: all).
select f.id from rushes.jobs f
join rushes.items i on i.id = f.item_id
where
    f.batch_id = $1 and f.status = 'failed' and i.status = 'failed' and ($2::text[] is null or i.error_class = any($2))
order by f.id for update of f
