-- Which grains have rows to be put together. Relies on tallies_grain (grain, at): a look at the oldest row of each.
select level.grain, level.unit, level.age
from unnest($1::smallint[], $2::text[], $3::interval[]) as level (grain, unit, age)
where exists (
    select from rushes.tallies t
    where t.grain = level.grain and t.at < date_trunc(level.unit, now() - level.age, 'UTC')
)
order by level.grain
