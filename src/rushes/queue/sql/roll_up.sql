-- Put rows of one grain together by unit of time and group, a bounded step of the oldest ($4). Groups that come to nothing
-- go. A step may end within a unit: two rows of a group then stand side by side, which changes no sum.
with taken as (
    delete from rushes.tallies
    where ctid = any(array(
        select ctid from rushes.tallies
        where grain = $1 and at < date_trunc($2, now() - $3::interval, 'UTC')
        order by at limit $4
    ))
    returning *
), together as (
    insert into rushes.tallies (at, kind, status, wait, run, jobs, waited, ran, grain)
    select date_trunc($2, at, 'UTC'), kind, status, wait, run, sum(jobs), sum(waited), sum(ran), $1 + 1
    from taken
    group by 1, 2, 3, 4, 5
    having sum(jobs) <> 0 or sum(waited) <> 0 or sum(ran) <> 0
)
select count(*) from taken
