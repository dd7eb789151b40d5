-- The job that a workflow speaks of, locked as a settlement locks it.
select * from rushes.jobs where id = $1 for update
