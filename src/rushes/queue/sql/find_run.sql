-- The newest batch that the same command made.
select id from rushes.batches where run_key = $1 and reuse = $2 and status <> 'cancelled' order by id desc limit 1
