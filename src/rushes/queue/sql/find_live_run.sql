-- The newest batch of a run that has not ended, locked, so that it does not end before it is added to. Relies on batches_run.
select id from rushes.batches
where run_key = $1 and status in ('pending', 'processing', 'paused')
order by id desc limit 1
for no key update
