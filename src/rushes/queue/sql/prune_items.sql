-- One step through the items of a batch that is to go, with their jobs (by cascade; relies on jobs_item). What tells how a
-- used file was made stays with the file.
with old as (
    select id from rushes.items where batch_id = $1 order by id limit $2
), kept as (
    update rushes.artifacts a set result = j.result
    from old
    join rushes.jobs j on j.item_id = old.id
    where a.fingerprint = j.fingerprint and a.job_id = j.id
), gone as (
    delete from rushes.items i using old where i.id = old.id returning 1
)
select count(*) from gone
