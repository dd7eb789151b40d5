with old as (
    select number from rushes.events where batch_id = $1 order by number limit $2
), gone as (
    delete from rushes.events e using old where e.batch_id = $1 and e.number = old.number returning 1
)
select count(*) from gone
