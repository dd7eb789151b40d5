-- A bounded step. Running jobs too: the next stage has its priority from them. Relies on jobs_live_batch.
with live as (
    select id from rushes.jobs
    where batch_id = $1 and status in ('queued', 'processing', 'retrying') and priority <> $2
    order by id limit $3 for update
), written as (
    update rushes.jobs j set priority = $2 from live where j.id = live.id returning 1
)
select count(*) from written
