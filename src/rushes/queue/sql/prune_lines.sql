with old as (
    select number from rushes.lines where batch_id = $1 order by number limit $2
), gone as (
    delete from rushes.lines l using old where l.batch_id = $1 and l.number = old.number returning 1
)
select count(*) from gone
