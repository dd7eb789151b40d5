-- Ids for so many jobs: the first and the last of a row, or all of them where others took some in between.
select
    min(id) as first, max(id) as last,
    case when max(id) - min(id) + 1 <> count(*) then array_agg(id order by id) end as scattered
from (select nextval('rushes.jobs_id_seq') as id from generate_series(1, $1)) ids
