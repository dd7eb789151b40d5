-- Relies on jobs_live_batch.
update rushes.jobs set held = false where batch_id = $1 and status in ('queued', 'retrying') and held
